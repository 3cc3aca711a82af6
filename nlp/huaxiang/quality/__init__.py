"""质检: rules and scorecards over turns, findings and metrics.

``Inspector`` scores a conversation by a ``ScorecardDefinition``, which ``load_scorecard`` reads from YAML;
``total`` is the arithmetic that it and people's reviews add up by.
"""

from huaxiang.quality.inspector import Inspector
from huaxiang.quality.loader import default_scorecard, load_scorecard
from huaxiang.quality.totals import SectionTotal, Totals, points_of, total

__all__ = [
    "Inspector",
    "SectionTotal",
    "Totals",
    "default_scorecard",
    "load_scorecard",
    "points_of",
    "total",
]
