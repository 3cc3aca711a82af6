"""Who computes with torch has the number of threads that it asked for, whoever else does."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import torch

from huaxiang.core.torch_threads import bounded_threads


def test_two_at_once_compute_each_with_its_own_number_and_leave_it_as_it_was() -> None:
    before = torch.get_num_threads()

    def compute(threads: int) -> bool:
        for _ in range(50):
            with bounded_threads(threads):
                torch.ones(64, 64) @ torch.ones(64, 64)
                if torch.get_num_threads() != threads:
                    return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(compute, (1, 2, 3, 1)))
        assert set(pool.map(lambda _: torch.get_num_threads(), range(8))) == {before}
    assert torch.get_num_threads() == before


def test_it_may_be_asked_for_within_itself() -> None:
    with bounded_threads(2):
        with bounded_threads(1):
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
