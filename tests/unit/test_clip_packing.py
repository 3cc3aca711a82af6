"""Clips of whoever waits share batches, and everybody gets what was heard in their own clips."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huaxiang.asr.packing import ClipPacker
from huaxiang.asr.transcriber import Clip, ClipTranscript, Hints
from huaxiang.core.errors import ModelError
from huaxiang.core.types import Word

WAIT_S = 20.0
LONG, SHORT = 17, 7
POISON_MS = 666


def clip(name_ms: int, width: int = SHORT) -> Clip:
    """A clip that is told by where it starts, and whose channel is its width."""
    return Clip(np.zeros(16, np.float32), width, name_ms)


def heard(name_ms: int, hints: Hints) -> ClipTranscript:
    return ClipTranscript((Word(name_ms, name_ms, f"{name_ms} {hints.phrases}", 1.0),))


@dataclass
class Recogniser:
    """Decodes batches one after the other or at once, when it is let, and keeps which they were."""

    open: threading.Event = field(default_factory=threading.Event)
    batches: list[tuple[list[int], Hints]] = field(default_factory=list)
    error: type[BaseException] = ModelError

    def decode(self, clips: Sequence[Clip], hints: Hints, width: int) -> list[ClipTranscript]:
        self.batches.append(([one.start_ms for one in clips], hints))
        assert {one.channel for one in clips} == {width}
        assert self.open.wait(WAIT_S)
        if any(one.start_ms == POISON_MS for one in clips):
            raise self.error("this clip breaks it")
        return [heard(one.start_ms, hints) for one in clips]

    def sizes(self) -> list[int]:
        return [len(names) for names, _ in self.batches]


def packer(recogniser: Recogniser, threads: int = 1, batch_size: int = 4) -> ClipPacker:
    return ClipPacker(recogniser.decode, threads, batch_size)


def transcribe(packs: ClipPacker, clips: Sequence[Clip], hints: Hints) -> list[ClipTranscript]:
    return packs.transcribe(clips, hints, [one.channel for one in clips])


Asked = Future[list[ClipTranscript]]


@contextmanager
def asking_behind_a_busy_recogniser(recogniser: Recogniser, packs: ClipPacker):  # type: ignore[no-untyped-def]  # a generator of a closure
    """Occupy the one thread with a clip, and give what asks for more; all are decoded at the end."""
    with ThreadPoolExecutor(16) as pool:
        first = pool.submit(transcribe, packs, [clip(0, 1)], Hints())
        until(lambda: len(recogniser.batches) == 1)

        def ask(clips: Sequence[Clip], hints: Hints = Hints()) -> Asked:  # noqa: B008  # frozen
            waiting = len(packs._waiting)
            asked = pool.submit(transcribe, packs, clips, hints)
            until(lambda: len(packs._waiting) == waiting + len(clips))
            return asked

        try:
            yield ask
        finally:
            recogniser.open.set()
        first.result(WAIT_S)


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_clips_of_several_recordings_share_a_batch() -> None:
    recogniser = Recogniser()
    with asking_behind_a_busy_recogniser(recogniser, packer(recogniser)) as ask:
        one = ask([clip(1), clip(2)])
        other = ask([clip(3), clip(4)])
    assert [names for names, _ in recogniser.batches[1:]] == [[1, 2, 3, 4]]
    assert one.result() == [heard(1, Hints()), heard(2, Hints())]
    assert other.result() == [heard(3, Hints()), heard(4, Hints())]


def test_only_clips_of_one_width_and_with_the_same_hints_share_a_batch() -> None:
    recogniser = Recogniser()
    named, thorough = Hints(phrases=("话像",)), Hints(thorough=True)
    with asking_behind_a_busy_recogniser(recogniser, packer(recogniser)) as ask:
        ask([clip(1), clip(2, LONG)])
        ask([clip(3)], named)
        ask([clip(4)], thorough)
        ask([clip(5), clip(6, LONG)])
    assert recogniser.batches[1:] == [
        ([2, 6], Hints()),
        ([1, 5], Hints()),
        ([3], named),
        ([4], thorough),
    ]


def test_who_asked_first_is_served_first() -> None:
    recogniser = Recogniser()
    with asking_behind_a_busy_recogniser(recogniser, packer(recogniser, batch_size=2)) as ask:
        ask([clip(name) for name in (1, 2, 3)])
        ask([clip(4, LONG)])
        ask([clip(5)])
    assert [names for names, _ in recogniser.batches[1:]] == [[1, 2], [3, 5], [4]]


def test_no_batch_holds_more_than_it_may_however_many_wait() -> None:
    recogniser = Recogniser()
    with asking_behind_a_busy_recogniser(recogniser, packer(recogniser, batch_size=4)) as ask:
        for first in range(1, 100, 10):
            ask([clip(first + place) for place in range(10)])
    assert set(recogniser.sizes()[1:]) == {4}


@pytest.mark.parametrize(
    ("clips", "sizes"), [(2, [1, 1]), (3, [2, 1]), (5, [3, 2]), (6, [3, 3]), (8, [4, 4])]
)
def test_two_threads_share_what_one_recording_asks(clips: int, sizes: list[int]) -> None:
    recogniser = Recogniser()
    packs = packer(recogniser, threads=2)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(transcribe, packs, [clip(name) for name in range(clips)], Hints())
        until(lambda: len(recogniser.batches) == 2)
        assert recogniser.sizes() == sizes
        recogniser.open.set()
        assert asked.result(WAIT_S) == [heard(name, Hints()) for name in range(clips)]


@pytest.mark.parametrize("error", [ModelError, ZeroDivisionError, SystemExit])
def test_a_clip_that_breaks_a_batch_fails_only_who_asked_for_it(error: type[BaseException]) -> None:
    recogniser = Recogniser(error=error)
    packs = packer(recogniser)
    with asking_behind_a_busy_recogniser(recogniser, packs) as ask:
        well = ask([clip(1)])
        ill = ask([clip(POISON_MS)])
        also_well = ask([clip(3)])
    with pytest.raises(error):
        ill.result(WAIT_S)
    assert well.result(WAIT_S) == [heard(1, Hints())]
    assert also_well.result(WAIT_S) == [heard(3, Hints())]
    assert transcribe(packs, [clip(7)], Hints()) == [heard(7, Hints())]


def test_what_nobody_waits_for_any_more_is_not_decoded() -> None:
    recogniser = Recogniser()
    failed: list[Asked] = []

    def decode(clips: Sequence[Clip], hints: Hints, width: int) -> list[ClipTranscript]:
        if clips[0].start_ms == 1:
            until(failed[0].done)
        return recogniser.decode(clips, hints, width)

    packs = ClipPacker(decode, threads=1, batch_size=1)
    with asking_behind_a_busy_recogniser(recogniser, packs) as ask:
        failed.append(ask([clip(POISON_MS), clip(1), clip(2), clip(3)]))
    with pytest.raises(ModelError):
        failed[0].result(WAIT_S)
    assert transcribe(packs, [clip(9)], Hints()) == [heard(9, Hints())]
    assert [names for names, _ in recogniser.batches] == [[0], [POISON_MS], [1], [9]]
    assert packs._work_begun == 0


@pytest.mark.parametrize("given_too_few", [1, 2])
def test_a_decoder_that_loses_a_clip_leaves_nobody_waiting(given_too_few: int) -> None:
    packs = ClipPacker(lambda clips, hints, width: [], threads=1, batch_size=2)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(transcribe, packs, [clip(name) for name in range(given_too_few)], Hints())
        with pytest.raises(ModelError, match="clips were decoded"):
            asked.result(WAIT_S)


def test_nothing_asked_gives_nothing() -> None:
    assert transcribe(packer(Recogniser()), [], Hints()) == []


requests = st.lists(
    st.tuples(
        st.lists(st.sampled_from([SHORT, LONG, 12]), max_size=9),
        st.sampled_from([Hints(), Hints(thorough=True), Hints(phrases=("甲",))]),
        st.booleans(),
    ),
    min_size=1,
    max_size=8,
)


@settings(deadline=None, max_examples=60)
@given(requests, st.integers(1, 4), st.integers(1, 5))
def test_whoever_comes_when_gets_what_was_heard_in_their_own_clips(
    asked: list[tuple[list[int], Hints, bool]], threads: int, batch_size: int
) -> None:
    recogniser = Recogniser()
    recogniser.open.set()
    packs = packer(recogniser, threads, batch_size)
    names = iter(range(1000, 10_000))
    calls = [
        ([clip(next(names), width) for width in widths] + [clip(POISON_MS)] * poisoned, hints)
        for widths, hints, poisoned in asked
    ]
    with ThreadPoolExecutor(len(calls)) as pool:
        futures = [pool.submit(transcribe, packs, clips, hints) for clips, hints in calls]
        for (clips, hints), future, (_, _, poisoned) in zip(calls, futures, asked, strict=True):
            if poisoned:
                assert isinstance(future.exception(WAIT_S), ModelError)
            else:
                assert future.result(WAIT_S) == [heard(one.start_ms, hints) for one in clips]
    assert max(recogniser.sizes(), default=0) <= batch_size
