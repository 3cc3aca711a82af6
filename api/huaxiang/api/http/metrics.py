"""``/metrics`` in Prometheus's text format, from a registry of the application's own.

Labels are methods, route templates, statuses and states: never an id, a name or a number of anyone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from fastapi import APIRouter, Request, Response
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.api.http.dependencies import Scraper
from huaxiang.core.database import transaction
from huaxiang.core.types import RecordingStatus
from huaxiang.ingest.tables import QuarantineRow, RecordingRow

router = APIRouter(tags=["health"])
_SECONDS = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class HttpMetrics:
    """Counts requests; ``registry`` also reads the state of the work from the database at each scrape."""

    def __init__(self, sessions: sessionmaker[Session]) -> None:
        self.registry = CollectorRegistry()
        labels = ("method", "route")
        self._requests = Counter(
            "huaxiang_http_requests", "Requests answered.", (*labels, "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "huaxiang_http_request_seconds",
            "Time until the last byte of the answer.",
            labels,
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.registry.register(_Work(sessions))

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request."""
        known = method if method in _METHODS else "other"
        self._requests.labels(known, route, str(status)).inc()
        self._seconds.labels(known, route).observe(seconds)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class _Work(Collector):
    """Recordings by status, and how many wait."""

    def __init__(self, sessions: sessionmaker[Session]) -> None:
        self._sessions = sessions

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Name the metrics without touching the database."""
        yield self._recordings()
        yield self._waiting()
        yield self._quarantined()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Read the present counts."""
        with transaction(self._sessions) as session:
            rows = session.execute(
                select(RecordingRow.status, func.count().label("found")).group_by(RecordingRow.status)
            )
            counts = {row.status: row.found for row in rows}
            quarantined = session.scalar(select(func.count()).select_from(QuarantineRow)) or 0
        recordings, waiting, quarantine = self._recordings(), self._waiting(), self._quarantined()
        for status in RecordingStatus:
            recordings.add_metric([status.value], counts.get(status, 0))
        waiting.add_metric([], counts.get(RecordingStatus.RECEIVED, 0))
        quarantine.add_metric([], quarantined)
        yield from (recordings, waiting, quarantine)

    @staticmethod
    def _recordings() -> GaugeMetricFamily:
        return GaugeMetricFamily("huaxiang_recordings", "Recordings by status.", labels=["status"])

    @staticmethod
    def _waiting() -> GaugeMetricFamily:
        return GaugeMetricFamily("huaxiang_queue_depth", "Recordings that wait for a worker.", labels=[])

    @staticmethod
    def _quarantined() -> GaugeMetricFamily:
        return GaugeMetricFamily("huaxiang_quarantined", "Recordings in quarantine.", labels=[])


@router.get("/metrics", summary="Figures for Prometheus", response_class=Response)
def metrics(request: Request, caller: Scraper) -> Response:
    """Return the counters of this process and the state of the work."""
    registry = cast("HttpMetrics", request.app.state.metrics).registry
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
