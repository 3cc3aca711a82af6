"""``huaxiang rules check`` and ``rules test``: what is wrong in a rule file, and what its examples say."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from huaxiang.core.errors import InvalidRules
from huaxiang.core.types import Insights, Transcript, Turn
from huaxiang.quality.conditions import Heard, judge
from huaxiang.quality.definition import Condition, Example
from huaxiang.quality.loader import load_scorecard, parse_scorecard
from huaxiang.quality.yaml_reader import Mistake


class Understands(Protocol):
    """What finds acts and intents in an example's turns."""

    def run(self, transcript: Transcript) -> Insights:
        """Return the insights of a typed conversation."""
        ...


@dataclass(frozen=True, slots=True)
class ExampleResult:
    """One example of an item: what its author expects, and what the rule says."""

    item: str
    line: int
    expected: bool
    found: bool | None

    @property
    def agrees(self) -> bool:
        """Whether the rule says what its author expects."""
        return self.found is self.expected


def check_rules(path: Path) -> list[Mistake]:
    """Return every mistake of a scorecard file in the order of its lines; none means it can be used.

    Raises InvalidRules only for a file that is no UTF-8 text.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRules(f"{path.name} cannot be read as UTF-8 text") from error
    return parse_scorecard(text)[1]


def run_examples(path: Path, understanding: Understands) -> list[ExampleResult]:
    """Run each item's own examples. Raises InvalidRules for a file with mistakes."""
    return [
        ExampleResult(item.id, example.line, example.holds, _holds(example, understanding, item.condition))
        for item in load_scorecard(path).items
        for example in item.examples
    ]


def _holds(example: Example, understanding: Understands, condition: Condition) -> bool | None:
    turns = tuple(
        Turn(index, turn.role, 0, 0, turn.text, turn.text) for index, turn in enumerate(example.turns)
    )
    transcript = Transcript("example", turns, 0, timed=False)
    return judge(condition, Heard(transcript, understanding.run(transcript))).holds
