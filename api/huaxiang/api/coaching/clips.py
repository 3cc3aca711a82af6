"""Finds the words to hear for what a seller practises: own ones, and a better example of somebody else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from huaxiang.asr.tables import TurnRow
from huaxiang.core.types import Evidence, FindingKind, Role
from huaxiang.ingest.tables import HELD_AT, RecordingRow
from huaxiang.nlp.tables import FindingRow, ScorecardItemRow, ScorecardRow
from huaxiang.profile.coaching.calls import Call, Clip
from huaxiang.profile.coaching.library import Entry
from huaxiang.profile.coaching.suggestions import Suggestion

AT_MOST = 3
OBJECTION_ITEM = "item.objection_handled"


@dataclass(frozen=True, slots=True)
class Example:
    """A better example: an entry of the library, or a colleague's best-scored conversation."""

    clip: Clip
    entry_id: str | None = None
    title: str = ""


def own_clips(session: Session, suggestion: Suggestion, own: Sequence[Call]) -> tuple[Clip, ...]:
    """Return up to three of a seller's own conversations where it was missed, the latest first.

    The quotes are the evidence of the miss, else the turns that were searched in vain or that show the
    number: the longest of the seller, or for questions the first ones.
    """
    kind, name = suggestion.topic.split(".", 1)
    missed = _missed(kind, name, suggestion.more, own)
    evidence = _item_evidence(session, name, missed) if kind == "item" else {}
    if kind == "act" and not suggestion.more:
        evidence = _act_evidence(session, name, missed)
    without = [call.recording_id for call in missed if not evidence.get(call.recording_id)]
    shown = _turns(session, without, longest=kind == "metric" and name != "questions")
    return tuple(
        _clip(call, "own", evidence.get(call.recording_id) or shown.get(call.recording_id, ()))
        for call in missed
    )


def better_example(
    session: Session,
    suggestion: Suggestion,
    colleagues: Sequence[Call],
    entries: Iterable[Entry],
    seller: str,
    consenting: frozenset[str],
) -> Example | None:
    """Return an example to learn from: from the library, else of the best colleague who consented.

    ``colleagues`` are the conversations to choose from, those of the own team before the others.
    """
    topic = suggestion.topic
    for entry in entries:
        passage = entry.passage
        fits = passage.topic == topic or (topic == OBJECTION_ITEM and passage.topic.startswith("objection."))
        if fits and passage.seller != seller:
            held_at = session.scalar(select(HELD_AT).where(RecordingRow.id == passage.recording_id))
            if held_at is not None:
                quotes = tuple(("example", evidence) for evidence in passage.evidence)
                clip = Clip(passage.recording_id, passage.seller, held_at, quotes)
                return Example(clip, entry.id, entry.title)
    kind, name = topic.split(".", 1)
    done = [
        c
        for c in colleagues
        if c.seller in consenting and c.seller != seller and _does(kind, name, c, suggestion)
    ]
    done.sort(key=lambda call: -(call.score or 0.0))
    for call in done[:AT_MOST]:
        evidence = _evidence_of(session, kind, name, call)
        if evidence:
            return Example(_clip(call, "example", evidence))
    return None


def _missed(kind: str, name: str, more: bool, own: Sequence[Call]) -> list[Call]:
    latest = sorted(own, key=lambda call: call.held_at, reverse=True)
    if kind == "item":
        found = [c for c in latest if name in c.items and c.items[name].passed is False]
    elif kind == "act":
        found = [c for c in latest if (name in c.acts) != more]
    else:
        measured = [c for c in latest if name in c.numbers]
        found = sorted(measured, key=lambda call: call.numbers[name], reverse=not more)
    return found[:AT_MOST]


def _does(kind: str, name: str, call: Call, suggestion: Suggestion) -> bool:
    if kind == "item":
        return name in call.items and call.items[name].passed is True
    if kind == "act":
        return (name in call.acts) == suggestion.more
    value, usual = call.numbers.get(name), suggestion.others.value
    return value is not None and (value >= usual if suggestion.more else value <= usual)


def _evidence_of(session: Session, kind: str, name: str, call: Call) -> Sequence[Evidence]:
    if kind == "item":
        return _item_evidence(session, name, [call]).get(call.recording_id, ())
    if kind == "act":
        return _act_evidence(session, name, [call]).get(call.recording_id, ())
    label = "need_discovery" if name == "questions" else ""
    found = _act_evidence(session, label, [call]) if label else {}
    shown = found or _turns(session, [call.recording_id], longest=True)
    return shown.get(call.recording_id, ())


def _clip(call: Call, name: str, evidence: Sequence[Evidence]) -> Clip:
    quotes = tuple((name, spot) for spot in evidence[:AT_MOST])
    return Clip(call.recording_id, call.seller, call.held_at, quotes, call.score)


def _item_evidence(session: Session, item: str, calls: Sequence[Call]) -> dict[str, list[Evidence]]:
    rows = session.execute(
        select(ScorecardItemRow.recording_id, ScorecardItemRow.evidence)
        .join(
            ScorecardRow,
            (ScorecardRow.recording_id == ScorecardItemRow.recording_id)
            & (ScorecardRow.definition == ScorecardItemRow.definition),
        )
        .where(
            ScorecardItemRow.item_id == item,
            ScorecardItemRow.recording_id.in_([call.recording_id for call in calls]),
        )
        .order_by(ScorecardRow.is_current, ScorecardRow.position.desc(), ScorecardRow.created_at)
    )
    return {recording_id: [Evidence(**spot) for spot in stored] for recording_id, stored in rows}


def _act_evidence(session: Session, label: str, calls: Sequence[Call]) -> dict[str, list[Evidence]]:
    rows = session.execute(
        select(FindingRow.recording_id, FindingRow.evidence)
        .where(
            FindingRow.kind == FindingKind.ACT,
            FindingRow.label == label,
            FindingRow.for_review.is_(False),
            FindingRow.recording_id.in_([call.recording_id for call in calls]),
        )
        .order_by(FindingRow.turn_index, FindingRow.id)
    )
    found: dict[str, list[Evidence]] = {}
    for recording_id, stored in rows:
        found.setdefault(recording_id, []).extend(Evidence(**spot) for spot in stored)
    return found


def _turns(
    session: Session, recording_ids: Sequence[str], *, longest: bool
) -> Mapping[str, Sequence[Evidence]]:
    """Return one turn of the seller in each recording: the longest, or the first."""
    rows = session.execute(
        select(TurnRow.recording_id, TurnRow.turn_index, TurnRow.start_ms, TurnRow.end_ms, TurnRow.text)
        .where(TurnRow.recording_id.in_(recording_ids), TurnRow.role == Role.AGENT)
        .order_by(TurnRow.recording_id, TurnRow.turn_index)
    )
    chosen: dict[str, Evidence] = {}
    for recording_id, turn, start_ms, end_ms, text in rows:
        known = chosen.get(recording_id)
        longer = known is None or (
            longest and end_ms - start_ms > (known.end_ms or 0) - (known.start_ms or 0)
        )
        if longer and text:
            chosen[recording_id] = Evidence(recording_id, turn, 0, len(text), start_ms, end_ms, text)
    return {recording_id: [spot] for recording_id, spot in chosen.items()}
