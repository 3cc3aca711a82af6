"""The JSON of reviews, as ``/v1`` answers it and the commands print it."""

from __future__ import annotations

from collections.abc import Iterable

from huaxiang.api.serialise import JsonObject, time_json
from huaxiang.core.types import Json
from huaxiang.quality.review.agreement import Agreement
from huaxiang.quality.review.calibration import Calibration, CalibrationResult, Leniency, ScoredCall
from huaxiang.quality.review.case import Case, CaseItem, Judged
from huaxiang.quality.review.final_score import FinalScore
from huaxiang.quality.review.outcomes import Act, ActKind, Outcome
from huaxiang.quality.review.plan import Period
from huaxiang.quality.review.plan_store import Drawing, PastDrawing, StoredPlan
from huaxiang.quality.review.review_store import StoredCase


def case_line(stored: StoredCase) -> JsonObject:
    """Return a case as a list shows it."""
    case = stored.case
    return {
        "id": stored.id,
        "recording_id": stored.recording_id,
        "definition": case.definition,
        "seller": case.seller,
        "origin": case.origin.value,
        "state": case.state.value,
        "assignee": case.assignee,
        "version": case.version,
        "opened_at": time_json(case.opened_at),
        "reviewer": case.reviewer.name if case.reviewer else None,
        "reviewed_at": time_json(case.reviewed_at),
        "appeal_until": time_json(case.appeal_until),
        "appealed_at": time_json(case.appeal.at) if case.appeal else None,
        "settler": case.settler.name if case.settler else None,
        "settled_at": time_json(case.settled_at),
    }


def case_json(stored: StoredCase, score: FinalScore) -> JsonObject:
    """Return a case with its items, the score that holds, and its whole history."""
    return {
        **case_line(stored),
        "request": stored.case.request,
        "appeal": _appeal(stored.case),
        "items": [_item(item) for item in stored.case.items],
        "score": final_json(score),
        "history": [_act(act) for act in stored.acts],
    }


def final_json(score: FinalScore) -> JsonObject:
    """Return automatic and final score apart, with the points of every item."""
    return {
        "automatic_score": score.automatic_score,
        "automatic_possible": score.automatic_possible,
        "score": score.score,
        "possible": score.possible,
        "auto_failed": score.auto_failed,
        "grade": score.grade,
        "changed": score.changed,
        "items": [
            {
                "id": item.id,
                "automatic": item.automatic.value,
                "automatic_points": item.automatic_points,
                "corrected": _value(item.corrected),
                "reviewed": _value(item.reviewed),
                "settled": _value(item.settled),
                "final": item.final.value,
                "final_points": item.final_points,
            }
            for item in score.items
        ],
    }


def plan_json(stored: StoredPlan) -> JsonObject:
    """Return the newest version of a sampling plan with its text."""
    return {
        "name": stored.plan.name,
        "title": stored.plan.title,
        "version": stored.version,
        "active": stored.active,
        "period": stored.plan.period.value,
        "reviewers": list(stored.plan.reviewers),
        "scorecard": stored.plan.scorecard,
        "text": stored.text,
        "created_by": stored.created_by,
        "created_at": time_json(stored.created_at),
    }


def drawing_json(drawing: Drawing) -> JsonObject:
    """Return what was drawn of a period, or would be: ``id`` is null for a dry run."""
    return {
        "id": drawing.id,
        "dry_run": drawing.id is None,
        "plan": drawing.plan,
        "version": drawing.version,
        **_period(drawing.period),
        "population": drawing.sample.population,
        "drawn": len(drawing.sample.picks),
        "calls": [
            {
                "recording_id": pick.recording_id,
                "probability": round(pick.probability, 6),
                "parts": list(pick.parts),
                "assignee": drawing.assignees.get(pick.recording_id),
                "under_review": pick.recording_id in drawing.known,
            }
            for pick in drawing.sample.picks
        ],
    }


def past_drawing_json(drawing: PastDrawing) -> JsonObject:
    """Return a drawing that was made, in figures."""
    return {
        "id": drawing.id,
        "plan": drawing.plan,
        "version": drawing.version,
        **_period(drawing.period),
        "population": drawing.population,
        "drawn": drawing.drawn,
        "created_by": drawing.created_by,
        "created_at": time_json(drawing.created_at),
    }


def calibration_line(session: Calibration) -> JsonObject:
    """Return a calibration as a list shows it: how many calls each reviewer scored, and no score."""
    return {
        "id": session.id,
        "title": session.title,
        "definition": session.definition,
        "reviewers": list(session.reviewers),
        "calls": len(session.calls),
        "scored": {name: len(session.scored_by(name)) for name in session.reviewers},
        "created_by": session.created_by,
        "created_at": time_json(session.created_at),
        "closed_at": time_json(session.closed_at),
    }


def calibration_json(session: Calibration, reviewer: str, found: CalibrationResult | None) -> JsonObject:
    """Return a calibration as one person may see it.

    While it is open these are the calls with the person's own scores; when it is closed, ``result``
    and everybody's scores.
    """
    shown = session.scores if session.open_to_all else tuple(session.scored_by(reviewer).values())
    return {
        **calibration_line(session),
        "recordings": [call.recording_id for call in session.calls],
        "scores": [_scored(one) for one in shown],
        "result": None if found is None else result_json(found),
    }


def result_json(found: CalibrationResult) -> JsonObject:
    """Return how far reviewers agree, with intervals and counts."""
    return {
        "overall": agreement_json(found.overall),
        "totals": agreement_json(found.totals),
        "items": {item: agreement_json(value) for item, value in found.items.items()},
        "with_rules": {name: agreement_json(value) for name, value in found.with_rules.items()},
        "leniency": [_leniency(one) for one in found.leniency],
    }


def agreement_json(value: Agreement) -> JsonObject:
    """Return alpha with its interval; null where nothing can be said."""
    return {
        "alpha": _rounded(value.alpha),
        "low": _rounded(value.low),
        "high": _rounded(value.high),
        "units": value.units,
        "values": value.values,
        "unanimous": _rounded(value.unanimous),
    }


def _item(item: CaseItem) -> JsonObject:
    automatic = item.automatic
    return {
        "id": automatic.id,
        "title": automatic.title,
        "automatic": automatic.outcome.value,
        "points": automatic.points,
        "possible": automatic.possible,
        "confidence": round(automatic.confidence, 4),
        "auto_fail": automatic.auto_fail,
        "for_review": automatic.for_review,
        "reviewed": _judged(item.reviewed),
        "settled": _judged(item.settled),
    }


def _judged(judged: Judged | None) -> Json:
    if judged is None:
        return None
    return {
        "outcome": judged.outcome.value,
        "by": judged.by.name,
        "at": time_json(judged.at),
        "reason": judged.reason,
    }


def _appeal(case: Case) -> Json:
    if case.appeal is None:
        return None
    return {
        "by": case.appeal.by.name,
        "at": time_json(case.appeal.at),
        "reason": case.appeal.reason,
        "items": list(case.appeal.items),
    }


def _act(act: Act) -> JsonObject:
    assignee = act.payload.get("assignee") if act.kind is ActKind.ASSIGNED else None
    return {
        "sequence": act.sequence,
        "kind": act.kind.value,
        "by": act.actor.name,
        "at": time_json(act.at),
        "item": act.item,
        "outcome": _value(act.outcome),
        "reason": act.reason,
        "assignee": assignee,
    }


def _scored(one: ScoredCall) -> JsonObject:
    return {
        "recording_id": one.recording_id,
        "reviewer": one.reviewer,
        "at": time_json(one.at),
        "outcomes": {item: outcome.value for item, outcome in one.outcomes.items()},
        "reasons": dict(one.reasons),
    }


def _leniency(one: Leniency) -> JsonObject:
    return {
        "reviewer": one.reviewer,
        "difference": _rounded(one.difference),
        "low": _rounded(one.low),
        "high": _rounded(one.high),
        "calls": one.calls,
        "first_half": _rounded(one.first_half),
        "second_half": _rounded(one.second_half),
    }


def _period(period: Period) -> JsonObject:
    return {"from": time_json(period.start), "before": time_json(period.end)}


def _value(outcome: Outcome | None) -> str | None:
    return None if outcome is None else outcome.value


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def lines(cases: Iterable[StoredCase]) -> list[Json]:
    """Return cases as a list shows them."""
    return [case_line(stored) for stored in cases]
