"""The objection map: what was objected, how it was answered, and how the customer took it.

Counts with intervals. A cell is ranked by the lower bound of its interval, so that two lucky cases do
not win over forty good ones.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from huaxiang.core.types import Evidence
from huaxiang.profile.coaching.calls import Outcome
from huaxiang.profile.coaching.statistics import Estimate, mean, rate

FORBIDDEN = frozenset({"overpromise", "pressure", "disparage", "rude"})
ANSWER_PARTS: Sequence[str] = ("empathy", "objection_handling", "value_evidence")
FORBIDDEN_ANSWER, NO_ANSWER = "forbidden", "none"
ANSWERS: Sequence[str] = (
    "empathy+objection_handling+value_evidence",
    "empathy+objection_handling",
    "objection_handling+value_evidence",
    "objection_handling",
    "empathy+value_evidence",
    "value_evidence",
    "empathy",
    FORBIDDEN_ANSWER,
    NO_ANSWER,
)
"""The kinds of answer, in the order in which they are shown."""


class Measure(StrEnum):
    """What a good answer is measured by."""

    NEXT_STEP = "next_step"
    SETTLED = "settled"
    WON = "won"


@dataclass(frozen=True, slots=True)
class Course:
    """One objection with what became of it.

    ``answer`` is one of ``ANSWERS``. ``mood_change`` is −2 … 2, None where the customer's reaction was not
    heard. ``settled`` is true where the objection was answered and neither raised again nor followed by a
    refusal, ``next_step`` where the customer agreed to a next step or wanted to buy at any later time.
    """

    recording_id: str
    seller: str | None
    held_at: datetime
    objection: str
    turn: int
    answer: str
    mood_change: float | None
    settled: bool
    next_step: bool
    outcome: Outcome
    confidence: float
    quotes: tuple[tuple[str, Evidence], ...]
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """All courses with one objection and one kind of answer, ``recordings`` of them.

    Each rate has its n and Wilson's interval; of ``won`` the unit is the recording of known outcome.
    ``mood_change`` has Student's. ``rank`` is the place among the answers to this objection, from 1.
    """

    objection: str
    answer: str
    n: int
    recordings: int
    settled: Estimate
    next_step: Estimate
    won: Estimate | None
    mood_change: Estimate | None
    rank: int = 0

    def by(self, measure: Measure) -> Estimate | None:
        """Return the rate that is asked for."""
        return {
            Measure.NEXT_STEP: self.next_step,
            Measure.SETTLED: self.settled,
            Measure.WON: self.won,
        }[measure]


@dataclass(frozen=True, slots=True)
class ObjectionMap:
    """The cells that occur, by objection (most frequent first) and rank; ``n`` counts courses."""

    measure: Measure
    cells: tuple[Cell, ...]
    n: int
    recordings: int

    @property
    def objections(self) -> tuple[str, ...]:
        """The objections in the order of the map."""
        return tuple(dict.fromkeys(cell.objection for cell in self.cells))

    @property
    def answers(self) -> tuple[str, ...]:
        """The kinds of answer that occur, in their usual order."""
        seen = {cell.answer for cell in self.cells}
        return tuple(answer for answer in ANSWERS if answer in seen)

    def cell(self, objection: str, answer: str) -> Cell | None:
        """Return one cell, None for one without a course."""
        found = (c for c in self.cells if (c.objection, c.answer) == (objection, answer))
        return next(found, None)


def answer_kind(acts: Iterable[str]) -> str:
    """Return the kind of answer out of the seller's acts between an objection and the reaction to it.

    A forbidden word makes any answer ``forbidden``; an answer with none of the three parts is ``none``.
    """
    said = set(acts)
    if said & FORBIDDEN:
        return FORBIDDEN_ANSWER
    return "+".join(part for part in ANSWER_PARTS if part in said) or NO_ANSWER


def objection_map(courses: Iterable[Course], measure: Measure = Measure.NEXT_STEP) -> ObjectionMap:
    """Return the map, the answers of each objection ranked by the lower bound of ``measure``."""
    grouped: dict[str, dict[str, list[Course]]] = defaultdict(lambda: defaultdict(list))
    known = list(courses)
    for course in known:
        grouped[course.objection][course.answer].append(course)
    by_count = sorted(grouped, key=lambda o: (-sum(map(len, grouped[o].values())), o))
    return ObjectionMap(
        measure=measure,
        cells=tuple(cell for name in by_count for cell in _ranked(grouped[name], measure)),
        n=len(known),
        recordings=len({course.recording_id for course in known}),
    )


def lower_bound(estimate: Estimate | None) -> float:
    """Return what may be relied on of a rate: the lower end of its interval, 0 for none."""
    return 0.0 if estimate is None or estimate.low is None else estimate.low


def _ranked(by_answer: Mapping[str, Sequence[Course]], measure: Measure) -> list[Cell]:
    cells = [_cell(courses) for courses in by_answer.values()]
    cells.sort(key=lambda cell: (-lower_bound(cell.by(measure)), -cell.n, cell.answer))
    return [replace(cell, rank=place) for place, cell in enumerate(cells, start=1)]


def _cell(courses: Sequence[Course]) -> Cell:
    n = len(courses)
    won = {course.recording_id: course.outcome is Outcome.WON for course in courses if _is_known(course)}
    settled, next_step = rate(sum(c.settled for c in courses), n), rate(sum(c.next_step for c in courses), n)
    if settled is None or next_step is None:
        raise ValueError("a cell has at least one course")
    return Cell(
        objection=courses[0].objection,
        answer=courses[0].answer,
        n=n,
        recordings=len({course.recording_id for course in courses}),
        settled=settled,
        next_step=next_step,
        won=rate(sum(won.values()), len(won)),
        mood_change=mean([c.mood_change for c in courses if c.mood_change is not None]),
    )


def _is_known(course: Course) -> bool:
    return course.outcome in (Outcome.WON, Outcome.LOST)
