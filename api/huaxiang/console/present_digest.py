"""Turns the digest of a week into what its page shows. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from huaxiang.console.charts import Chart, Series, bar_chart
from huaxiang.console.present_coaching import (
    FigureView,
    change_text,
    estimate_text,
    figure_view,
    seller_url,
    team_url,
    topic_name,
)
from huaxiang.console.present_objections import CandidateView, candidate_view
from huaxiang.console.present_seller import ClipSource, Reader, period_text
from huaxiang.profile.coaching.digest import Appeal, Change, Coaching, Digest

_OUTCOMES: Mapping[str, str] = {
    "won": "outcome.won",
    "lost": "outcome.lost",
    "open": "outcome.open",
    "unknown": "outcome.unknown",
}
_STATES: Mapping[str, str] = {
    "to_review": "digest.appeal.to_review",
    "reviewed": "digest.appeal.reviewed",
    "appealed": "digest.appeal.appealed",
    "final": "digest.appeal.final",
}


@dataclass(frozen=True, slots=True)
class TeamWeekView:
    """A week of a team or of the company."""

    name: str
    url: str
    conversations: int
    before: int
    score: FigureView
    sellers: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class ChangeView:
    """A figure that moved beyond chance."""

    team: str
    name: str
    now: str
    before: str
    change: str
    tone: str


@dataclass(frozen=True, slots=True)
class CoachView:
    """Whom to coach on what: the topics with own and the others' value."""

    name: str
    url: str
    topics: tuple[tuple[str, str, str], ...]
    calls_needed: int


@dataclass(frozen=True, slots=True)
class DigestPage:
    """All of the digest's page; ``outcomes`` and the lists hold words that are ready to be shown."""

    period: str
    company: TeamWeekView
    teams: tuple[TeamWeekView, ...]
    chart: Chart | None
    changes: tuple[ChangeView, ...]
    coaching: tuple[CoachView, ...]
    thin: tuple[str, ...]
    best: tuple[CandidateView, ...]
    adopted: tuple[tuple[str, str, str], ...]
    due: tuple[tuple[str, str, str, str], ...]
    appeals: tuple[tuple[str, str, str, str], ...]
    outcomes: tuple[tuple[str, int, int], ...]


def digest_page(digest: Digest, reader: Reader, source: ClipSource) -> DigestPage:
    """Return the page of a week."""
    text, sellers = reader.text, reader.names
    weeks = _weeks(digest, reader)
    return DigestPage(
        period=period_text(digest.period.first, digest.period.last),
        company=weeks[0],
        teams=weeks,
        chart=_chart(digest, weeks, reader),
        changes=tuple(_change(change, digest.team, reader) for change in digest.changes),
        coaching=tuple(_coach(one, sellers, reader) for one in digest.coaching if one.suggestions),
        thin=tuple(sellers.get(one.seller, one.seller) for one in digest.coaching if one.calls_needed),
        best=tuple(candidate_view(one, reader, source) for one in digest.best_answers),
        adopted=tuple(
            (one.title, topic_name(one.passage.topic, text), sellers.get(one.passage.seller, ""))
            for one in digest.adopted
        ),
        due=tuple(
            (
                sellers.get(one.seller, one.seller),
                seller_url(one.seller),
                topic_name(one.topic, text),
                one.follow_up_on.isoformat(),
            )
            for one in digest.due
        ),
        appeals=tuple(_appeal(one, sellers, reader) for one in digest.appeals),
        outcomes=_outcomes(digest, reader),
    )


def _weeks(digest: Digest, reader: Reader) -> tuple[TeamWeekView, ...]:
    found = []
    for week in digest.teams:
        team = week.team or digest.team
        score = figure_view(week.score, reader.text)
        found.append(
            TeamWeekView(
                name=team or reader.text("coaching.company"),
                url=team_url(team) if team else "/team",
                conversations=week.conversations,
                before=week.conversations_before,
                score=score,
            )
        )
    return tuple(found)


def _change(change: Change, team: str | None, reader: Reader) -> ChangeView:
    text, figure = reader.text, change.figure
    return ChangeView(
        team=change.team or team or text("coaching.company"),
        name=topic_name(figure.key, text),
        now=estimate_text(figure.key, figure.own),
        before=estimate_text(figure.key, figure.before),
        change=change_text(figure.key, figure.change),
        tone=figure_view(figure, text).change_tone,
    )


def _coach(one: Coaching, sellers: Mapping[str, str], reader: Reader) -> CoachView:
    return CoachView(
        name=sellers.get(one.seller, one.seller),
        url=seller_url(one.seller),
        topics=tuple(
            (
                topic_name(found.topic, reader.text),
                estimate_text(found.topic, found.own),
                estimate_text(found.topic, found.others),
            )
            for found in one.suggestions
        ),
        calls_needed=one.calls_needed,
    )


def _appeal(one: Appeal, sellers: Mapping[str, str], reader: Reader) -> tuple[str, str, str, str]:
    """Return whose appeal it is, the conversation's address, against what, and how far it has come."""
    text = reader.text
    items = text("list.comma").join(text.label("item", item) for item in one.items)
    return (
        sellers.get(one.seller or "", one.seller or ""),
        f"/recordings/{one.recording_id}",
        items or text("digest.appeal.whole"),
        text(_STATES[one.state]) if one.state in _STATES else one.state,
    )


def _outcomes(digest: Digest, reader: Reader) -> tuple[tuple[str, int, int], ...]:
    """Return each outcome with its count and its share in percent."""
    total = sum(digest.outcomes.values()) or 1
    return tuple(
        (reader.text(_OUTCOMES[name]), count, round(100 * count / total))
        for name, count in digest.outcomes.items()
        if name in _OUTCOMES
    )


def _chart(digest: Digest, weeks: tuple[TeamWeekView, ...], reader: Reader) -> Chart | None:
    """Return the scores of the week and of the week before, by team; None without a score."""
    scored = [(view, week.score) for view, week in zip(weeks, digest.teams, strict=True) if week.score.own]
    if not scored:
        return None
    text = reader.text
    now, before = [score.own for _, score in scored], [score.before for _, score in scored]
    return bar_chart(
        "digest-scores",
        text("digest.scores"),
        [view.name for view, _ in scored],
        [
            Series(
                text("digest.this_week"),
                [None if one is None else one.value for one in now],
                urls=[view.url for view, _ in scored],
            ),
            Series(text("digest.last_week"), [None if one is None else one.value for one in before]),
        ],
        axis=text("team.team"),
        format="score",
        across=True,
    )
