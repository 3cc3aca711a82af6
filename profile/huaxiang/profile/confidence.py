"""How single confidences become one, and how confidence fades.

Several observations of one thing support each other, but not as if they were independent: the same
recogniser and classifier made them all, and err alike. So the second strongest counts half, the
third a quarter, and so on::

    combined = 1 - (1 - p1) * (1 - p2)^(1/2) * (1 - p3)^(1/4) * …        p1 >= p2 >= p3 …

That lies between the strongest alone and the noisy-or of independent causes (Pearl 1988, §4.3), and
never counts more than two observations of the strongest kind.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from math import prod

SECONDS_A_DAY = 86_400


def combined(confidences: Iterable[float]) -> float:
    """Return the confidence (0–1) that at least one observation is right; the order plays no part.

    0 for no observation.
    """
    ranked = sorted(confidences, reverse=True)
    return 1.0 - prod(float((1.0 - p) ** (0.5**rank)) for rank, p in enumerate(ranked))


def faded(confidence: float, observed_at: datetime, as_of: datetime, half_life_days: float) -> float:
    """Return a confidence as it stands at ``as_of``: it halves every ``half_life_days``.

    An observation from after ``as_of`` keeps its full confidence.
    """
    age_days = max((as_of - observed_at).total_seconds() / SECONDS_A_DAY, 0.0)
    return confidence * float(0.5 ** (age_days / half_life_days))
