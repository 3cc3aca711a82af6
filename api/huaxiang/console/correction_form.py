"""Reads the form by which a turn is corrected: what is different in it becomes changes. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from huaxiang.core.types import Finding, FindingKind, Role, Turn
from huaxiang.quality.review.corrections import LABELS, MAX_TEXT, Change, CorrectionKind, Target

MAX_REASON = 1000


@dataclass(frozen=True, slots=True)
class Sent:
    """What a form comes to: the changes, or the fields that are wrong with the key of the reason."""

    changes: tuple[Change, ...]
    wrong: Mapping[str, str]


def read_changes(form: Mapping[str, str], turn: Turn, findings: Sequence[Finding]) -> Sent:
    """Return what a form changes of a turn and its findings; what it leaves alone is no change."""
    wrong: dict[str, str] = {}
    changes: list[Change] = []
    text = form.get("text", turn.text).replace("\r\n", " ").replace("\n", " ").strip()
    if not text:
        wrong["text"] = "correct.wrong.text"
    elif len(text) > MAX_TEXT:
        wrong["text"] = "correct.wrong.long"
    elif text != turn.text:
        changes.append(Change(CorrectionKind.TURN_TEXT, turn=turn.index, text=text))
    role = form.get("role", turn.role.value)
    if role != turn.role.value and role in (Role.AGENT.value, Role.CUSTOMER.value):
        changes.append(Change(CorrectionKind.TURN_ROLE, turn=turn.index, role=Role(role)))
    changes += _of_findings(form, findings)
    if form.get("missed"):
        missed = _missed(form, turn.index, text)
        if isinstance(missed, str):
            wrong["quote"] = missed
        else:
            changes.append(missed)
    if len(form.get("reason", "")) > MAX_REASON:
        wrong["reason"] = "correct.wrong.long"
    return Sent(tuple(changes), wrong)


def _of_findings(form: Mapping[str, str], findings: Sequence[Finding]) -> Iterator[Change]:
    for finding in findings:
        said = form.get(f"finding.{finding.id}", "")
        target = Target(finding.id, finding.kind, finding.label, finding.turn)
        if said == "right":
            yield Change(CorrectionKind.FINDING_RIGHT, finding=target)
        elif said == "wrong":
            yield Change(CorrectionKind.FINDING_WRONG, finding=target)
        elif said.startswith("label:"):
            label = said.removeprefix("label:")
            yield Change(CorrectionKind.FINDING_LABEL, finding=target, label=label)


def _missed(form: Mapping[str, str], turn: int, text: str) -> Change | str:
    """Return the finding that was missed, or the key of what is wrong with its quote."""
    kind_name, _, label = form["missed"].partition(":")
    kind = next((one for one in LABELS if one.value == kind_name), None)
    if kind is None or label not in LABELS[kind]:
        return "correct.wrong.label"
    quote = form.get("quote", "").strip()
    if not quote and kind is FindingKind.ENTITY:
        return "correct.wrong.entity"
    start = text.find(quote) if quote else 0
    if start < 0:
        return "correct.wrong.quote"
    return Change(
        CorrectionKind.FINDING_MISSED,
        turn=turn,
        finding_kind=kind,
        label=label,
        char_start=start,
        char_end=start + (len(quote) or len(text)),
        heard=text,
    )
