"""Turns sampling plans and drawings into what their pages show, and has the plans to begin with."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from huaxiang.console.present_review import call_title
from huaxiang.console.recording_view import local_time
from huaxiang.console.texts import Texts
from huaxiang.core.types import Recording
from huaxiang.quality.mistakes import Mistake
from huaxiang.quality.review.outcomes import Outcome
from huaxiang.quality.review.plan import Draw, Period, Plan
from huaxiang.quality.review.plan_store import Drawing, PastDrawing, StoredPlan

PRESETS: Mapping[str, str] = {
    "random": """\
plan: weekly
title: 每周随机抽检
period: week
seed: 1
draws:
  - share: 0.05      # 全部通话的 5%
""",
    "sellers": """\
plan: each-seller
title: 每人每周两通
period: week
seed: 1
draws:
  - per_seller: 2    # 每位销售两通
""",
    "doubts": """\
plan: doubts
title: 规则拿不准的
period: day
seed: 1
draws:
  - {for_review: true, number: 10}        # 规则标为待复核
  - {low_confidence: 0.7, number: 10}     # 有项目置信度低于 0.7
  - {share: 0.01}                         # 其余随机 1%，用来估计准确率
""",
    "rule": """\
plan: forbidden
title: 禁语命中
period: day
seed: 1
draws:
  - {items: [overpromise, pressure, disparage, rude], outcome: failed, number: 20}
  - {share: 0.01}
""",
}


def preset_text(name: str, people: Sequence[str]) -> str:
    """Return a plan to begin with, whose calls are shared out among ``people``."""
    named = ", ".join(json.dumps(one, ensure_ascii=False) for one in people)
    return f"{PRESETS[name]}reviewers: [{named}]\n" if people else PRESETS[name]


@dataclass(frozen=True, slots=True)
class PlanRow:
    """A plan as the list shows it; ``last`` is the newest period that was drawn."""

    name: str
    title: str
    version: int
    active: bool
    period: str
    draws: tuple[str, ...]
    reviewers: str
    last: str


@dataclass(frozen=True, slots=True)
class DrawnRow:
    """A call that was drawn, or would be: ``known`` where it has a case already."""

    recording_id: str
    title: str
    when: str
    seller: str
    percent: str
    parts: str
    assignee: str
    known: bool


@dataclass(frozen=True, slots=True)
class DrawnView:
    """A drawing, or what one would be: how many of how many, and which."""

    period: str
    population: int
    drawn: int
    known: int
    by_reviewer: tuple[tuple[str, int], ...]
    rows: tuple[DrawnRow, ...]


@dataclass(frozen=True, slots=True)
class PastRow:
    """A drawing that was made."""

    period: str
    version: int
    population: int
    drawn: int
    by: str
    when: str


@dataclass(frozen=True, slots=True)
class MistakeLine:
    """A mistake of a plan's text with its line, cause and cure."""

    line: int
    cause: str
    cure: str


def plan_row(stored: StoredPlan, last: PastDrawing | None, text: Texts, zone: tzinfo) -> PlanRow:
    """Return a plan for the list."""
    plan = stored.plan
    return PlanRow(
        name=plan.name,
        title=plan.title,
        version=stored.version,
        active=stored.active,
        period=text(f"every.{plan.period.value}"),
        draws=tuple(draw_text(part, text) for part in plan.draws),
        reviewers=text("list.comma").join(plan.reviewers),
        last=period_text(last.period, zone) if last else "",
    )


def draw_text(part: Draw, text: Texts) -> str:
    """Return a part of a plan in words: how many, of which calls."""
    if part.share is not None:
        size = text("sampling.share", percent=f"{100 * part.share:g}")
    elif part.per_seller is not None:
        size = text("sampling.per_seller", count=part.per_seller)
    else:
        size = text("sampling.number", count=part.number or 0)
    which = []
    if part.for_review:
        which.append(text("sampling.for_review"))
    if part.low_confidence is not None:
        which.append(text("sampling.low_confidence", percent=f"{100 * part.low_confidence:g}"))
    if part.outcome is not None:
        names = text("list.comma").join(text.words.get(f"item.{item}", item) for item in part.items)
        which.append(_outcome_text(part.outcome, names or text("sampling.any_item"), text))
    return f"{size} · {' · '.join(which)}" if which else size


def _outcome_text(outcome: Outcome, names: str, text: Texts) -> str:
    return f"{names} {text(f'verdict.{outcome.value}')}"


def period_text(period: Period, zone: tzinfo) -> str:
    """Return a period as its first and last day."""
    first = period.start.astimezone(zone).date()
    last = (period.end.astimezone(zone) - timedelta(seconds=1)).date()
    return first.isoformat() if first == last else f"{first.isoformat()} – {last.isoformat()}"


def drawn_view(drawing: Drawing, recordings: Mapping[str, Recording], text: Texts, zone: tzinfo) -> DrawnView:
    """Return a drawing for the page, the calls as they were drawn."""
    load: dict[str, int] = {}
    for name in drawing.assignees.values():
        load[name] = load.get(name, 0) + 1
    rows = []
    for pick in drawing.sample.picks:
        recording = recordings.get(pick.recording_id)
        held_at = (recording.metadata.started_at or recording.received_at) if recording else None
        rows.append(
            DrawnRow(
                recording_id=pick.recording_id,
                title=call_title(recording) if recording else pick.recording_id,
                when=local_time(held_at, zone),
                seller=(recording.metadata.seller or "") if recording else "",
                percent=f"{100 * pick.probability:.3g}%",
                parts=text("list.comma").join(text("sampling.part", number=part) for part in pick.parts),
                assignee=drawing.assignees.get(pick.recording_id, ""),
                known=pick.recording_id in drawing.known,
            )
        )
    return DrawnView(
        period=period_text(drawing.period, zone),
        population=drawing.sample.population,
        drawn=len(rows),
        known=len(drawing.known),
        by_reviewer=tuple(sorted(load.items())),
        rows=tuple(rows),
    )


def past_row(drawing: PastDrawing, zone: tzinfo) -> PastRow:
    """Return a drawing that was made."""
    return PastRow(
        period=period_text(drawing.period, zone),
        version=drawing.version,
        population=drawing.population,
        drawn=drawing.drawn,
        by=drawing.created_by,
        when=local_time(drawing.created_at, zone),
    )


def mistake_lines(mistakes: Sequence[Mistake], language: str) -> tuple[MistakeLine, ...]:
    """Return mistakes in the page's language."""
    return tuple(MistakeLine(one.line, *one.words(language)) for one in mistakes)


def unsaved(plan: Plan, text: str, stored: StoredPlan | None, by: str, at: datetime) -> StoredPlan:
    """Return a plan that is only tried, as if it were the next version."""
    return StoredPlan(plan, (stored.version if stored else 0) + 1, text, False, by, at)
