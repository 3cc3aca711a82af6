"""Something that is built once, however many ask for it at the same time."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from huaxiang.core.once import Once


def test_all_who_ask_at_once_get_the_same_one() -> None:
    together = threading.Barrier(8)
    built: list[object] = []

    def build() -> object:
        built.append(object())
        return built[-1]

    once = Once(build)

    def ask() -> object:
        together.wait(20)
        return once()

    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(ask) for _ in range(8)]
        assert {id(one.result()) for one in asked} == {id(built[0])}
    assert len(built) == 1


def test_what_could_not_be_built_is_built_when_it_is_asked_for_again() -> None:
    answers = iter([None, 7])

    def build() -> int:
        answer = next(answers)
        if answer is None:
            raise OSError("not yet")
        return answer

    once = Once(build)
    with pytest.raises(OSError, match="not yet"):
        once()
    assert once() == 7
    assert once() == 7
