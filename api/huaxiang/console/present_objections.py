"""Turns the objection map, its cells and the library into what their pages show. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from huaxiang.console.charts import Cell as HeatCell
from huaxiang.console.charts import Chart, heat_map
from huaxiang.console.present import signed
from huaxiang.console.present_coaching import estimate_text, topic_name, value_text
from huaxiang.console.present_seller import ClipSource, ClipView, Reader, clip_view
from huaxiang.console.texts import Texts
from huaxiang.profile.coaching.calls import Clip
from huaxiang.profile.coaching.library import CONSENT_WITHDRAWN, Candidate, Entry
from huaxiang.profile.coaching.objections import (
    FORBIDDEN_ANSWER,
    NO_ANSWER,
    Cell,
    Course,
    Measure,
    ObjectionMap,
    lower_bound,
)
from huaxiang.profile.coaching.statistics import Estimate

MEASURES: Mapping[Measure, str] = {
    Measure.NEXT_STEP: "objections.by.next_step",
    Measure.SETTLED: "objections.by.settled",
    Measure.WON: "objections.by.won",
}
_OUTCOMES: Mapping[str, tuple[str, str]] = {
    "won": ("outcome.won", "good"),
    "lost": ("outcome.lost", "bad"),
    "open": ("outcome.open", ""),
    "unknown": ("outcome.unknown", ""),
}
_SHARE = "item.share"


@dataclass(frozen=True, slots=True)
class CellView:
    """One kind of answer to an objection: what it reached, with n and interval.

    ``percent`` is for the bar: the lower bound by which the answers are ranked.
    """

    rank: int
    answer: str
    url: str
    n: int
    rate: str
    percent: int
    settled: str
    next_step: str
    won: str
    mood: str
    tone: str


@dataclass(frozen=True, slots=True)
class ObjectionView:
    """An objection with the answers to it, best first."""

    id: str
    name: str
    n: int
    cells: tuple[CellView, ...]


@dataclass(frozen=True, slots=True)
class MapView:
    """All of the map."""

    n: int
    recordings: int
    chart: Chart | None
    objections: tuple[ObjectionView, ...]


@dataclass(frozen=True, slots=True)
class TileView:
    """One figure of a cell with its n and interval."""

    label: str
    value: str
    n: int
    low: str | None
    high: str | None


@dataclass(frozen=True, slots=True)
class CourseView:
    """One objection as it went; ``marks`` are what became of it with their tones."""

    turn: int
    objection: str
    clip: ClipView
    marks: tuple[tuple[str, str], ...]
    mood: str


@dataclass(frozen=True, slots=True)
class CandidateView:
    """A course that may be adopted, with the cell it comes from."""

    key: str
    course: CourseView
    answer: str
    rate: str
    consents: bool


@dataclass(frozen=True, slots=True)
class EntryView:
    """An entry of the library."""

    id: str
    title: str
    topic: str
    topic_url: str
    answer: str
    tags: tuple[tuple[str, str], ...]
    tag_text: str
    clip: ClipView
    adopted: str
    adopted_by: str
    history: tuple[tuple[str, str, str, str], ...]


def map_view(found: ObjectionMap, filters: Mapping[str, str], text: Texts) -> MapView:
    """Return the map; ``filters`` go with the addresses of its cells."""
    views = tuple(
        ObjectionView(
            id=name,
            name=text.label("objection", name),
            n=sum(cell.n for cell in found.cells if cell.objection == name),
            cells=tuple(
                cell_view(cell, found.measure, filters, text)
                for cell in found.cells
                if cell.objection == name
            ),
        )
        for name in found.objections
    )
    return MapView(found.n, found.recordings, _heat_map(found, filters, text), views)


def cell_url(objection: str, answer: str, filters: Mapping[str, str]) -> str:
    """Return the address of a cell: what it counts, with the words to hear."""
    query = urlencode({name: value for name, value in filters.items() if value})
    path = f"/objections/{quote(objection, safe='')}/{quote(answer, safe='')}"
    return f"{path}?{query}" if query else path


def answer_name(answer: str, text: Texts) -> str:
    """Return a kind of answer in words: its parts in order."""
    if answer == FORBIDDEN_ANSWER:
        return text("objections.answer.forbidden")
    if answer == NO_ANSWER:
        return text("objections.answer.none")
    return " + ".join(text.label("act", part) for part in answer.split("+"))


def course_view(course: Course, reader: Reader, source: ClipSource) -> CourseView:
    """Return an objection as it went, to be heard."""
    text = reader.text
    marks = [(text("objections.settled"), "good")] if course.settled else [(text("objections.unsettled"), "")]
    if course.next_step:
        marks.append((text("objections.next_step"), "good"))
    outcome, tone = _OUTCOMES[course.outcome.value]
    marks.append((text(outcome), tone))
    clip = Clip(course.recording_id, course.seller, course.held_at, course.quotes, course.score)
    return CourseView(
        turn=course.turn,
        objection=course.objection,
        clip=clip_view(clip, reader, source),
        marks=tuple(marks),
        mood="" if course.mood_change is None else signed(course.mood_change, places=0),
    )


def candidate_view(candidate: Candidate, reader: Reader, source: ClipSource) -> CandidateView:
    """Return a course that the map suggests."""
    course, text = candidate.course, reader.text
    name = text.label("objection", course.objection)
    return CandidateView(
        key=f"{course.recording_id}-{course.turn}-{course.objection}",
        course=course_view(course, reader, source),
        answer=f"{name} → {answer_name(course.answer, text)}",
        rate=estimate_text(_SHARE, candidate.cell.next_step),
        consents=candidate.consents,
    )


def entry_view(entry: Entry, held_at: Clip, reader: Reader, source: ClipSource) -> EntryView:
    """Return an entry of the library; ``held_at`` is its clip."""
    text, passage = reader.text, entry.passage
    did = {
        "adopted": "library.did.adopted",
        "edited": "library.did.edited",
        "withdrawn": "library.did.withdrawn",
    }
    return EntryView(
        id=entry.id,
        title=entry.title,
        topic=topic_name(passage.topic, text),
        topic_url=f"/library?{urlencode({'topic': passage.topic})}",
        answer=answer_name(passage.answer, text) if passage.answer else "",
        tags=tuple((tag, f"/library?{urlencode({'tag': tag})}") for tag in entry.tags),
        tag_text="、".join(entry.tags),
        clip=clip_view(held_at, reader, source),
        adopted=entry.adopted_at.astimezone(reader.zone).strftime("%Y-%m-%d"),
        adopted_by=entry.adopted_by,
        history=tuple(
            (
                event.happened_at.astimezone(reader.zone).strftime("%Y-%m-%d"),
                text(did[event.kind]),
                event.done_by,
                text("library.consent_withdrawn") if event.reason == CONSENT_WITHDRAWN else event.reason,
            )
            for event in entry.history
        ),
    )


def topics_of(entries: Sequence[Entry], text: Texts) -> list[tuple[str, str, int]]:
    """Return the topics that occur in the library, with their names and counts, most frequent first."""
    counts: dict[str, int] = {}
    for entry in entries:
        counts[entry.passage.topic] = counts.get(entry.passage.topic, 0) + 1
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return [(topic, topic_name(topic, text), count) for topic, count in ranked]


def cell_view(cell: Cell, measure: Measure, filters: Mapping[str, str], text: Texts) -> CellView:
    """Return one kind of answer to an objection."""
    rate = cell.by(measure)
    return CellView(
        rank=cell.rank,
        answer=answer_name(cell.answer, text),
        url=cell_url(cell.objection, cell.answer, filters),
        n=cell.n,
        rate=_rate(rate, text),
        percent=round(100 * lower_bound(rate)),
        settled=_rate(cell.settled, text),
        next_step=_rate(cell.next_step, text),
        won=_rate(cell.won, text),
        mood="" if cell.mood_change is None else _mood(cell.mood_change),
        tone="bad" if cell.answer == FORBIDDEN_ANSWER else "",
    )


def cell_tiles(cell: Cell, text: Texts) -> tuple[TileView, ...]:
    """Return what a cell reached, as tiles."""
    rates = (
        ("objections.next_step_rate", cell.next_step),
        ("objections.settled_rate", cell.settled),
        ("objections.won_rate", cell.won),
    )
    found = [_tile(text(name), _SHARE, rate) for name, rate in rates]
    mood = cell.mood_change
    if mood is not None:
        found.append(_tile(text("objections.mood"), "mood", mood))
    return tuple(found)


def _tile(label: str, key: str, estimate: Estimate | None) -> TileView:
    if estimate is None:
        return TileView(label, "–", 0, None, None)
    low, high = estimate.low, estimate.high
    return TileView(
        label,
        value_text(key, estimate.value),
        estimate.n,
        None if low is None else value_text(key, low),
        None if high is None else value_text(key, high),
    )


def _rate(rate: Estimate | None, text: Texts) -> str:
    return text("objections.no_rate") if rate is None else estimate_text(_SHARE, rate)


def _mood(change: Estimate) -> str:
    spread = (
        "" if change.low is None or change.high is None else f" ({signed(change.low)}–{signed(change.high)})"
    )
    return f"{signed(change.value)}{spread}"


def _heat_map(found: ObjectionMap, filters: Mapping[str, str], text: Texts) -> Chart | None:
    """Return the rate of each cell where objection and answer meet; a cell opens its clips."""
    objections, answers = found.objections, found.answers
    cells = [
        HeatCell(
            objections.index(cell.objection),
            answers.index(cell.answer),
            rate.value,
            cell_url(cell.objection, cell.answer, filters),
        )
        for cell in found.cells
        if (rate := cell.by(found.measure)) is not None
    ]
    if not cells:
        return None
    return heat_map(
        "map",
        text(MEASURES[found.measure]),
        [text.label("objection", name) for name in objections],
        [answer_name(answer, text) for answer in answers],
        cells,
        axis=text("objections.answer"),
        format="percent",
        note=text("objections.map.note"),
        size="large",
    )
