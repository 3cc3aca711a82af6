"""质检: rules and scorecards over turns, findings and metrics.

``Inspector`` scores a conversation by a ``ScorecardDefinition``, which ``load_scorecard`` reads from YAML.
"""

from huaxiang.quality.inspector import Inspector
from huaxiang.quality.loader import default_scorecard, load_scorecard

__all__ = ["Inspector", "default_scorecard", "load_scorecard"]
