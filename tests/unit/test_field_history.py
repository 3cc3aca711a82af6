"""A source's history of a field: the last word holds, late words join the past, nothing is lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from huaxiang.core.types import FieldValue, Json, Provenance
from huaxiang.profile.records import observe
from huaxiang.profile.tables import FieldValueRow

START = datetime(2026, 1, 1, tzinfo=UTC)


def tell(history: list[FieldValueRow], value: Json, day: int, *, at_present: bool = False) -> bool:
    """Let the CRM tell a value on a day; returns whether a row was added."""
    told = FieldValue("city", value, Provenance("crm", "C-1", START + timedelta(days=day)))
    return observe(history, told, "customer", at_present=at_present) is not None


def present(history: list[FieldValueRow]) -> str | None:
    (value,) = [row.value for row in history if row.superseded_at is None]
    assert value is None or isinstance(value, str)
    return value


def past(history: list[FieldValueRow]) -> list[Json]:
    return [row.value for row in history if row.superseded_at is not None]


def test_a_new_value_supersedes_the_old_one_and_keeps_it() -> None:
    history: list[FieldValueRow] = []
    tell(history, "上海", 1)
    tell(history, "杭州", 2)
    assert (present(history), past(history)) == ("杭州", ["上海"])
    assert history[0].superseded_at == START + timedelta(days=2)


def test_an_older_value_that_comes_late_joins_the_history() -> None:
    history: list[FieldValueRow] = []
    tell(history, "杭州", 5)
    tell(history, "上海", 1)
    assert (present(history), past(history)) == ("杭州", ["上海"])
    assert history[1].superseded_at == START + timedelta(days=5)


def test_a_clear_is_kept_against_a_value_that_comes_late() -> None:
    history: list[FieldValueRow] = []
    tell(history, "上海", 1)
    tell(history, None, 3)
    tell(history, "苏州", 2)
    assert present(history) is None
    assert past(history) == ["上海", "苏州"]


def test_telling_the_same_again_adds_no_row_and_keeps_since_when_it_holds() -> None:
    history: list[FieldValueRow] = []
    tell(history, "上海", 1)
    assert not tell(history, "上海", 9)
    assert not tell(history, "上海", 4, at_present=True)
    (row,) = history
    assert (row.first_observed_at, row.observed_at) == (START + timedelta(days=1), START + timedelta(days=9))


def test_a_value_can_come_back() -> None:
    history: list[FieldValueRow] = []
    for day, value in enumerate(["上海", "杭州", "上海"]):
        tell(history, value, day)
    assert (present(history), past(history)) == ("上海", ["上海", "杭州"])


def test_of_two_values_of_one_moment_the_later_word_holds() -> None:
    history: list[FieldValueRow] = []
    for value in ("上海", "杭州", "上海"):
        tell(history, value, 1)
    assert (present(history), past(history)) == ("上海", ["杭州"])


def test_a_value_told_without_a_time_holds_now_whatever_was_told_before() -> None:
    history: list[FieldValueRow] = []
    tell(history, "上海", 9)
    tell(history, "杭州", 5, at_present=True)
    assert (present(history), past(history)) == ("杭州", ["上海"])


tellings = st.lists(
    st.tuples(st.integers(0, 30), st.sampled_from(["上海", "杭州", "苏州", None])),
    unique_by=lambda t: t[0],
    min_size=1,
)


@given(tellings.flatmap(lambda told: st.tuples(st.just(told), st.permutations(told))))
def test_the_value_observed_last_holds_in_whatever_order_the_words_come(
    orders: tuple[list[tuple[int, str | None]], list[tuple[int, str | None]]],
) -> None:
    told, shuffled = orders
    history: list[FieldValueRow] = []
    for day, value in shuffled:
        tell(history, value, day)
    assert present(history) == max(told, key=lambda t: t[0])[1]
    assert {row.value for row in history} == {value for _, value in told}
    assert all(row.first_observed_at <= row.observed_at for row in history)


@given(tellings)
def test_telling_everything_twice_changes_nothing(told: list[tuple[int, str | None]]) -> None:
    history: list[FieldValueRow] = []
    for day, value in sorted(told, key=lambda t: t[0]):
        tell(history, value, day)
    before = [(row.value_hash, row.first_observed_at, row.observed_at, row.superseded_at) for row in history]
    for day, value in sorted(told, key=lambda t: t[0]):
        tell(history, value, day)
    assert before == [
        (row.value_hash, row.first_observed_at, row.observed_at, row.superseded_at) for row in history
    ]
