"""How clips are shared out among the threads of a recogniser."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from huaxiang.asr.packing import balanced

costs = st.lists(st.integers(10_000, 30_000), max_size=48).map(lambda found: sorted(found, reverse=True))


@given(costs, st.integers(1, 4), st.integers(1, 8))
def test_every_clip_is_in_one_batch_and_no_batch_is_too_large(
    found: list[int], threads: int, largest: int
) -> None:
    batches = -(-len(found) // (largest * threads)) * threads
    sizes = balanced(found, batches, largest)
    assert sum(sizes) == len(found)
    assert len(sizes) <= batches
    assert all(1 <= size <= largest for size in sizes)


def test_a_few_long_clips_weigh_as_much_as_many_short_ones() -> None:
    assert balanced([20_000] * 4 + [10_000] * 8, 2, 8) == [4, 8]


def test_two_threads_both_have_work_where_there_are_two_clips() -> None:
    assert balanced([15_000, 10_000], 2, 8) == [1, 1]


def test_no_clips_make_no_batch() -> None:
    assert balanced([], 2, 8) == []
