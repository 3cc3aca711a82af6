"""Turns the metrics of a conversation into named, formatted lines. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from huaxiang.console.present import Clip, clock, number, signed
from huaxiang.console.texts import Texts
from huaxiang.core.types import Json, JsonScalar

# What is shown without opening the rest, in this order: the name or the beginning of a path.
_MAIN = (
    "duration_ms",
    "longest_monologue_ms",
    "longest_customer_story_ms",
    "patience_ms",
    "interactivity",
    "speech_rate",
    "question_count",
    "interruption",
    "non_talk",
    "sentiment",
)
_MAIN_PARTS = (
    ["agent"],
    ["customer"],
    ["median"],
    ["share"],
    ["pct"],
    ["agent", "overall"],
    ["customer", "overall"],
)
_COUNTS = frozenset({"replies", "count"})
_MAX_MAIN = 14
_UNITS = {
    "speech_rate": "unit.characters_per_minute",
    "question_rate": "unit.per_hour",
    "filler_rate": "unit.per_minute",
    "interactivity": "unit.per_minute",
}


@dataclass(frozen=True, slots=True)
class MetricsView:
    """Lines of (name, value): the main ones and the rest. ``agent_share`` is in percent.

    ``clips`` are the interruptions and silences themselves, to be heard.
    """

    agent_share: int | None
    main: tuple[tuple[str, str], ...]
    more: tuple[tuple[str, str], ...]
    clips: tuple[tuple[Clip, str], ...]


def metrics_view(metrics: Mapping[str, Json], text: Texts) -> MetricsView | None:
    """Return the metrics for the page; None where there are none."""
    if not metrics:
        return None
    ratio = metrics.get("talk_ratio")
    lines = [(path, _name(path, text), _value(path, value, text)) for path, value in _flat("", metrics)]
    main = sorted((line for line in lines if _rank(line[0]) < len(_MAIN)), key=lambda line: _rank(line[0]))[
        :_MAX_MAIN
    ]
    shown = {path for path, _, _ in main}
    return MetricsView(
        agent_share=round(100 * ratio) if isinstance(ratio, int | float) else None,
        main=tuple((name, value) for _, name, value in main),
        more=tuple((name, value) for path, name, value in lines if path not in shown),
        clips=tuple(_clips(metrics, text)),
    )


def _clips(metrics: Mapping[str, Json], text: Texts) -> Iterator[tuple[Clip, str]]:
    """Give each interruption with who interrupted, then each silence."""
    silence = metrics.get("non_talk")
    spans = silence.get("spans") if isinstance(silence, Mapping) else None
    for name, places in (("interruption", metrics.get("interruption")), ("non_talk", spans)):
        if isinstance(places, str) or not isinstance(places, Sequence):
            continue
        for place in places:
            if not isinstance(place, Mapping):
                continue
            start, end = place.get("start_ms"), place.get("end_ms")
            if isinstance(start, int) and isinstance(end, int):
                who = f" · {text.label('role', str(place['by']))}" if "by" in place else ""
                yield Clip(start, max(end, start + 1), clock(start)), text.label("metric", name) + who


def _flat(path: str, value: Json) -> Iterator[tuple[str, JsonScalar]]:
    """Give every value with its dotted path: numbers in a row as one text, other lists as their length."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _flat(f"{path}.{key}" if path else key, part)
    elif isinstance(value, str | int | float | bool) or value is None:
        yield path, value
    elif value and all(isinstance(part, int | float) for part in value):
        yield path, " / ".join(number(round(part, 1)) for part in value if isinstance(part, int | float))
    else:
        yield path, len(value)


def _rank(path: str) -> int:
    """Return a path's place among the main metrics; details of one have none."""
    base, *rest = path.split(".")
    if rest and rest not in _MAIN_PARTS:
        return len(_MAIN)
    return _MAIN.index(base) if base in _MAIN else len(_MAIN)


def _name(path: str, text: Texts) -> str:
    known = [text.words.get(f"metric.{path}")]
    if known[0]:
        return known[0]
    first, *rest = path.split(".")
    parts = [text.label("metric", first), *(text.words.get(f"role.{p}", text.label("part", p)) for p in rest)]
    return " · ".join(parts)


def _value(path: str, value: JsonScalar, text: Texts) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return text("yes" if value else "no")
    if isinstance(value, str):
        return value
    base, last = path.split(".")[0], path.split(".")[-1]
    if (last.endswith("_ms") or base.endswith("_ms")) and last not in _COUNTS:
        return clock(round(value)) if value >= 60_000 else f"{value / 1000:.1f} {text('unit.seconds')}"
    if last.endswith("_pct"):
        return f"{value:.0f}%"
    if base == "talk_ratio" or last in ("share", "ratio"):
        return f"{100 * value:.0f}%"
    if base == "sentiment":
        return signed(value) if round(value, 1) else "0"
    unit = _UNITS.get(base)
    digits = 0 if base == "speech_rate" else 1
    return f"{number(round(value, digits))} {text(unit)}" if unit else number(round(value, 2))
