"""How much what somebody says sounds like a seller: a linear model over runs of characters."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import regex

from huaxiang.core.errors import ModelCorrupt

_NOT_SAID = regex.compile(r"[^\p{L}\p{N}]|_")
_DIGIT = regex.compile(r"\p{Nd}")
LONGEST_RUN = 3
SHIPPED_WEIGHTS = Path(__file__).parent / "weights" / "seller-talk.json"


@dataclass(frozen=True, slots=True)
class SellerTalk:
    """Weights of runs of one to three characters, trained by ``huaxiang train roles``.

    ``score`` of a turn is the log-odds that a seller said it. ``scale`` turns the difference between
    two people's mean scores, over its standard error for turns of unit spread, into log-odds.
    """

    weights: Mapping[str, float]
    intercept: float
    scale: float

    @classmethod
    def load(cls, path: Path) -> SellerTalk:
        """Read the weights file. Raises ModelCorrupt where it is not one."""
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            return cls(document["weights"], float(document["intercept"]), float(document["scale"]))
        except (OSError, UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError) as error:
            raise ModelCorrupt(f"{path.name} holds no weights of seller talk") from error

    def score(self, text: str) -> float:
        """Return the log-odds that a seller said this turn."""
        return self.intercept + sum(self.weights.get(run, 0.0) for run in character_runs(text))

    def log_odds(self, one: Sequence[str], other: Sequence[str]) -> float:
        """Return the log-odds that ``one``, not ``other``, is the seller; 0 where either said nothing.

        Both are the turns that a person said.
        """
        if not one or not other:
            return 0.0
        difference = self._mean(one) - self._mean(other)
        return self.scale * difference / math.sqrt(1 / len(one) + 1 / len(other))

    def log_odds_alone(self, said: Sequence[str]) -> float:
        """Return the log-odds that whoever said these turns is a seller, with nobody to compare."""
        return self.scale * self._mean(said) * math.sqrt(len(said)) if said else 0.0

    def _mean(self, said: Sequence[str]) -> float:
        return sum(map(self.score, said)) / len(said)


def character_runs(text: str) -> frozenset[str]:
    """Return the runs of one to three letters and digits in a turn, every digit as 0."""
    said = _DIGIT.sub("0", _NOT_SAID.sub("", text))
    return frozenset(
        said[start : start + length]
        for length in range(1, LONGEST_RUN + 1)
        for start in range(len(said) - length + 1)
    )
