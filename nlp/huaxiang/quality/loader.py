"""Reads scorecards and rule sets from YAML; every mistake of a file is named with its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TypeAlias

from yaml import MappingNode, Node, ScalarNode

from huaxiang.core.errors import InvalidRules
from huaxiang.quality.definition import Rule, RuleSet, ScorecardDefinition
from huaxiang.quality.mistakes import nearest_of
from huaxiang.quality.scorecard_reader import FileReader
from huaxiang.quality.yaml_reader import Mistake, Reader

DEFAULT = "general-sales"
Definition: TypeAlias = ScorecardDefinition | RuleSet
Library: TypeAlias = Mapping[str, Rule]
"""Rules of other files by their id, that a file may refer to."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A file as far as it could be read, with all its mistakes in the order of the file."""

    definition: Definition | None
    mistakes: tuple[Mistake, ...]


def parse(text: str, library: Library | None = None) -> Parsed:
    """Read a scorecard or a rule set; its keys tell which.

    ``library`` holds the rules that it may refer to; those that ship with the package if not given.
    """
    reader = Reader()
    root = reader.document(text)
    if root is None:
        return Parsed(None, tuple(sorted(reader.mistakes)))
    rules = shipped_rules() if library is None else library
    own = FileReader(reader, {name: rule.condition for name, rule in rules.items()})
    definition: Definition | None = None
    match _kind(_keys(root)):
        case "scorecard":
            definition = own.scorecard(root)
        case "ruleset":
            definition = own.ruleset(root)
        case _:
            reader.wrong(root, "neither_kind")
    return Parsed(definition, tuple(sorted(reader.mistakes)))


def parse_scorecard(text: str, library: Library | None = None) -> tuple[ScorecardDefinition, list[Mistake]]:
    """Return what could be read of a scorecard and all mistakes, in the order of the file."""
    parsed = parse(text, library)
    if isinstance(parsed.definition, ScorecardDefinition):
        return parsed.definition, list(parsed.mistakes)
    mistakes = list(parsed.mistakes) or [Mistake(1, 1, "neither_kind")]
    return ScorecardDefinition("", 1, "", "", ()), mistakes


def load(path: Path, library: Library | None = None) -> Definition:
    """Return the scorecard or rule set of a file. Raises InvalidRules naming file, places and mistakes."""
    parsed = parse(read_text(path), library)
    return without_mistakes(parsed, path.name)


def load_scorecard(path: Path, library: Library | None = None) -> ScorecardDefinition:
    """Return the scorecard in a file.

    Raises InvalidRules that names the file and every mistake with its line.
    """
    definition = load(path, library)
    if not isinstance(definition, ScorecardDefinition):
        raise InvalidRules(f"{path.name} holds rules, and no scorecard")
    return definition


def without_mistakes(parsed: Parsed, name: str) -> Definition:
    """Return the definition of a file without mistakes. Raises InvalidRules naming every mistake."""
    if parsed.definition is None or parsed.mistakes:
        listed = "; ".join(f"line {mistake.line}: {mistake.message}" for mistake in parsed.mistakes)
        raise InvalidRules(f"{name}: {listed}", mistakes=len(parsed.mistakes))
    return parsed.definition


def read_text(path: Path) -> str:
    """Return the text of a rule file. Raises InvalidRules where it is no UTF-8 text."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRules(f"{path.name} cannot be read as UTF-8 text") from error


@cache
def default_scorecard() -> ScorecardDefinition:
    """Return the general scorecard that ships with the package."""
    return load_scorecard(shipped_scorecard(DEFAULT))


def shipped_scorecard(name: str) -> Path:
    """Return the file of a scorecard that ships with the package."""
    return Path(str(files("huaxiang.quality").joinpath("scorecards", f"{name}.yaml")))


@cache
def shipped_texts() -> Mapping[str, str]:
    """Return the text of every file that ships with the package, rule sets first, by file name."""
    folders = (Path(str(files("huaxiang.quality").joinpath(name))) for name in ("rulesets", "scorecards"))
    return {path.name: read_text(path) for folder in folders for path in sorted(folder.glob("*.yaml"))}


@cache
def shipped_rules() -> Library:
    """Return the rules that ship with the package, by their id."""
    rules: dict[str, Rule] = {}
    for name, text in shipped_texts().items():
        if _starts(text, "ruleset"):
            definition = without_mistakes(parse(text, rules), name)
            rules.update({rule.id: rule for rule in definition.rules})
    return rules


@cache
def shipped_files() -> tuple[tuple[Definition, str], ...]:
    """Return everything that ships with the package: each file, read, with its text."""
    return tuple((without_mistakes(parse(text), name), text) for name, text in shipped_texts().items())


def shipped() -> tuple[Definition, ...]:
    """Return everything that ships with the package, read."""
    return tuple(definition for definition, _ in shipped_files())


def shipped_scorecards() -> tuple[ScorecardDefinition, ...]:
    """Return the scorecards that ship with the package."""
    return tuple(one for one in shipped() if isinstance(one, ScorecardDefinition))


def _kind(keys: list[str]) -> str | None:
    """Return what a file is by its keys: one that is only misspelt tells too."""
    for kind in ("scorecard", "ruleset"):
        if kind in keys:
            return kind
    if "sections" in keys:
        return "scorecard"
    near = (nearest_of(key, ("scorecard", "ruleset")) for key in keys)
    return next((kind for kind in near if kind), None)


def _starts(text: str, key: str) -> bool:
    return any(line.startswith(f"{key}:") for line in text.splitlines())


def _keys(root: Node) -> list[str]:
    if not isinstance(root, MappingNode):
        return []
    return [key.value for key, _ in root.value if isinstance(key, ScalarNode)]
