"""How many processor threads torch computes with."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

# torch counts its threads per process: two who set them at once would compute with each other's number,
# and the last to end would put back what the other had set.
_one_at_a_time = threading.RLock()


@contextmanager
def bounded_threads(threads: int) -> Iterator[None]:
    """Compute with ``threads`` threads, and put the setting back; one thread of the process at a time.

    Others wait, so it is held for a batch and not for a whole history.
    """
    import torch

    with _one_at_a_time:
        before = torch.get_num_threads()
        torch.set_num_threads(threads)
        try:
            yield
        finally:
            torch.set_num_threads(before)
