"""Charts as data: what ECharts draws, and the table that says the same in words.

A colour is the name of a token (``--c1``) and a format one of ``FORMATS``; ``static/charts.js`` puts in
what they stand for, so a chart follows the dark theme and no function travels as text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from huaxiang.console.present import number
from huaxiang.core.types import Json

COLOURS = ("--c1", "--c2", "--c3", "--c4", "--c5", "--c6")
FORMATS = ("number", "percent", "score")
_THIN_LABELS = 12


@dataclass(frozen=True, slots=True)
class Series:
    """One row of values, a value for each label; None leaves a gap.

    ``low`` and ``high`` are the ends of the intervals around the values, ``urls`` what a click on a
    value opens, ``colour`` a token.
    """

    name: str
    values: Sequence[float | None]
    low: Sequence[float | None] = ()
    high: Sequence[float | None] = ()
    urls: Sequence[str | None] = ()
    colour: str = ""
    stack: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart for the macro ``ui.chart``: the option of ECharts, and head and rows of its table.

    ``id`` is unique on the page, ``size`` is small, large or empty, ``links`` the addresses of the rows,
    ``urls`` those of the values in each row: what a click on the drawing opens, for the keyboard.
    """

    id: str
    title: str
    option: Json
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    links: tuple[str | None, ...] = ()
    note: str = ""
    size: str = ""
    urls: tuple[tuple[str | None, ...], ...] = ()


def bar_chart(
    identifier: str,
    title: str,
    labels: Sequence[str],
    series: Sequence[Series],
    *,
    axis: str = "",
    format: str = "number",
    across: bool = False,
    note: str = "",
    size: str = "",
) -> Chart:
    """Return bars by label, upright or ``across`` (long names read better so); ``axis`` names the labels."""
    categories: Json = {
        "type": "category",
        "data": list(labels),
        "inverse": across,
        "axisTick": {"show": False},
    }
    values: Json = {"type": "value", "axisLabel": {"formatter": format}, "max": _most(format)}
    drawn = [
        part
        for index, one in enumerate(series)
        for part in (
            {**_common(one, index), "type": "bar", "barMaxWidth": 22, "stack": one.stack or None},
            *_whiskers(one, across),
        )
    ]
    axes: dict[str, Json] = (
        {"xAxis": values, "yAxis": categories} if across else {"xAxis": categories, "yAxis": values}
    )
    option: Json = {**axes, **_frame(series, format), "series": drawn}
    return _with_table(identifier, title, option, axis, labels, series, format, note, size)


def line_chart(
    identifier: str,
    title: str,
    labels: Sequence[str],
    series: Sequence[Series],
    *,
    axis: str = "",
    format: str = "number",
    from_zero: bool = True,
    note: str = "",
    size: str = "",
) -> Chart:
    """Return lines over labels in order (days, weeks), each with the band of its interval if it has one."""
    drawn: list[Json] = []
    for index, one in enumerate(series):
        few = sum(value is not None for value in one.values) <= _THIN_LABELS
        line: dict[str, Json] = {
            "type": "line",
            "showSymbol": few,
            "symbolSize": 6,
            "lineStyle": {"width": 2},
        }
        drawn += [{**_common(one, index), **line}, *_band(one, index)]
    option: Json = {
        "xAxis": {"type": "category", "data": list(labels), "boundaryGap": len(labels) == 1},
        "yAxis": {"type": "value", "scale": not from_zero, "axisLabel": {"formatter": format}},
        **_frame(series, format),
        "series": drawn,
    }
    return _with_table(identifier, title, option, axis, labels, series, format, note, size)


def interval_chart(
    identifier: str,
    title: str,
    labels: Sequence[str],
    series: Series,
    *,
    axis: str = "",
    format: str = "number",
    reference: float | None = 0.0,
    most: float | None = None,
    note: str = "",
    size: str = "",
) -> Chart:
    """Return points with their intervals, one line a label (a forest plot), and a line at ``reference``.

    ``most`` is what no value can be above: the axis ends there.
    """
    points = {**_common(series, 0), "type": "scatter", "symbolSize": 9}
    points["data"] = [
        {"value": [value, index], "url": url}
        for index, (value, url) in enumerate(zip(series.values, _padded(series), strict=True))
    ]
    if reference is not None:
        points["markLine"] = {
            "symbol": "none",
            "silent": True,
            "animation": False,
            "label": {"show": False},
            "lineStyle": {"color": "--line-strong", "type": "dashed"},
            "data": [{"xAxis": reference}],
        }
    option: Json = {
        "xAxis": {"type": "value", "scale": True, "max": most, "axisLabel": {"formatter": format}},
        "yAxis": {
            "type": "category",
            "data": list(labels),
            "inverse": True,
            "axisTick": {"show": False},
            "axisLabel": {"interval": 0},
        },
        "grid": {"top": 8},
        "legend": {"show": False},
        "tooltip": {"trigger": "item", "formatter": "point"},
        "format": format,
        "series": [points, *_whiskers(series, across=True)],
    }
    return _with_table(identifier, title, option, axis, labels, [series], format, note, size)


@dataclass(frozen=True, slots=True)
class Cell:
    """A value where a column (``x``) and a row (``y``) of a heat map meet; ``url`` opens what it counts."""

    x: int
    y: int
    value: float
    url: str | None = None


def heat_map(
    identifier: str,
    title: str,
    columns: Sequence[str],
    rows: Sequence[str],
    cells: Sequence[Cell],
    *,
    axis: str = "",
    format: str = "number",
    note: str = "",
    size: str = "",
) -> Chart:
    """Return a heat map: darker is more. The table has the same rows and columns."""
    found = {(cell.x, cell.y): cell.value for cell in cells}
    option: Json = {
        "xAxis": {"type": "category", "data": list(columns), "axisLabel": {"interval": 0}},
        "yAxis": {"type": "category", "data": list(rows), "inverse": True, "axisTick": {"show": False}},
        "tooltip": {"trigger": "item", "formatter": "cell"},
        "format": format,
        "visualMap": {
            "show": False,
            "min": 0,
            "max": max((cell.value for cell in cells), default=1) or 1,
            "inRange": {"color": ["--surface-2", "--c1"]},
        },
        "series": [
            {
                "type": "heatmap",
                "label": {"show": True, "formatter": "cell-value"},
                "data": [{"value": [cell.x, cell.y, cell.value], "url": cell.url} for cell in cells],
            }
        ],
    }
    table = tuple(
        (row, *(shown(found.get((x, y)), format) for x in range(len(columns)))) for y, row in enumerate(rows)
    )
    opened = {(cell.x, cell.y): cell.url for cell in cells}
    urls = tuple(tuple(opened.get((x, y)) for x in range(len(columns))) for y in range(len(rows)))
    return Chart(identifier, title, option, (axis, *columns), table, (), note, size, urls)


def shown(value: float | None, format: str) -> str:
    """Return a value as tables write it; a dash where there is none."""
    if value is None:
        return "–"
    return f"{100 * value:.0f}%" if format == "percent" else number(round(value, 1))


def _most(format: str) -> float | None:
    return {"percent": 1.0, "score": 100.0}.get(format)


def _common(one: Series, index: int) -> dict[str, Json]:
    colour = one.colour or COLOURS[index % len(COLOURS)]
    data = [{"value": value, "url": url} for value, url in zip(one.values, _padded(one), strict=True)]
    return {"name": one.name, "color": colour, "itemStyle": {"color": colour}, "data": data}


def _padded(one: Series) -> Sequence[str | None]:
    return one.urls or [None] * len(one.values)


def _band(one: Series, index: int) -> list[dict[str, Json]]:
    """Return the interval of a line as an area between two invisible lines."""
    if not one.low:
        return []
    colour = one.colour or COLOURS[index % len(COLOURS)]
    plain: dict[str, Json] = {
        "type": "line",
        "stack": f"band-{index}",
        "symbol": "none",
        "silent": True,
        "lineStyle": {"opacity": 0},
        "tooltip": {"show": False},
        "stackStrategy": "all",
    }
    widths: list[Json] = [
        None if low is None or high is None else high - low
        for low, high in zip(one.low, one.high, strict=True)
    ]
    area: Json = {"color": colour, "opacity": 0.16}
    return [{**plain, "data": list(one.low)}, {**plain, "data": widths, "areaStyle": area}]


def _whiskers(one: Series, across: bool) -> list[dict[str, Json]]:
    """Return the intervals of bars or points as thin lines with ends."""
    if not one.low:
        return []
    ends = enumerate(zip(one.low, one.high, strict=True))
    data: list[Json] = [
        [index, low, high] for index, (low, high) in ends if low is not None and high is not None
    ]
    return [
        {
            "type": "custom",
            "renderItem": "interval-across" if across else "interval",
            "encode": {"x": [1, 2], "y": 0} if across else {"x": 0, "y": [1, 2]},
            "data": data,
            "silent": True,
            "tooltip": {"show": False},
            "color": "--ink-2",
            "z": 5,
        }
    ]


def _frame(series: Sequence[Series], format: str) -> dict[str, Json]:
    return {
        "tooltip": {"trigger": "axis"},
        "format": format,
        "legend": {"show": len(series) > 1, "data": [one.name for one in series]},
        "grid": {"top": 34 if len(series) > 1 else 12},
    }


def _with_table(
    identifier: str,
    title: str,
    option: Json,
    axis: str,
    labels: Sequence[str],
    series: Sequence[Series],
    format: str,
    note: str,
    size: str,
) -> Chart:
    rows = tuple(
        (label, *(_told(one, index, format) for one in series)) for index, label in enumerate(labels)
    )
    links = _padded(series[0]) if len(series) == 1 else ()
    urls = tuple(zip(*(_padded(one) for one in series), strict=True)) if len(series) > 1 else ()
    head = (axis, *(one.name for one in series))
    return Chart(identifier, title, option, head, rows, tuple(links), note, size, urls)


def _told(one: Series, index: int, format: str) -> str:
    """Return a value with its interval, as ``72 (65–80)``."""
    told = shown(one.values[index], format)
    if not one.low or one.low[index] is None or one.high[index] is None:
        return told
    return f"{told} ({shown(one.low[index], format)}–{shown(one.high[index], format)})"
