"""The pages of review in the order in which their addresses are looked at: fixed words before ids."""

from __future__ import annotations

from huaxiang.console.appeal_pages import appeal_router
from huaxiang.console.calibration_pages import calibration_router
from huaxiang.console.review_pages import review_router
from huaxiang.console.sampling_pages import sampling_router

REVIEW_ROUTERS = (sampling_router, calibration_router, appeal_router, review_router)
