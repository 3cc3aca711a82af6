"""What a search gives, and how it says that it could not be made."""

from __future__ import annotations

from dataclasses import dataclass

from huaxiang.quality.verdicts import Hit


class NotJudged(Exception):
    """A search that cannot be made in this conversation; becomes a verdict with this reason code."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to in one stretch.

    ``shown`` are the hits that are quoted, the most telling first; ``hits`` are all, in their order.
    """

    holds: bool
    hits: tuple[Hit, ...] = ()
    shown: tuple[Hit, ...] = ()
    confidence: float = 1.0
    doubtful: bool = False


def enough(hits: list[Hit], at_least: int) -> Found:
    """Return what hits come to where so many are asked for."""
    if len(hits) >= at_least:
        return Found(True, tuple(hits), tuple(hits))
    return Found(False)
