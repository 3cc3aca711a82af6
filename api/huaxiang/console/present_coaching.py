"""Turns the figures of coaching into named, formatted lines with their n and interval. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo
from urllib.parse import quote, urlencode

from huaxiang.console.charts import Chart, Series, interval_chart, line_chart
from huaxiang.console.present import number, signed
from huaxiang.console.texts import Texts
from huaxiang.profile.coaching.behaviours import Behaviour, Behaviours, Verdict
from huaxiang.profile.coaching.figures import SCORE, Figure, Point
from huaxiang.profile.coaching.statistics import Difference, Estimate

PERIODS = (28, 56, 91)
METRIC_NAMES: Mapping[str, str] = {
    "talk_ratio": "coaching.metric.talk_ratio",
    "questions": "coaching.metric.questions",
    "question_rate": "coaching.metric.question_rate",
    "monologue_s": "coaching.metric.monologue_s",
    "customer_story_s": "coaching.metric.customer_story_s",
    "response_s": "coaching.metric.response_s",
    "speech_rate": "coaching.metric.speech_rate",
    "filler_rate": "coaching.metric.filler_rate",
    "interactivity": "coaching.metric.interactivity",
    "silence_share": "coaching.metric.silence_share",
    "customer_mood": "coaching.metric.customer_mood",
    "duration_min": "coaching.metric.duration_min",
    "interruptions": "coaching.metric.interruptions",
}
_SHARES = frozenset({"metric.talk_ratio", "metric.silence_share"})
_MOST_IN_CHART = 12
_VERDICTS: Mapping[Verdict, tuple[str, str]] = {
    Verdict.MORE_IN_WON: ("coaching.more_in_won", "good"),
    Verdict.MORE_IN_LOST: ("coaching.more_in_lost", "bad"),
    Verdict.NO_DIFFERENCE: ("coaching.no_difference", ""),
    Verdict.UNCLEAR: ("coaching.unclear", ""),
    Verdict.TOO_THIN: ("coaching.too_thin", "warn"),
}


@dataclass(frozen=True, slots=True)
class FigureView:
    """One figure as the pages show it; texts are empty where there is no value.

    ``change`` is against the period before, ``against`` against the others of the group; a tone is set
    only where the interval leaves out zero and one way is the better one. ``words`` says it plainly.
    """

    key: str
    name: str
    value: str
    n: int
    low: str | None
    high: str | None
    before: str
    change: str
    change_tone: str
    group: str
    against: str
    against_tone: str
    words: str


@dataclass(frozen=True, slots=True)
class BehaviourView:
    """One behaviour among won and lost cases, in plain words first."""

    name: str
    verdict: str
    tone: str
    words: str
    won: str
    lost: str
    delta: str
    q: str


@dataclass(frozen=True, slots=True)
class BehavioursView:
    """What goes with won conversations: what can be said, the rest, and what it stands on.

    ``chart`` has the effects with their intervals; None where there is nothing to draw.
    """

    summary: str
    said: tuple[BehaviourView, ...]
    rest: tuple[BehaviourView, ...]
    chart: Chart | None


def topic_name(key: str, text: Texts) -> str:
    """Return the name of a figure, of something to practise, or of a topic of the library."""
    if key == SCORE:
        return text("coaching.score")
    group, _, name = key.partition(".")
    if group == "metric":
        return text(METRIC_NAMES[name]) if name in METRIC_NAMES else name
    if group == "act":  # an item of the scorecard may have the same name
        return text("coaching.act", name=text.label(group, name))
    return text.label(group, name)


def is_share(key: str) -> bool:
    """Return whether a figure is a share of 0–1, which is written in percent."""
    return key.startswith(("item.", "act.")) or key in _SHARES


def value_text(key: str, value: float) -> str:
    """Return a figure's value: a share in percent, all else with one decimal at most."""
    return f"{100 * value:.0f}%" if is_share(key) else number(round(value, 1))


def bounded(key: str, estimate: Estimate | None) -> Estimate | None:
    """Return an estimate with its interval cut to what can be: 0–100 of a score, 0–1 of a share.

    Student's interval knows no bounds, and of three conversations it reaches far past them.
    """
    if estimate is None or estimate.low is None or estimate.high is None:
        return estimate
    most = 100.0 if key == SCORE else 1.0 if is_share(key) else None
    if most is None:
        return estimate
    return replace(estimate, low=max(0.0, estimate.low), high=min(most, estimate.high))


def estimate_text(key: str, estimate: Estimate | None) -> str:
    """Return a value with its interval and n, as ``40% (21%–63%, n=10)``; empty for none."""
    estimate = bounded(key, estimate)
    if estimate is None:
        return ""
    if estimate.low is None or estimate.high is None:
        return f"{value_text(key, estimate.value)} (n={estimate.n})"
    return (
        f"{value_text(key, estimate.value)} "
        f"({value_text(key, estimate.low)}–{value_text(key, estimate.high)}, n={estimate.n})"
    )


def change_text(key: str, difference: Difference | None) -> str:
    """Return a difference with its sign; that of shares in percentage points."""
    if difference is None:
        return ""
    if is_share(key):
        return f"{signed(100 * difference.value, places=0)}pp"
    return signed(difference.value)


def is_sure(difference: Difference | None) -> bool:
    """Return whether the interval of a difference leaves out zero."""
    if difference is None or difference.low is None or difference.high is None:
        return False
    return difference.low > 0 or difference.high < 0


def figure_view(figure: Figure, text: Texts) -> FigureView:
    """Return a figure for tiles and tables."""
    key = figure.key
    own = bounded(key, figure.own)
    whole = own is not None and own.low is not None and own.high is not None
    return FigureView(
        key=key,
        name=topic_name(key, text),
        value="" if own is None else value_text(key, own.value),
        n=0 if own is None else own.n,
        low=value_text(key, own.low) if whole and own and own.low is not None else None,
        high=value_text(key, own.high) if whole and own and own.high is not None else None,
        before=estimate_text(key, figure.before),
        change=change_text(key, figure.change),
        change_tone=_tone(key, figure.change),
        group=estimate_text(key, figure.group),
        against=change_text(key, figure.against),
        against_tone=_tone(key, figure.against),
        words=_against_words(figure.against, text),
    )


def trend_chart(
    identifier: str, key: str, points: Sequence[Point], names: tuple[str, str], text: Texts, seller: str = ""
) -> Chart:
    """Return a figure week by week: own with its band, and the group; a week opens its recordings.

    ``names`` are those of the two lines; ``seller`` is whose recordings a week opens.
    """
    own = [bounded(key, point.own) for point in points]
    urls = [_week_url(seller, point.week) if point.own and seller else None for point in points]
    lines = [
        Series(
            names[0],
            [None if one is None else one.value for one in own],
            [None if one is None else one.low for one in own],
            [None if one is None else one.high for one in own],
            urls,
        ),
        Series(names[1], [None if point.group is None else point.group.value for point in points]),
    ]
    counted = sum(one.n for one in own if one is not None)
    return line_chart(
        identifier,
        topic_name(key, text),
        [point.week.strftime("%m-%d") for point in points],
        lines,
        axis=text("coaching.week"),
        format="percent" if is_share(key) else "score" if key == SCORE else "number",
        from_zero=key != SCORE,
        note=text("coaching.trend.note", n=counted),
        size="" if key == SCORE else "small",
    )


def against_chart(identifier: str, found: Sequence[Figure], text: Texts) -> Chart | None:
    """Return how far each figure lies from the others', as Cliff's delta; None where none can be compared."""
    shown = [one for one in found if one.effect is not None and one.effect.low is not None]
    if not shown:
        return None
    effects = [one.effect for one in shown[:_MOST_IN_CHART] if one.effect is not None]
    return _forest(
        identifier,
        text("coaching.against.title"),
        [topic_name(one.key, text) for one in shown[:_MOST_IN_CHART]],
        effects,
        text("coaching.against.note"),
        text,
    )


def behaviours_view(known: Behaviours, text: Texts) -> BehavioursView:
    """Return the behaviours with what may be said of them, in plain words where the data is too thin."""
    said = (Verdict.MORE_IN_WON, Verdict.MORE_IN_LOST, Verdict.NO_DIFFERENCE)
    drawn = [b for b in known.found if b.delta is not None and b.delta.low is not None and b.q is not None]
    effects = [b.delta for b in drawn[:_MOST_IN_CHART] if b.delta is not None]
    names = [topic_name(b.key, text) for b in drawn[:_MOST_IN_CHART]]
    return BehavioursView(
        summary=text(
            "coaching.behaviours.summary",
            won=known.cases_won,
            lost=known.cases_lost,
            open=known.outcomes.get("open", 0),
            unknown=known.outcomes.get("unknown", 0),
        ),
        said=tuple(_behaviour(b, text) for b in known.found if b.verdict in said),
        rest=tuple(_behaviour(b, text) for b in known.found if b.verdict not in said),
        chart=_forest(
            "behaviours",
            text("coaching.behaviours.chart"),
            names,
            effects,
            text("coaching.behaviours.note"),
            text,
        )
        if drawn
        else None,
    )


def seller_url(key: str, days: int | None = None) -> str:
    """Return the address of a seller's page."""
    return f"/sellers/{quote(key, safe='')}" + (f"?days={days}" if days else "")


def team_url(name: str, days: int | None = None) -> str:
    """Return the address of a team's page."""
    return f"/team/{quote(name, safe='')}" + (f"?days={days}" if days else "")


def recordings_url(**filters: str) -> str:
    """Return the address of the list of recordings with filters."""
    return f"/recordings?{urlencode({name: value for name, value in filters.items() if value})}"


def day_text(moment: datetime, zone: tzinfo) -> str:
    """Return the day of a time in ``zone``."""
    return moment.astimezone(zone).strftime("%Y-%m-%d")


def _behaviour(behaviour: Behaviour, text: Texts) -> BehaviourView:
    verdict, tone = _VERDICTS[behaviour.verdict]
    key, delta = behaviour.key, behaviour.delta
    words = ""
    if behaviour.verdict is Verdict.TOO_THIN:
        words = text("coaching.too_thin.words", n=behaviour.more_needed)
    elif behaviour.won is not None and behaviour.lost is not None:
        words = text(
            "coaching.behaviour.words",
            won=value_text(key, behaviour.won.value),
            won_n=behaviour.won.n,
            lost=value_text(key, behaviour.lost.value),
            lost_n=behaviour.lost.n,
        )
    spread = ""
    if delta is not None:
        spread = signed(delta.value, places=2)
        if delta.low is not None and delta.high is not None:
            spread += f" ({signed(delta.low, places=2)}–{signed(delta.high, places=2)})"
    return BehaviourView(
        name=topic_name(key, text),
        verdict=text(verdict),
        tone=tone,
        words=words,
        won=estimate_text(key, behaviour.won),
        lost=estimate_text(key, behaviour.lost),
        delta=spread,
        q="" if behaviour.q is None else f"{behaviour.q:.3f}" if behaviour.q >= 0.001 else "<0.001",
    )


def _forest(
    identifier: str, title: str, names: Sequence[str], effects: Sequence[Estimate], note: str, text: Texts
) -> Chart:
    series = Series(
        text("coaching.effect"),
        [round(one.value, 3) for one in effects],
        [one.low for one in effects],
        [one.high for one in effects],
    )
    size = "large" if len(effects) > 6 else ""
    return interval_chart(
        identifier, title, names, series, axis=text("coaching.figure"), most=1.0, note=note, size=size
    )


def _tone(key: str, difference: Difference | None) -> str:
    """Return good or bad where the difference is sure and more is better: of scores and judged items."""
    if difference is None or not is_sure(difference) or not (key == SCORE or key.startswith("item.")):
        return ""
    return "good" if difference.value > 0 else "bad"


def _against_words(difference: Difference | None, text: Texts) -> str:
    if difference is None or difference.low is None:
        return text("coaching.against.thin")
    if not is_sure(difference):
        return text("coaching.against.same")
    return text("coaching.against.above") if difference.value > 0 else text("coaching.against.below")


def _week_url(seller: str, week: date) -> str:
    last = week + timedelta(days=6)
    return recordings_url(**{"seller": seller, "from": week.isoformat(), "to": last.isoformat()})
