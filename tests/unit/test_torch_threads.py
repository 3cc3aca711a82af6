"""Who computes with torch has the number of threads that it asked for, and nobody else sets it meanwhile."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import torch

from huaxiang.core.torch_threads import bounded_threads

WAIT_S, MOMENT_S = 20.0, 0.1


def test_one_waits_for_the_other_and_the_number_is_put_back() -> None:
    before = torch.get_num_threads()
    inside = threading.Event()

    def compute() -> int:
        with bounded_threads(before + 2):
            inside.set()
            return torch.get_num_threads()

    with ThreadPoolExecutor(1) as pool:
        with bounded_threads(before + 1):
            other = pool.submit(compute)
            assert not inside.wait(MOMENT_S)
            assert torch.get_num_threads() == before + 1
        assert other.result(WAIT_S) == before + 2
        assert pool.submit(torch.get_num_threads).result(WAIT_S) == before
    assert torch.get_num_threads() == before


def test_it_may_be_asked_for_within_itself() -> None:
    with bounded_threads(2):
        with bounded_threads(1):
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
