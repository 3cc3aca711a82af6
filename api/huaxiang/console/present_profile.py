"""Turns the profile document into what its page shows: each claim with where it comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from huaxiang.console.present import clock, number
from huaxiang.console.texts import Texts

Entry = Mapping[str, Any]
"""An object of the profile document, whose form ``huaxiang.profile.view`` describes."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A quote with the address of its second of audio."""

    url: str
    label: str
    quote: str


@dataclass(frozen=True, slots=True)
class Claim:
    """One statement about the customer; ``origin`` is source and day."""

    name: str
    value: str
    origin: str
    percent: int
    heard: tuple[Heard, ...]
    note: str = ""
    others: tuple[Claim, ...] = ()


@dataclass(frozen=True, slots=True)
class ConversationLine:
    """One past conversation."""

    url: str
    title: str
    when: str
    seller: str
    duration: str
    score: str


@dataclass(frozen=True, slots=True)
class ProfilePage:
    """Everything that ``customer.html`` shows."""

    title: str
    stage: str
    since: str
    as_of: str
    reasons: tuple[Claim, ...]
    identities: tuple[tuple[str, str], ...]
    conflicts: int
    next_step: Claim | None
    overdue: bool
    objections: tuple[Claim, ...]
    groups: tuple[tuple[str, tuple[Claim, ...]], ...]
    tags: tuple[Claim, ...]
    conversations: tuple[ConversationLine, ...]
    conversation_count: int


def profile_page(document: Entry, text: Texts, zone: tzinfo, groups: Mapping[str, str]) -> ProfilePage:
    """Return the page of a profile document; ``groups`` are the titles of field groups in order."""
    fields = document["fields"]
    named = {field["name"]: field["value"] for field in fields}
    lifecycle = document["lifecycle"]
    step = document["next_step"]
    identities = [(identity["kind"], str(identity["value"])) for identity in document["identities"]]
    title = named.get("name") or named.get("addressed_as") or document["external_id"]
    return ProfilePage(
        title=str(title or text("customer.unnamed")),
        stage=text.label("lifecycle", lifecycle["stage"]),
        since=_day(lifecycle["since"], zone),
        as_of=document["as_of"],
        reasons=tuple(_reason(reason, text, zone) for reason in lifecycle["reasons"]),
        identities=tuple((text.label("identity", kind), value) for kind, value in identities),
        conflicts=len(document["conflicts"]),
        next_step=_step(step, text, zone) if step else None,
        overdue=bool(step and step["overdue"]),
        objections=tuple(_tag(tag, text, zone) for tag in document["open_objections"]),
        groups=tuple(_grouped(fields, text, zone, groups)),
        tags=tuple(_tag(tag, text, zone) for tag in document["tags"]),
        conversations=tuple(_conversation(line, zone) for line in document["conversations"]),
        conversation_count=document["conversation_count"],
    )


def customer_line(item: Entry, text: Texts, zone: tzinfo) -> Mapping[str, Any]:
    """Return one row of the list of customers."""
    return {
        "url": f"/customers/{item['id']}",
        "name": item["name"] or item["external_id"] or (item["phones"] or [text("customer.unnamed")])[0],
        "reference": item["external_id"] or "",
        "stage": text.label("lifecycle", item["lifecycle"]),
        "conversations": item["conversation_count"],
        "objections": item["open_objection_count"],
        "last": _day(item["last_conversation_at"], zone),
        "updated": _day(item["updated_at"], zone),
    }


def plain_value(value: Any, text: Texts, name: str = "") -> str:
    """Return a field's or tag's value for people."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return text("yes" if value else "no")
    if isinstance(value, int | float):
        return f"¥{number(value)}" if "yuan" in name or name == "budget" else number(value)
    if isinstance(value, str):
        return text.label("step", value) if name == "next_step" else text.label("state", value)
    if isinstance(value, Mapping):
        kind, said = str(value.get("kind", "")), str(value.get("text", ""))
        return " · ".join(part for part in (text.label("step", kind), said) if part) or "–"
    return text("list.comma").join(plain_value(part, text, name) for part in value)


def heard(evidence: Sequence[Entry]) -> tuple[Heard, ...]:
    """Return quotes with the addresses by which they are heard; typed conversations have no second."""
    found = []
    for item in evidence:
        start_ms = item["start_ms"]
        place = f"/recordings/{item['recording_id']}"
        if start_ms is None:
            found.append(Heard(f"{place}#turn-{item['turn']}", "", item["quote"]))
        else:
            found.append(Heard(f"{place}#t={start_ms / 1000:g}", clock(start_ms), item["quote"]))
    return tuple(found)


def _grouped(
    fields: Sequence[Entry], text: Texts, zone: tzinfo, groups: Mapping[str, str]
) -> list[tuple[str, tuple[Claim, ...]]]:
    by_group: dict[str, list[Claim]] = {}
    for field in fields:
        if field["name"] != "next_step":  # it has a place of its own
            by_group.setdefault(field["group"], []).append(_field(field, text, zone))
    order = [*groups, *(group for group in by_group if group not in groups)]
    return [(groups.get(group, group), tuple(by_group[group])) for group in order if group in by_group]


def _field(field: Entry, text: Texts, zone: tzinfo) -> Claim:
    title = field["title"] if text.language == "zh" else field["title_en"]
    others = [
        _claim("", plain_value(other["value"], text, field["name"]), other, text, zone)
        for other in (*field["members"], *field["others"])
    ]
    return _claim(
        title or field["name"],
        plain_value(field["value"], text, field["name"]),
        field,
        text,
        zone,
        note=text("customer.contradicted") if field["contradicted"] else "",
        others=tuple(others),
    )


def _tag(tag: Entry, text: Texts, zone: tzinfo) -> Claim:
    title = tag["title"] if text.language == "zh" else tag["title_en"]
    value = "" if tag["value"] is True else plain_value(tag["value"], text, tag["key"])
    note = text("customer.mentions", count=tag["recordings"]) if tag["recordings"] > 1 else ""
    origin = text("source.at", source=text("source.conversation"), date=_day(tag["observed_at"], zone))
    percent = round(100 * tag["confidence"])
    return Claim(title or tag["key"], value, origin, percent, heard(tag["evidence"]), note)


def _reason(reason: Entry, text: Texts, zone: tzinfo) -> Claim:
    """Return a fact that the stage rests on; its message is Chinese, its code has English words."""
    words = text.words.get(f"reason.{reason['code']}") if text.language != "zh" else None
    return _claim("", words or reason["message"], reason, text, zone)


def _step(step: Entry, text: Texts, zone: tzinfo) -> Claim:
    due = step.get("due_at")
    note = text("customer.due", date=str(due)[:16].replace("T", " ")) if due else ""
    return _claim(
        text.label("step", str(step.get("kind", ""))), str(step.get("text", "")), step, text, zone, note=note
    )


def _claim(
    name: str,
    value: str,
    entry: Entry,
    text: Texts,
    zone: tzinfo,
    *,
    note: str = "",
    others: tuple[Claim, ...] = (),
) -> Claim:
    origin = text(
        "source.at", source=text.label("source", entry["source"]), date=_day(entry["observed_at"], zone)
    )
    return Claim(
        name, value, origin, round(100 * entry["confidence"]), heard(entry["evidence"]), note, others
    )


def _conversation(line: Entry, zone: tzinfo) -> ConversationLine:
    score = line["score"]
    return ConversationLine(
        url=f"/recordings/{line['recording_id']}",
        title=line["summary"].get("title") or line["recording_id"][:8],
        when=_day(line["held_at"], zone, "%Y-%m-%d %H:%M"),
        seller=line["seller"] or "",
        duration=clock(line["duration_ms"]),
        score="" if score is None else f"{number(score)}/{number(line['possible'])}",
    )


def _day(moment: str | None, zone: tzinfo, form: str = "%Y-%m-%d") -> str:
    return datetime.fromisoformat(moment).astimezone(zone).strftime(form) if moment else ""
