"""``huaxiang rules check`` and ``rules test``: what is wrong in a rule file, and what its examples say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from huaxiang.core.types import Insights, Transcript, Turn
from huaxiang.quality.condition_types import Condition
from huaxiang.quality.conditions import judge
from huaxiang.quality.definition import Example, Rule, RuleSet, ScorecardDefinition
from huaxiang.quality.heard import Heard, Told
from huaxiang.quality.loader import Definition, Library, load, parse, read_text
from huaxiang.quality.mistakes import Mistake


class Understands(Protocol):
    """What finds acts and intents in an example's turns."""

    def run(self, transcript: Transcript) -> Insights:
        """Return the insights of a conversation."""
        ...


Hear = Callable[[Transcript, Insights, Told], Heard]
"""Makes a conversation what conditions see; the one of ``ScorecardInspection`` compares meanings too."""


@dataclass(frozen=True, slots=True)
class ExampleResult:
    """One example of an item or rule: what its author expects, and what the condition says.

    True and false are whether the condition holds, None that it does not apply; ``reason`` is the code
    of why not.
    """

    item: str
    line: int
    expected: bool | None
    found: bool | None
    reason: str = ""

    @property
    def agrees(self) -> bool:
        """Whether the rule says what its author expects."""
        return self.found is self.expected


def check_rules(path: Path, library: Library | None = None) -> list[Mistake]:
    """Return every mistake of a rule file in the order of its lines; none means it can be used.

    Raises InvalidRules only for a file that is no UTF-8 text.
    """
    return list(parse(read_text(path), library).mistakes)


def run_examples(
    path: Path,
    understanding: Understands,
    hear: Hear = Heard,
    library: Library | None = None,
) -> list[ExampleResult]:
    """Run the examples of a file. Raises InvalidRules for a file with mistakes."""
    return run_examples_of(load(path, library), understanding, hear)


def run_examples_of(
    definition: Definition, understanding: Understands, hear: Hear = Heard
) -> list[ExampleResult]:
    """Run each item's and each rule's own examples, in the order of the file.

    With plain ``Heard`` rules that compare meanings cannot be told.
    """
    results = [
        _result(name, example, condition, applies, understanding, hear)
        for name, condition, applies, examples in _tested(definition)
        for example in examples
    ]
    return sorted(results, key=lambda result: result.line)


Tested = tuple[str, Condition, Condition | None, tuple[Example, ...]]


def _tested(definition: Definition) -> Iterator[Tested]:
    rules: tuple[Rule, ...] = definition.rules
    for rule in rules:
        yield rule.id, rule.condition, None, rule.examples
    if isinstance(definition, ScorecardDefinition):
        for item in definition.items:
            yield item.id, item.condition, item.applies, item.examples


def _result(
    name: str,
    example: Example,
    condition: Condition,
    applies: Condition | None,
    understanding: Understands,
    hear: Hear,
) -> ExampleResult:
    transcript = transcript_of(example)
    heard = hear(transcript, understanding.run(transcript), Told(example.metadata))
    if applies is not None and judge(applies, heard).holds is not True:
        return ExampleResult(name, example.line, example.holds, None, "not_applicable")
    verdict = judge(condition, heard)
    return ExampleResult(name, example.line, example.holds, verdict.holds, verdict.code)


def transcript_of(example: Example) -> Transcript:
    """Return an example as a transcript; it is timed where the author gave times."""
    timed = all(turn.start_ms is not None for turn in example.turns)
    turns = tuple(
        Turn(index, turn.role, turn.start_ms or 0, turn.end_ms or 0, turn.text, turn.text)
        for index, turn in enumerate(example.turns)
    )
    return Transcript("example", turns, max((turn.end_ms for turn in turns), default=0), timed=timed)


def example_count(definition: ScorecardDefinition | RuleSet) -> int:
    """Return how many examples a file has to run."""
    return sum(len(examples) for _, _, _, examples in _tested(definition))
