"""Turns a seller's and a team's figures, advice and practices into what their pages show. Pure functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, tzinfo

from huaxiang.api.coaching.views import Advice, FollowUp, SellerLine, SellerView, TeamLine, TeamView
from huaxiang.console.charts import Chart, Series, bar_chart
from huaxiang.console.present import number
from huaxiang.console.present_coaching import (
    FigureView,
    against_chart,
    bounded,
    change_text,
    day_text,
    estimate_text,
    figure_view,
    seller_url,
    team_url,
    topic_name,
    trend_chart,
    value_text,
)
from huaxiang.console.texts import Texts
from huaxiang.core.types import Evidence
from huaxiang.profile.coaching.calls import Clip
from huaxiang.profile.coaching.figures import SCORE
from huaxiang.profile.coaching.practices import Practice, PracticeEvent, Step
from huaxiang.profile.coaching.sellers import Seller

MAIN_FIGURES = 6
ClipSource = Callable[[Clip, Evidence], str]
"""Gives the address of words that the reader hears by their speaker's consent alone, else nothing."""


@dataclass(frozen=True, slots=True)
class QuoteView:
    """Words to hear; ``source`` is the address of their audio where it is not the recording's own."""

    part: str
    quote: str
    start_ms: int | None
    end_ms: int | None
    source: str


@dataclass(frozen=True, slots=True)
class ClipView:
    """A conversation to hear: which, when, whose, its score, and the quotes. ``url`` may be empty."""

    recording: str
    url: str
    when: str
    seller: str
    score: str
    quotes: tuple[QuoteView, ...]


@dataclass(frozen=True, slots=True)
class AdviceView:
    """One thing to practise: why, own conversations, and a better example with its title."""

    topic: str
    name: str
    aim: str
    why: tuple[str, ...]
    clips: tuple[ClipView, ...]
    example: ClipView | None
    example_title: str


@dataclass(frozen=True, slots=True)
class PracticeView:
    """A practice with how it stands; the three flags say what may be done with it now."""

    id: str
    name: str
    state: str
    tone: str
    closed: bool
    due: bool
    follow_up_on: str
    opened: str
    baseline: str
    since: str
    change: str
    verdict: str
    verdict_tone: str
    history: tuple[tuple[str, str, str, str], ...]
    can_acknowledge: bool
    can_follow_up: bool
    can_close: bool


@dataclass(frozen=True, slots=True)
class SellerPage:
    """All of a seller's page."""

    seller: Seller
    title: str
    period: str
    conversations: int
    main: tuple[FigureView, ...]
    figures: tuple[FigureView, ...]
    score_chart: Chart
    charts: tuple[Chart, ...]
    against: Chart | None
    advice: tuple[AdviceView, ...]
    calls_needed: int
    practices: tuple[PracticeView, ...]
    past: tuple[PracticeView, ...]


@dataclass(frozen=True, slots=True)
class LineView:
    """A row of the list of sellers or teams."""

    name: str
    url: str
    team: str
    team_url: str
    conversations: int
    sellers: int
    score: FigureView
    note: str


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom a page is made: the words, the days, whether a manager reads it, and sellers' names by key."""

    text: Texts
    zone: tzinfo
    today: date
    manages: bool
    names: Mapping[str, str]


def seller_page(view: SellerView, reader: Reader, source: ClipSource) -> SellerPage:
    """Return a seller's page; ``source`` says where words of others may be heard."""
    text, key = reader.text, view.seller.key
    names = (view.seller.name, view.seller.team or text("coaching.company"))
    charts = [
        trend_chart(f"trend-{index}", topic, points, names, text, key)
        for index, (topic, points) in enumerate(view.trends.items())
    ]
    figures = tuple(figure_view(one, text) for one in view.figures)
    practices = [practice_view(one, reader) for one in view.practices]
    return SellerPage(
        seller=view.seller,
        title=view.seller.name,
        period=period_text(view.period.first, view.period.last),
        conversations=view.conversations,
        main=main_figures(figures),
        figures=figures,
        score_chart=charts[0],
        charts=tuple(charts[1:]),
        against=against_chart("against", view.figures, text),
        advice=tuple(_advice(one, reader, source) for one in view.advice),
        calls_needed=view.calls_needed,
        practices=tuple(one for one in practices if not one.closed),
        past=tuple(one for one in practices if one.closed),
    )


def main_figures(figures: Sequence[FigureView]) -> tuple[FigureView, ...]:
    """Return the few figures for tiles: the score, then those that lie furthest from the others' for sure."""
    rest = [one for one in figures[1:] if one.against_tone or one.change_tone]
    rest.sort(key=lambda one: (one.against_tone != "bad", one.change_tone != "bad"))
    return (*figures[:1], *rest[: MAIN_FIGURES - 1])


def practice_view(found: FollowUp, reader: Reader) -> PracticeView:
    """Return a practice with its baseline, what followed, and what may be done with it now."""
    text, practice = reader.text, found.practice
    topic = practice.topic
    state, tone = _state(practice, text)
    verdict, verdict_tone = _verdict(found, text)
    return PracticeView(
        id=practice.id,
        name=topic_name(topic, text),
        state=state,
        tone=tone,
        closed=practice.closed,
        due=not practice.closed and practice.follow_up_on <= reader.today,
        follow_up_on=practice.follow_up_on.isoformat(),
        opened=day_text(practice.opened_at, reader.zone),
        baseline=estimate_text(topic, practice.baseline.own),
        since=estimate_text(topic, found.since),
        change=change_text(topic, found.change),
        verdict=verdict,
        verdict_tone=verdict_tone,
        history=tuple(_event(event, reader) for event in practice.history),
        can_acknowledge=not practice.closed and practice.acknowledged_at is None and not reader.manages,
        can_follow_up=not practice.closed and reader.manages,
        can_close=not practice.closed,
    )


def clip_view(clip: Clip, reader: Reader, source: ClipSource) -> ClipView:
    """Return a conversation to hear, with its quotes."""
    sources = [source(clip, evidence) for _, evidence in clip.quotes]
    return ClipView(
        recording=clip.recording_id,
        url="" if any(sources) else f"/recordings/{clip.recording_id}",
        when=day_text(clip.held_at, reader.zone),
        seller=reader.names.get(clip.seller or "", clip.seller or ""),
        score="" if clip.score is None else number(round(clip.score)),
        quotes=tuple(
            QuoteView(reader.text.label("part", part), spot.quote, spot.start_ms, spot.end_ms, found)
            for (part, spot), found in zip(clip.quotes, sources, strict=True)
        ),
    )


def seller_line(line: SellerLine, text: Texts, days: int) -> LineView:
    """Return a row of the list of sellers."""
    seller = line.seller
    return LineView(
        name=seller.name,
        url=seller_url(seller.key, days),
        team=seller.team or "",
        team_url=team_url(seller.team, days) if seller.team else "",
        conversations=line.conversations,
        sellers=0,
        score=figure_view(line.score, text),
        note="" if seller.active else text("team.inactive"),
    )


def team_line(line: TeamLine, text: Texts, days: int) -> LineView:
    """Return a row of the list of teams."""
    url = team_url(line.team, days)
    score = figure_view(line.score, text)
    return LineView(line.team, url, line.team, url, line.conversations, line.sellers, score, "")


def scores_chart(
    identifier: str,
    title: str,
    lines: Sequence[LineView],
    scores: Sequence[SellerLine | TeamLine],
    text: Texts,
) -> Chart | None:
    """Return the scores side by side with their intervals; each opens its page. None without a score."""
    shown = [
        (line, bounded(SCORE, one.score.own))
        for line, one in zip(lines, scores, strict=True)
        if one.score.own
    ]
    if not shown:
        return None
    series = Series(
        text("coaching.score"),
        [None if own is None else own.value for _, own in shown],
        [None if own is None else own.low for _, own in shown],
        [None if own is None else own.high for _, own in shown],
        [line.url for line, _ in shown],
    )
    size = "large" if len(shown) > 8 else ""
    names = [line.name for line, _ in shown]
    return bar_chart(
        identifier, title, names, [series], axis=text("team.seller"), format="score", across=True, size=size
    )


@dataclass(frozen=True, slots=True)
class TeamPage:
    """All of a team's page."""

    title: str
    period: str
    conversations: int
    main: tuple[FigureView, ...]
    figures: tuple[FigureView, ...]
    score_chart: Chart
    against: Chart | None
    sellers: tuple[LineView, ...]
    sellers_chart: Chart | None


def team_page(view: TeamView, text: Texts, days: int) -> TeamPage:
    """Return a team's page."""
    figures = tuple(figure_view(one, text) for one in view.figures)
    lines = tuple(seller_line(line, text, days) for line in view.sellers)
    names = (view.team, text("coaching.company"))
    return TeamPage(
        title=view.team,
        period=period_text(view.period.first, view.period.last),
        conversations=view.conversations,
        main=main_figures(figures),
        figures=figures,
        score_chart=trend_chart("trend", "score", view.trend, names, text),
        against=against_chart("against", view.figures, text),
        sellers=lines,
        sellers_chart=scores_chart("sellers-chart", text("team.scores"), lines, view.sellers, text),
    )


def period_text(first: date, last: date) -> str:
    """Return whole days as ``2026-11-01 – 2026-11-28``."""
    return f"{first.isoformat()} – {last.isoformat()}"


def _advice(advice: Advice, reader: Reader, source: ClipSource) -> AdviceView:
    text, found = reader.text, advice.suggestion
    topic = found.topic
    why = [
        text(
            "coaching.why.gap",
            own=estimate_text(topic, found.own),
            others=value_text(topic, found.others.value),
            others_n=found.others.n,
        )
    ]
    if found.points_share > 0:
        why.append(text("coaching.why.points", percent=round(100 * found.points_share)))
    if found.association > 0:
        why.append(text("coaching.why.won", effect=f"{found.association:.2f}"))
    example = advice.example
    return AdviceView(
        topic=topic,
        name=topic_name(topic, text),
        aim=text("coaching.more") if found.more else text("coaching.less"),
        why=tuple(why),
        clips=tuple(clip_view(clip, reader, source) for clip in advice.clips),
        example=None if example is None else clip_view(example.clip, reader, source),
        example_title="" if example is None else example.title,
    )


def _state(practice: Practice, text: Texts) -> tuple[str, str]:
    if practice.closed:
        return text("practice.closed"), ""
    if practice.acknowledged_at is None:
        return text("practice.assigned"), "warn"
    followed = any(event.kind is Step.FOLLOWED_UP for event in practice.history)
    return (text("practice.followed_up"), "accent") if followed else (text("practice.acknowledged"), "accent")


def _verdict(found: FollowUp, text: Texts) -> tuple[str, str]:
    if found.moved is None:
        return text("practice.too_early"), ""
    return (text("practice.better"), "good") if found.moved else (text("practice.worse"), "bad")


def _event(event: PracticeEvent, reader: Reader) -> tuple[str, str, str, str]:
    names = {
        Step.ASSIGNED: "practice.did.assigned",
        Step.ACKNOWLEDGED: "practice.did.acknowledged",
        Step.FOLLOWED_UP: "practice.did.followed_up",
        Step.CLOSED: "practice.did.closed",
    }
    when = day_text(event.happened_at, reader.zone)
    return when, reader.text(names[event.kind]), event.done_by, event.note
