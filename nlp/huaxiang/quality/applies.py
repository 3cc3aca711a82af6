"""Which scorecards a recording gets."""

from __future__ import annotations

from collections.abc import Iterable

from huaxiang.quality.conditions import judge
from huaxiang.quality.definition import AppliesTo, ScorecardDefinition
from huaxiang.quality.heard import Heard, Told


def applies(definition: ScorecardDefinition, heard: Heard) -> bool:
    """Tell whether a scorecard is meant for a recording: by what was told of it, and by its own condition.

    What a scorecard asks about and nobody told (a setting, a seller) is not met.
    """
    if not _is_meant(definition.applies_to, heard.told):
        return False
    return definition.applies_when is None or judge(definition.applies_when, heard).holds is True


def applying(definitions: Iterable[ScorecardDefinition], heard: Heard) -> tuple[ScorecardDefinition, ...]:
    """Return the scorecards that a recording gets, those of the highest priority first."""
    meant = [definition for definition in definitions if applies(definition, heard)]
    return tuple(sorted(meant, key=lambda definition: (-definition.priority, definition.id)))


def _is_meant(applies_to: AppliesTo, told: Told) -> bool:
    listed = (
        ("setting", applies_to.settings),
        ("direction", applies_to.directions),
        ("seller", applies_to.sellers),
        ("team", applies_to.teams),
    )
    for fact, wanted in listed:
        value = told.get(fact)
        if wanted and not (isinstance(value, str) and value in wanted):
            return False
    low, high = applies_to.min_duration_s, applies_to.max_duration_s
    if low is None and high is None:
        return True
    duration = told.get("duration")
    if isinstance(duration, bool) or not isinstance(duration, int | float):
        return False
    return (low is None or duration > low) and (high is None or duration < high)
