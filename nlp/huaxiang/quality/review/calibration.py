"""Calibration: several reviewers score the same calls, blind to each other, and see how far they agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean

import numpy as np

from huaxiang.quality.definition import ScorecardDefinition
from huaxiang.quality.review.agreement import BOOTSTRAPS, INTERVAL, Agreement, Level, agreement
from huaxiang.quality.review.outcomes import Outcome
from huaxiang.quality.totals import total

_NUMBERS = {Outcome.PASSED: 1.0, Outcome.FAILED: 0.0, Outcome.NOT_APPLICABLE: -1.0}


@dataclass(frozen=True, slots=True)
class ScoredCall:
    """What one reviewer says of one call: an outcome for every item, with reasons where given."""

    recording_id: str
    reviewer: str
    outcomes: Mapping[str, Outcome]
    reasons: Mapping[str, str]
    at: datetime


@dataclass(frozen=True, slots=True)
class CalibrationCall:
    """A call of the session, with the automatic outcomes when the session was opened."""

    recording_id: str
    automatic: Mapping[str, Outcome]


@dataclass(frozen=True, slots=True)
class Calibration:
    """A session as far as its log goes; ``scores`` has the last word of each reviewer about each call."""

    id: str
    title: str
    definition: str
    reviewers: tuple[str, ...]
    calls: tuple[CalibrationCall, ...]
    created_by: str
    created_at: datetime
    scores: tuple[ScoredCall, ...] = ()
    closed_at: datetime | None = None
    version: int = 0

    def scored_by(self, reviewer: str) -> Mapping[str, ScoredCall]:
        """Return what a reviewer said so far, by call."""
        return {one.recording_id: one for one in self.scores if one.reviewer == reviewer}

    @property
    def complete(self) -> bool:
        """Tell whether everybody scored every call."""
        return len(self.scores) == len(self.reviewers) * len(self.calls)

    @property
    def open_to_all(self) -> bool:
        """Tell whether reviewers may see each other's scores."""
        return self.closed_at is not None


@dataclass(frozen=True, slots=True)
class Leniency:
    """How a reviewer's totals lie against the others' on the same calls, in points; positive is milder.

    ``low`` and ``high`` bound it (95 %, bootstrap over calls), None under three calls. ``first_half``
    and ``second_half`` show whether it drifts, over the calls in the order in which they were scored.
    """

    reviewer: str
    difference: float | None
    low: float | None
    high: float | None
    calls: int
    first_half: float | None
    second_half: float | None


@dataclass(frozen=True, slots=True)
class CalibrationResult:
    """The agreement of a session: by item, over all items, of totals, and each reviewer's leniency."""

    items: Mapping[str, Agreement]
    overall: Agreement
    totals: Agreement
    leniency: tuple[Leniency, ...]
    with_rules: Mapping[str, Agreement]


def result(session: Calibration, definition: ScorecardDefinition) -> CalibrationResult:
    """Return how far the reviewers of a session agree.

    Items are names (nominal), totals are numbers (interval). ``with_rules`` is each reviewer's
    agreement with the automatic outcomes over all items.
    """
    ids = [item.id for item in definition.items]
    by_call: dict[str, dict[str, ScoredCall]] = {}
    for one in session.scores:
        by_call.setdefault(one.recording_id, {})[one.reviewer] = one
    units = {
        item: [
            {name: _NUMBERS[one.outcomes[item]] for name, one in said.items() if item in one.outcomes}
            for said in by_call.values()
        ]
        for item in ids
    }
    totals = {
        call: {name: _total(definition, one.outcomes) for name, one in said.items()}
        for call, said in by_call.items()
    }
    return CalibrationResult(
        items={item: agreement(units[item], Level.NOMINAL) for item in ids},
        overall=agreement([unit for item in ids for unit in units[item]], Level.NOMINAL),
        totals=agreement(list(totals.values()), Level.INTERVAL),
        leniency=tuple(_leniency(name, session, totals) for name in session.reviewers),
        with_rules={name: _with_rules(name, session, ids) for name in session.reviewers},
    )


def _total(definition: ScorecardDefinition, outcomes: Mapping[str, Outcome]) -> float:
    return total(definition, {item: outcome.passed for item, outcome in outcomes.items()}).score


def _leniency(reviewer: str, session: Calibration, totals: Mapping[str, Mapping[str, float]]) -> Leniency:
    mine = sorted(session.scored_by(reviewer).values(), key=lambda one: one.at)
    differences = [
        totals[one.recording_id][reviewer] - fmean(others)
        for one in mine
        if (others := [value for name, value in totals[one.recording_id].items() if name != reviewer])
    ]
    half = len(differences) // 2
    low, high = mean_interval(differences)
    return Leniency(
        reviewer=reviewer,
        difference=fmean(differences) if differences else None,
        low=low,
        high=high,
        calls=len(differences),
        first_half=fmean(differences[:half]) if half else None,
        second_half=fmean(differences[half:]) if half else None,
    )


def _with_rules(reviewer: str, session: Calibration, ids: Sequence[str]) -> Agreement:
    said = session.scored_by(reviewer)
    units = [
        {
            "reviewer": _NUMBERS[said[call.recording_id].outcomes[item]],
            "rules": _NUMBERS[call.automatic[item]],
        }
        for call in session.calls
        for item in ids
        if call.recording_id in said and item in said[call.recording_id].outcomes and item in call.automatic
    ]
    return agreement(units, Level.NOMINAL)


def mean_interval(values: Sequence[float], *, seed: int = 1) -> tuple[float | None, float | None]:
    """Return the 95 % percentile bootstrap interval of a mean; None twice under three values."""
    if len(values) < 3:
        return None, None
    rng = np.random.default_rng(seed)
    means = rng.choice(np.array(values), (BOOTSTRAPS, len(values))).mean(axis=1)
    tail = (1 - INTERVAL) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(low), float(high)
