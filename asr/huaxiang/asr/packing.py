"""Packs clips of like length into full batches, from whichever recordings wait for the recogniser."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from huaxiang.asr.transcriber import Clip, ClipTranscript, Hints
from huaxiang.core.errors import ModelError

Decode = Callable[[Sequence[Clip], Hints, int], Sequence[ClipTranscript]]
"""Decodes clips of one width with the same hints; gives one result a clip."""


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """A clip that somebody waits for."""

    clip: Clip
    hints: Hints
    width: int
    result: Future[ClipTranscript] = field(default_factory=Future)

    def goes_with(self, other: _Asked) -> bool:
        return self.width == other.width and self.hints == other.hints


@dataclass(slots=True, eq=False)
class _Batch:
    """Clips that are decoded together; empty until a thread takes them."""

    asked: list[_Asked] = field(default_factory=list)

    @property
    def work(self) -> int:
        return sum(one.width for one in self.asked)


class ClipPacker:
    """Shares a recogniser among all who ask at once.

    Each of ``threads`` takes, whenever it is free, the clip that has waited longest, and up to ``batch_size``
    clips of the same ``width`` and with the same hints, whoever asked for them; so no more than ``threads``
    times ``batch_size`` clips are decoded at once, however many recordings wait. Towards the end batches are
    smaller, so that no thread is idle while another has several clips before it. ``decode`` must give for a
    clip of a width what it would give for the clip by itself.
    """

    def __init__(self, decode: Decode, threads: int, batch_size: int) -> None:
        self._decode = decode
        self._threads = threads
        self._batch_size = batch_size
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="recogniser")
        self._lock = threading.Lock()
        self._waiting: list[_Asked] = []
        self._work_begun = 0

    def transcribe(self, clips: Sequence[Clip], hints: Hints, widths: Sequence[int]) -> list[ClipTranscript]:
        """Return one result a clip, in the order of the clips; raise what decoding one of them raised.

        ``widths`` has one a clip. A batch that fails is decoded again clip by clip, so an error reaches only
        who asked for its clip.
        """
        asked = [_Asked(clip, hints, width) for clip, width in zip(clips, widths, strict=True)]
        with self._lock:
            self._waiting.extend(sorted(asked, key=lambda one: -one.width))
        try:
            for _ in asked:  # a thread that finds nothing waiting has nothing to do: others took it along
                batch = _Batch()
                self._pool.submit(self._decode_next, batch).add_done_callback(partial(self._ended, batch))
            return [one.result.result() for one in asked]
        finally:
            # Where one has failed, or the caller is interrupted, nobody waits for the others.
            for one in asked:
                one.result.cancel()

    def _decode_next(self, batch: _Batch) -> Sequence[ClipTranscript]:
        with self._lock:
            batch.asked = self._taken()
            self._work_begun += batch.work
        return self._decoded(batch.asked) if batch.asked else ()

    def _decoded(self, asked: Sequence[_Asked]) -> Sequence[ClipTranscript]:
        results = self._decode([one.clip for one in asked], asked[0].hints, asked[0].width)
        if len(results) != len(asked):
            raise ModelError(f"{len(asked)} clips were decoded to {len(results)} results")
        return results

    def _taken(self) -> list[_Asked]:
        """Take a batch from what waits."""
        self._waiting = [one for one in self._waiting if not one.result.cancelled()]
        if not self._waiting:
            return []
        head = self._waiting[0]
        work = self._work_begun + sum(one.width for one in self._waiting)
        fair = -(-work // (self._threads * head.width))
        alike = [one for one in self._waiting if one.goes_with(head)]
        batch = alike[: max(min(fair, self._batch_size), 1)]
        chosen = set(map(id, batch))
        self._waiting = [one for one in self._waiting if id(one) not in chosen]
        return [one for one in batch if one.result.set_running_or_notify_cancel()]

    def _ended(self, batch: _Batch, done: Future[Sequence[ClipTranscript]]) -> None:
        """Hand out what a batch gave; whatever it raised, nobody is left waiting."""
        with self._lock:
            self._work_begun -= batch.work
        error = done.exception()
        if error is None:
            for one, result in zip(batch.asked, done.result(), strict=True):
                one.result.set_result(result)
        elif len(batch.asked) == 1:
            batch.asked[0].result.set_exception(error)
        else:
            for one in batch.asked:
                alone = _Batch([one])
                with self._lock:
                    self._work_begun += alone.work
                again = self._pool.submit(self._decoded, alone.asked)
                again.add_done_callback(partial(self._ended, alone))


def balanced(costs: Sequence[int], batches: int, largest: int) -> list[int]:
    """Return the sizes of consecutive batches, none over ``largest``, of which the dearest is cheapest.

    ``costs`` fall; a batch costs its first item's cost for each item. There are at most ``batches``, which
    must be enough for batches of ``largest``.
    """
    bounds = sorted({cost * size for cost in costs for size in range(1, largest + 1)})
    for bound in bounds:
        sizes: list[int] = []
        while sum(sizes) < len(costs):
            left = len(costs) - sum(sizes)
            sizes.append(min(largest, left, bound // costs[sum(sizes)]))
            if sizes[-1] == 0 or len(sizes) > batches:
                break
        else:
            return sizes
    return []
