"""Sampling plans (抽检计划): what is drawn of a period, by how many or what share, and who reviews it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum

from yaml import Node

from huaxiang.core.errors import InvalidRules
from huaxiang.core.types import Setting
from huaxiang.quality.mistakes import Mistake
from huaxiang.quality.review.outcomes import Outcome
from huaxiang.quality.yaml_reader import Reader

MAX_SEED = 2**53
_DRAW_KEYS = {"share", "number", "per_seller", "items", "outcome", "low_confidence", "for_review"}


class PeriodLength(StrEnum):
    """How long a period is; a week begins on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Period:
    """From ``start`` (included) to ``end`` (not included), aware."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Draw:
    """One part of a plan: which calls it draws from, and how many of them.

    Exactly one of ``share`` (0–1), ``number`` (a period) and ``per_seller`` (a seller a period) is
    given. ``items`` narrows to calls in which one of these came out as ``outcome`` (empty ``items``
    with an outcome: any item); ``low_confidence`` to calls with an item judged less surely than
    that; ``for_review`` to calls with an item that the rules left to people.
    """

    share: float | None = None
    number: int | None = None
    per_seller: int | None = None
    items: tuple[str, ...] = ()
    outcome: Outcome | None = None
    low_confidence: float | None = None
    for_review: bool = False


@dataclass(frozen=True, slots=True)
class Among:
    """Which calls a plan is about at all; what is empty does not narrow."""

    settings: frozenset[Setting] = frozenset()
    sellers: frozenset[str] = frozenset()
    teams: frozenset[str] = frozenset()
    min_duration_ms: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """A sampling plan. ``seed`` makes its drawings the same whenever they are made."""

    name: str
    title: str
    period: PeriodLength
    seed: int
    draws: tuple[Draw, ...]
    among: Among = field(default_factory=Among)
    reviewers: tuple[str, ...] = ()
    scorecard: str | None = None


def period_at(length: PeriodLength, moment: datetime, zone: tzinfo) -> Period:
    """Return the period that a moment lies in, by the calendar of ``zone``."""
    day = moment.astimezone(zone).date()
    if length is PeriodLength.DAY:
        first, after = day, day + timedelta(days=1)
    elif length is PeriodLength.WEEK:
        first = day - timedelta(days=day.weekday())
        after = first + timedelta(days=7)
    else:
        first = day.replace(day=1)
        after = (first + timedelta(days=32)).replace(day=1)
    return Period(_midnight(first, zone), _midnight(after, zone))


def last_whole_period(length: PeriodLength, moment: datetime, zone: tzinfo) -> Period:
    """Return the last period that is over at a moment."""
    return period_at(length, period_at(length, moment, zone).start - timedelta(seconds=1), zone)


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone)


def load_plan(text: str) -> Plan:
    """Return the plan that YAML text writes. Raises InvalidRules with every mistake and its line."""
    plan, mistakes = parse_plan(text)
    if mistakes:
        listed = "; ".join(f"line {mistake.line}: {mistake.message}" for mistake in mistakes)
        raise InvalidRules(f"the sampling plan has mistakes: {listed}", mistakes=len(mistakes))
    return plan


def parse_plan(text: str) -> tuple[Plan, list[Mistake]]:
    """Return what could be read of a plan, and all mistakes in the order of their lines."""
    reader = Reader()
    root = reader.document(text)
    if root is None:
        return Plan("", "", PeriodLength.WEEK, 0, ()), reader.mistakes
    needed = {"plan", "title", "period", "seed", "draws"}
    given = reader.mapping(root, needed | {"among", "reviewers", "scorecard"}, needed)
    plan = Plan(
        name=_name(reader, given["plan"]) if "plan" in given else "",
        title=reader.text(given["title"]) if "title" in given else "",
        period=_period(reader, given["period"]) if "period" in given else PeriodLength.WEEK,
        seed=reader.whole(given["seed"], 0, MAX_SEED) if "seed" in given else 0,
        draws=tuple(_draw(reader, node) for node in reader.items(given["draws"])) if "draws" in given else (),
        among=_among(reader, given["among"]) if "among" in given else Among(),
        reviewers=_texts(reader, given.get("reviewers")),
        scorecard=reader.text(given["scorecard"], 64) if "scorecard" in given else None,
    )
    return plan, sorted(reader.mistakes)


def _name(reader: Reader, node: Node) -> str:
    name = reader.text(node, 64)
    if not all(character.isalnum() or character in "._-" for character in name):
        reader.wrong(node, "plan_name")
    return name


def _period(reader: Reader, node: Node) -> PeriodLength:
    chosen = reader.choice(node, [length.value for length in PeriodLength])
    return PeriodLength(chosen) if chosen in set(PeriodLength) else PeriodLength.WEEK


def _draw(reader: Reader, node: Node) -> Draw:
    given = reader.mapping(node, _DRAW_KEYS)
    sizes = [key for key in ("share", "number", "per_seller") if key in given]
    if len(sizes) != 1:
        reader.wrong(node, "plan_draw_size")
    outcome = None
    if "outcome" in given:
        chosen = reader.choice(given["outcome"], [value.value for value in Outcome])
        outcome = Outcome(chosen) if chosen in set(Outcome) else None
    items = _texts(reader, given.get("items"))
    return Draw(
        share=_share(reader, given["share"]) if "share" in given else None,
        number=reader.whole(given["number"], 1, 100_000) if "number" in given else None,
        per_seller=reader.whole(given["per_seller"], 1, 1000) if "per_seller" in given else None,
        items=items,
        outcome=outcome or (Outcome.FAILED if items else None),
        low_confidence=reader.number(given["low_confidence"], 0, 1) if "low_confidence" in given else None,
        for_review=reader.flag(given["for_review"]) if "for_review" in given else False,
    )


def _share(reader: Reader, node: Node) -> float:
    share = reader.number(node, 0, 1)
    if share == 0:
        reader.wrong(node, "plan_share")
    return share


def _among(reader: Reader, node: Node) -> Among:
    given = reader.mapping(node, {"settings", "sellers", "teams", "min_duration_s"})
    known = {setting.value for setting in Setting}
    chosen = (
        [reader.choice(one, known) for one in reader.items(given["settings"])] if "settings" in given else []
    )
    seconds = reader.number(given["min_duration_s"], 0, 86_400) if "min_duration_s" in given else 0
    return Among(
        settings=frozenset(Setting(one) for one in chosen if one in known),
        sellers=frozenset(_texts(reader, given.get("sellers"))),
        teams=frozenset(_texts(reader, given.get("teams"))),
        min_duration_ms=round(seconds * 1000),
    )


def _texts(reader: Reader, node: Node | None) -> tuple[str, ...]:
    return () if node is None else tuple(dict.fromkeys(reader.text(one) for one in reader.items(node)))


@dataclass(frozen=True, slots=True)
class SampledItem:
    """What a drawing looks at of an item: its automatic outcome, and how sure the rules were."""

    outcome: Outcome
    confidence: float
    for_review: bool


@dataclass(frozen=True, slots=True)
class Candidate:
    """A scored call that may be drawn."""

    recording_id: str
    definition: str
    seller: str | None
    team: str | None
    setting: Setting | None
    at: datetime
    duration_ms: int
    items: Mapping[str, SampledItem]
