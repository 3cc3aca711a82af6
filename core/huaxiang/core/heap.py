"""How the process takes memory from the C library."""

from __future__ import annotations

import ctypes

_ARENA_MAX = -8  # M_ARENA_MAX of mallopt(3) in glibc


def share_one_heap() -> bool:
    """Have threads that start from now on take memory from the process's heap; tell whether that is so.

    glibc gives each busy thread a heap of its own, which keeps what the thread once needed: threads that
    decode in turn then hold several times what is in use. Other C libraries do not, and know no such option.
    """
    option = getattr(ctypes.CDLL(None), "mallopt", None)
    return option is not None and option(_ARENA_MAX, 1) == 1


def give_back() -> None:
    """Return to the system what the heap holds and nobody uses, as after models were loaded.

    glibc keeps it for later; other C libraries have no such call.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
