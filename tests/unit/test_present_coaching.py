"""What the pages of coaching say of figures, behaviours and advice."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from huaxiang.console.present_coaching import (
    behaviours_view,
    change_text,
    estimate_text,
    figure_view,
    topic_name,
    trend_chart,
)
from huaxiang.console.present_objections import answer_name
from huaxiang.console.present_seller import main_figures
from huaxiang.console.texts import texts
from huaxiang.profile.coaching.behaviours import Behaviour, Behaviours, Verdict
from huaxiang.profile.coaching.figures import Figure, Point
from huaxiang.profile.coaching.objections import ANSWERS
from huaxiang.profile.coaching.statistics import Difference, Estimate

EN = texts("en")
SURE, UNSURE = Difference(-0.2, -0.3, -0.1, 0.01), Difference(-0.2, -0.5, 0.1, 0.2)


def a_figure(key: str, **changes: object) -> Figure:
    share = key.startswith("item.")
    own = Estimate(0.4, 10, 0.2, 0.6) if share else Estimate(72.0, 10, 65.0, 79.0)
    figure = Figure(key, share, own, own, own, UNSURE, UNSURE, Estimate(-0.3, 20, -0.6, 0.1))
    return replace(figure, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("key", "estimate", "said"),
    [
        ("item.greeting", Estimate(0.4, 10, 0.21, 0.63), "40% (21%–63%, n=10)"),
        ("metric.talk_ratio", Estimate(0.655, 3), "66% (n=3)"),
        ("score", Estimate(72.04, 5, 60.0, 84.26), "72 (60–84.3, n=5)"),
        ("metric.questions", None, ""),
    ],
)
def test_a_value_is_said_with_its_n_and_interval(key: str, estimate: Estimate | None, said: str) -> None:
    assert estimate_text(key, estimate) == said


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("score", "74 (0–100, n=2)"),
        ("metric.talk_ratio", "74% (0%–100%, n=2)"),
        ("metric.questions", "74 (-70–217, n=2)"),
    ],
)
def test_an_interval_is_cut_to_what_can_be(key: str, said: str) -> None:
    scale = 0.01 if key == "metric.talk_ratio" else 1.0
    assert estimate_text(key, Estimate(74.0 * scale, 2, -70.0 * scale, 217.0 * scale)) == said


def test_an_act_is_told_from_an_item_of_the_same_name() -> None:
    assert topic_name("act.greeting", EN) != topic_name("item.greeting", EN)


def test_a_difference_of_shares_is_in_points() -> None:
    assert change_text("item.greeting", Difference(-0.2, None, None, None)) == "−20pp"
    assert change_text("item.greeting", Difference(-0.004, None, None, None)) == "±0pp"
    assert change_text("score", Difference(-0.04, None, None, None)) == "±0"
    assert change_text("score", Difference(3.04, None, None, None)) == "+3.0"
    assert estimate_text("metric.interruptions", Estimate(0.02, 9, -0.04, 0.08)) == "0 (0–0.1, n=9)"
    assert change_text("score", None) == ""


def test_a_tone_is_set_only_where_it_is_sure_and_one_way_is_better() -> None:
    assert figure_view(a_figure("item.greeting", against=SURE), EN).against_tone == "bad"
    assert figure_view(a_figure("item.greeting"), EN).against_tone == ""
    assert figure_view(a_figure("metric.talk_ratio", against=SURE), EN).against_tone == ""
    better = replace(SURE, value=0.2, low=0.1, high=0.3)
    assert figure_view(a_figure("score", change=better), EN).change_tone == "good"


def test_what_may_be_said_of_the_others_is_said_plainly() -> None:
    words = [
        figure_view(a_figure("score", against=against), EN).words
        for against in (None, Difference(1.0, None, None, 0.5), UNSURE, SURE)
    ]
    assert words == [
        "Too little data to compare",
        "Too little data to compare",
        "No clear difference to the others",
        "Below the others",
    ]


def test_the_tiles_are_the_score_and_what_lies_behind_for_sure() -> None:
    views = [
        figure_view(one, EN)
        for one in (
            a_figure("score"),
            a_figure("item.greeting"),
            a_figure("item.permission", against=replace(SURE, value=0.2, low=0.1, high=0.3)),
            a_figure("item.next_step_agreed", against=SURE),
        )
    ]
    assert [view.key for view in main_figures(views)] == ["score", "item.next_step_agreed", "item.permission"]
    assert main_figures([]) == ()


def test_a_trend_leaves_gaps_and_opens_the_recordings_of_a_week() -> None:
    points = [
        Point(date(2026, 11, 2), Estimate(70.0, 4, 60.0, 80.0), Estimate(75.0, 9)),
        Point(date(2026, 11, 9), None, None),
    ]
    chart = trend_chart("trend", "score", points, ("何芸", "一组"), EN, "he.yun")
    assert chart.rows == (("11-02", "70 (60–80)", "75"), ("11-09", "–", "–"))
    option = chart.option
    assert isinstance(option, dict)
    series = option["series"]
    assert isinstance(series, list)
    first = series[0]
    assert isinstance(first, dict)
    assert first["data"] == [
        {"value": 70.0, "url": "/recordings?seller=he.yun&from=2026-11-02&to=2026-11-08"},
        {"value": None, "url": None},
    ]


def a_behaviour(verdict: Verdict, more_needed: int = 0) -> Behaviour:
    return Behaviour(
        key="act.empathy",
        yes_or_no=True,
        won=Estimate(0.64, 25, 0.44, 0.8),
        lost=Estimate(0.41, 22, 0.2, 0.6),
        delta=Estimate(0.23, 47, -0.05, 0.5),
        test="fisher",
        p=0.03,
        q=0.2,
        verdict=verdict,
        more_needed=more_needed,
    )


def test_thin_data_is_said_in_plain_words_with_how_much_more_it_takes() -> None:
    found = (a_behaviour(Verdict.TOO_THIN, 40), a_behaviour(Verdict.MORE_IN_WON))
    known = Behaviours(found, {"open": 3, "unknown": 4}, {}, 25, 22)
    view = behaviours_view(known, EN)
    assert [one.words for one in view.rest] == ["About 40 more customers of known outcome would show it."]
    assert [one.words for one in view.said] == ["Won 64% (n=25), lost 41% (n=22)."]
    assert "25 customers won, 22 lost" in view.summary
    assert view.chart is not None


def test_nothing_to_draw_is_no_chart() -> None:
    bare = replace(a_behaviour(Verdict.TOO_THIN), delta=None, q=None, won=None, lost=None)
    assert behaviours_view(Behaviours((bare,), {}, {}, 0, 0), EN).chart is None


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_kind_of_answer_and_every_number_has_a_name(language: str) -> None:
    text = texts(language)
    names = [answer_name(answer, text) for answer in ANSWERS]
    assert len(set(names)) == len(ANSWERS)
    assert not any("_" in name for name in names)
    assert topic_name("metric.monologue_s", text) != "monologue_s"
    assert topic_name("metric.brand_new", text) == "brand_new"
