"""What the list of recordings shows: its rows with what was found in them, and its choices. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from markupsafe import Markup, escape

from huaxiang.api.search.choices import Item
from huaxiang.api.search.index import Hit
from huaxiang.api.search.listing import Listed
from huaxiang.api.search.terms import Term, places
from huaxiang.console.present import clock, number
from huaxiang.console.recording_view import local_time
from huaxiang.console.texts import Texts
from huaxiang.core.types import RecordingStatus
from huaxiang.nlp.labels import ACTS, INTENTS, OBJECTIONS

SNIPPET_CHARS = 56
BEFORE_CHARS = 14
WORKED_ON = frozenset({RecordingStatus.RECEIVED, RecordingStatus.PROCESSING})
Option = tuple[str, str]


@dataclass(frozen=True, slots=True)
class HitView:
    """A quote that holds what was looked for, with the terms marked, and where to hear it."""

    quote: Markup
    role: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class RowView:
    """One row of the list. ``percent`` is how far a recording that is worked on has come."""

    id: str
    title: str
    setting: str
    when: str
    seller: str
    customer: str
    customer_url: str | None
    duration: str
    score: str
    tone: str
    auto_failed: bool
    review: str
    status: str
    worked_on: bool
    percent: int | None
    hits: tuple[HitView, ...]


def row_view(
    listed: Listed, terms: Sequence[Term], progress: Mapping[str, float], text: Texts, zone: tzinfo
) -> RowView:
    """Return a row; ``progress`` is the share done of recordings that are worked on."""
    recording, metadata = listed.recording, listed.recording.metadata
    share = progress.get(recording.id)
    return RowView(
        id=recording.id,
        title=metadata.title or recording.filename,
        setting=text(f"setting.{metadata.setting.value}") if metadata.setting else "",
        when=local_time(listed.when, zone),
        seller=listed.seller_name or metadata.seller or "",
        customer=metadata.customer_ref or "",
        customer_url=f"/customers/{listed.customer_id}" if listed.customer_id else None,
        duration=clock(listed.duration_ms) if listed.duration_ms else "",
        score=_score(listed),
        tone=_tone(listed),
        auto_failed=listed.auto_failed,
        review=text(f"case.{listed.review.value}") if listed.review else "",
        status=recording.status.value,
        worked_on=recording.status in WORKED_ON,
        percent=None if share is None else round(100 * share),
        hits=tuple(_hit(hit, terms, text) for hit in listed.hits),
    )


def snippet(said: str, terms: Sequence[Term], most: int = SNIPPET_CHARS) -> Markup:
    """Return the part of a turn around the first term, with all terms in it marked."""
    spans = places(said, terms)
    first = spans[0][0] if spans else 0
    start = max(0, first - BEFORE_CHARS) if len(said) > most else 0
    end = min(len(said), start + most)
    cut = Markup("…") if start else Markup("")
    at = start
    for low, high in spans:
        low, high = max(low, start), min(high, end)
        if low >= high:
            continue
        cut += escape(said[at:low]) + Markup("<mark>{}</mark>").format(said[low:high])
        at = high
    return cut + escape(said[at:end]) + (Markup("…") if end < len(said) else Markup(""))


def label_groups(text: Texts) -> list[tuple[str, list[Option]]]:
    """Return what may have been found in a conversation, by kind: the group's name and its choices."""
    kinds = {"objection": OBJECTIONS, "intent": INTENTS, "act": ACTS}
    groups = []
    for kind, labels in kinds.items():
        name = text(f"kind.{kind}")
        options = [(f"{kind}.{label}", text.label(kind, label)) for label in labels]
        groups.append((name, [(f"{kind}.any", text("filter.label.any", kind=name)), *options]))
    return groups


def item_title(item: Item, text: Texts) -> str:
    """Return an item's name in the language of the page."""
    own = (item.title_en if text.language == "en" else "") or item.title
    return text.words.get(f"item.{item.id}", own)


def with_present(options: Sequence[Option], value: str) -> list[Option]:
    """Return choices with the one in force among them, though nothing stored has it any more."""
    known = {option for option, _ in options}
    return [*options, *([(value, value)] if value and value not in known else [])]


def _hit(hit: Hit, terms: Sequence[Term], text: Texts) -> HitView:
    return HitView(
        quote=snippet(hit.text, terms),
        role=text(f"role.{hit.role.value}"),
        start_ms=hit.start_ms,
        end_ms=hit.end_ms,
    )


def _score(listed: Listed) -> str:
    if listed.score is None or listed.possible is None:
        return ""
    return f"{number(listed.score)}/{number(listed.possible)}"


def _tone(listed: Listed) -> str:
    """Return how the score is coloured: a veto or less than 60 % is bad, less than 80 % so so."""
    if not _score(listed) or listed.score is None or not listed.possible:
        return ""
    if listed.auto_failed:
        return "bad"
    share = listed.score / listed.possible
    return "bad" if share < 0.6 else "warn" if share < 0.8 else ""
