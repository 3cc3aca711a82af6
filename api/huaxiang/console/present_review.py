"""Turns cases of review into what their pages show. Pure functions, no database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo

from huaxiang.console.present import Clip, clip_of, clock, number
from huaxiang.console.recording_view import local_time
from huaxiang.console.texts import Texts
from huaxiang.core.types import Recording, Scorecard, ScorecardItem
from huaxiang.quality.review.case import Case, CaseItem, Judged
from huaxiang.quality.review.final_score import FinalItem, FinalScore
from huaxiang.quality.review.outcomes import CaseState, Origin, Outcome, automatic_of
from huaxiang.quality.review.review_store import StoredCase
from huaxiang.quality.verdicts import reason_text

TONES = {
    CaseState.TO_REVIEW: "accent",
    CaseState.REVIEWED: "good",
    CaseState.APPEALED: "warn",
    CaseState.FINAL: "",
}
MARKS = {Outcome.PASSED: "✓", Outcome.FAILED: "✗", Outcome.NOT_APPLICABLE: "–"}


@dataclass(frozen=True, slots=True)
class Score:
    """A score before and after people looked at it; ``share`` is what holds in percent."""

    automatic: str
    final: str
    possible: str
    share: int | None
    changed: bool
    auto_failed: bool


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case as a list shows it; ``doubts`` counts the items that the rules left to people."""

    id: str
    title: str
    when: str
    seller: str
    definition: str
    state: str
    state_text: str
    tone: str
    origin: str
    assignee: str
    opened: str
    doubts: int
    score: Score


@dataclass(frozen=True, slots=True)
class OwnScore:
    """A seller's call with the score that holds; ``url`` opens its case, or asks for one."""

    title: str
    when: str
    definition: str
    score: Score
    state_text: str
    tone: str
    url: str
    appeal_until: str


@dataclass(frozen=True, slots=True)
class Stage:
    """What an item came to at one stage, by whom and why."""

    name: str
    outcome: str
    text: str
    by: str = ""
    when: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """One verdict that may be given, with the key that gives it."""

    value: str
    text: str
    key: str
    checked: bool
    is_before: bool


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody wrote into the form about an item."""

    outcome: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """An item to judge: where to hear it, what it came to so far, and what is said of it now.

    ``before`` is the outcome that a judgement confirms or changes; ``wrong`` that a reason is missing.
    """

    id: str
    title: str
    mark: str
    before: str
    before_text: str
    percent: int
    points: str
    auto_fail: bool
    for_review: bool
    appealed: bool
    reason: str
    clips: tuple[tuple[Clip, str], ...]
    window: Clip | None
    turns: tuple[int, ...]
    stages: tuple[Stage, ...]
    choices: tuple[Choice, ...]
    said: Said
    wrong: bool


def verdict(outcome: Outcome, text: Texts) -> str:
    """Return an outcome in words."""
    return text(f"verdict.{outcome.value}")


def score_view(score: FinalScore) -> Score:
    """Return a score for the page."""
    return Score(
        automatic=number(score.automatic_score),
        final=number(score.score),
        possible=number(score.possible),
        share=round(100 * score.score / score.possible) if score.possible else None,
        changed=(score.score, score.possible) != (score.automatic_score, score.automatic_possible)
        or score.changed,
        auto_failed=score.auto_failed,
    )


def call_title(recording: Recording) -> str:
    """Return what a call is called: the title that was told, else its file's name."""
    return recording.metadata.title or recording.filename


def case_row(
    stored: StoredCase,
    recording: Recording | None,
    score: FinalScore,
    definition: str,
    seller: str,
    text: Texts,
    zone: tzinfo,
) -> CaseRow:
    """Return a case for a list; ``definition`` is the title of its scorecard, ``seller`` a name."""
    case = stored.case
    held_at = None
    if recording is not None:
        held_at = recording.metadata.started_at or recording.received_at
    return CaseRow(
        id=stored.id,
        title=call_title(recording) if recording else stored.recording_id,
        when=local_time(held_at, zone),
        seller=seller,
        definition=definition,
        state=case.state.value,
        state_text=text(f"case.{case.state.value}"),
        tone=TONES[case.state],
        origin=text(f"origin.{case.origin.value}"),
        assignee=case.assignee or "",
        opened=local_time(case.opened_at, zone),
        doubts=sum(item.automatic.for_review for item in case.items),
        score=score_view(score),
    )


def own_score(
    recording: Recording,
    score: FinalScore,
    stored: StoredCase | None,
    definition: str,
    text: Texts,
    zone: tzinfo,
    moment: datetime,
) -> OwnScore:
    """Return a seller's call for their list; ``definition`` is the title of its scorecard."""
    state = stored.case.state if stored else None
    return OwnScore(
        title=call_title(recording),
        when=local_time(recording.metadata.started_at or recording.received_at, zone),
        definition=definition,
        score=score_view(score),
        state_text=text(f"case.{state.value}") if state else text("appeals.not_reviewed"),
        tone=TONES[state] if state else "",
        url=f"/review/{stored.id}" if stored else f"/appeals/{recording.id}",
        appeal_until=appeal_left(stored.case, moment, zone) if stored else "",
    )


def plain_case(scorecard: Scorecard, seller: str | None, moment: datetime) -> Case:
    """Return the case that opening a review of a score would begin with; nothing is stored."""
    items = tuple(CaseItem(automatic_of(item)) for item in scorecard.items)
    return Case(scorecard.definition, seller, Origin.SELLER, moment, items)


def review_items(
    case: Case,
    scored: Mapping[str, ScorecardItem],
    finals: Mapping[str, FinalItem],
    said: Mapping[str, Said] | None,
    text: Texts,
    zone: tzinfo,
) -> tuple[ReviewItem, ...]:
    """Return the items of a case in order.

    ``scored`` has the stored automatic items with their evidence, ``finals`` the outcomes that hold;
    ``said`` what was written into the form, None where the form was not sent.
    """
    return tuple(
        _item(case, item, scored.get(item.automatic.id), finals.get(item.automatic.id), said, text, zone)
        for item in case.items
    )


def _item(
    case: Case,
    item: CaseItem,
    scored: ScorecardItem | None,
    final: FinalItem | None,
    said: Mapping[str, Said] | None,
    text: Texts,
    zone: tzinfo,
) -> ReviewItem:
    automatic = item.automatic
    before = outcome_before(case, item)
    kept = item.settled if case.state is CaseState.APPEALED else item.reviewed
    now = Said(kept.outcome.value, kept.reason) if kept and _judging(case) else Said()
    if said is not None:
        now = said.get(automatic.id, Said())
    return ReviewItem(
        id=automatic.id,
        title=item_title(automatic.id, automatic.title, scored, text),
        mark=MARKS[before],
        before=before.value,
        before_text=verdict(before, text),
        percent=round(100 * automatic.confidence),
        points=_points(item, final, before),
        auto_fail=automatic.auto_fail,
        for_review=automatic.for_review,
        appealed=case.appeal is not None and automatic.id in case.appeal.items,
        reason=_reason(scored, text),
        clips=clips_of(scored),
        window=window_of(scored),
        turns=tuple(dict.fromkeys(evidence.turn for evidence in scored.evidence)) if scored else (),
        stages=_stages(item, final, text, zone),
        choices=_choices(now.outcome, before, text),
        said=now,
        wrong=bool(said is not None and needs_reason(now, before)),
    )


def _points(item: CaseItem, final: FinalItem | None, held: Outcome) -> str:
    """Return the points of the outcome that is ``held``, of those that could be earned.

    Points that are only added or taken stand alone; an item that does not apply has none.
    """
    if held is Outcome.NOT_APPLICABLE:
        return ""
    automatic = item.automatic
    changed = final is not None and final.final is held and held is not automatic.outcome
    points = final.final_points if final is not None and changed else automatic.points
    possible = automatic.possible
    if possible:
        return f"{number(points)}/{number(possible)}"
    return number(points) if points else ""


def item_title(identifier: str, title: str, scored: ScorecardItem | None, text: Texts) -> str:
    """Return an item's title in the page's language."""
    if text.language == "en" and scored is not None and scored.title_en:
        return scored.title_en
    return text.words.get(f"item.{identifier}", title) if title == identifier else title


def outcome_before(case: Case, item: CaseItem) -> Outcome:
    """Return the outcome that a judgement now would confirm or change; what holds where none is made."""
    if case.state is CaseState.TO_REVIEW:
        return item.automatic.outcome
    if case.state is CaseState.APPEALED:
        return item.reviewed.outcome if item.reviewed else item.automatic.outcome
    return item.final


def needs_reason(said: Said, before: Outcome) -> bool:
    """Tell whether a reason is missing: an outcome is changed without one."""
    return bool(said.outcome) and said.outcome != before.value and not said.reason.strip()


def clips_of(item: ScorecardItem | None) -> tuple[tuple[Clip, str], ...]:
    """Return the quotes under an item that can be heard."""
    if item is None:
        return ()
    found = ((clip_of(evidence), evidence.quote) for evidence in item.evidence)
    return tuple((clip, quote) for clip, quote in found if clip is not None)


def window_of(item: ScorecardItem | None) -> Clip | None:
    """Return the window that was searched, where nothing was found to quote."""
    if item is None or item.window is None or item.evidence:
        return None
    start_ms, end_ms = item.window.start_ms, item.window.end_ms
    if start_ms is None or end_ms is None:
        return None
    return Clip(start_ms, max(end_ms, start_ms + 1), f"{clock(start_ms)}–{clock(end_ms)}")


def _judging(case: Case) -> bool:
    return case.state in (CaseState.TO_REVIEW, CaseState.APPEALED)


def _reason(item: ScorecardItem | None, text: Texts) -> str:
    if item is None:
        return ""
    if item.reason_code:
        return reason_text(item.reason_code, item.reason_detail, text.language)
    return item.reason


def _choices(chosen: str, before: Outcome, text: Texts) -> tuple[Choice, ...]:
    return tuple(
        Choice(outcome.value, verdict(outcome, text), str(key), chosen == outcome.value, outcome is before)
        for key, outcome in enumerate(Outcome, start=1)
    )


def _stages(item: CaseItem, final: FinalItem | None, text: Texts, zone: tzinfo) -> tuple[Stage, ...]:
    stages = [_stage("review.stage.automatic", item.automatic.outcome, text)]
    if final is not None and final.corrected is not None:
        stages.append(_stage("review.stage.corrected", final.corrected, text))
    for name, judged in (("review.stage.reviewed", item.reviewed), ("review.stage.settled", item.settled)):
        if judged is not None:
            stages.append(_judged_stage(name, judged, text, zone))
    return tuple(stages)


def _stage(name: str, outcome: Outcome, text: Texts) -> Stage:
    return Stage(text(name), outcome.value, verdict(outcome, text))


def _judged_stage(name: str, judged: Judged, text: Texts, zone: tzinfo) -> Stage:
    return Stage(
        text(name),
        judged.outcome.value,
        verdict(judged.outcome, text),
        judged.by.name,
        local_time(judged.at, zone),
        judged.reason,
    )


def appeal_left(case: Case, moment: datetime, zone: tzinfo) -> str:
    """Return until when the seller may appeal; empty where that is over or not yet begun."""
    return local_time(case.appeal_until, zone) if case.may_appeal(moment) else ""
