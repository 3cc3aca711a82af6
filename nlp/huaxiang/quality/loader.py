"""Reads scorecards from YAML; every mistake of a file is named with its line."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from yaml import Node

from huaxiang.core.errors import InvalidRules
from huaxiang.core.types import Role
from huaxiang.quality.condition_reader import read_condition
from huaxiang.quality.definition import AllOf, Example, ExampleTurn, Item, ScorecardDefinition
from huaxiang.quality.yaml_reader import Mistake, Reader

DEFAULT = "general-sales"
_ITEM_KEYS = {"id", "title", "points", "passes_when", "fails_when", "applies_when", "auto_fail", "examples"}
_NOTHING = AllOf(())


def load_scorecard(path: Path) -> ScorecardDefinition:
    """Return the scorecard in a file.

    Raises InvalidRules that names the file and every mistake with its line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRules(f"{path.name} cannot be read as UTF-8 text") from error
    definition, mistakes = parse_scorecard(text)
    if mistakes:
        listed = "; ".join(f"line {mistake.line}: {mistake.message}" for mistake in mistakes)
        raise InvalidRules(f"{path.name}: {listed}", mistakes=len(mistakes))
    return definition


def default_scorecard() -> ScorecardDefinition:
    """Return the general scorecard that ships with the package."""
    return load_scorecard(shipped_scorecard(DEFAULT))


def shipped_scorecard(name: str) -> Path:
    """Return the file of a scorecard that ships with the package."""
    return Path(str(files("huaxiang.quality").joinpath("scorecards", f"{name}.yaml")))


def parse_scorecard(text: str) -> tuple[ScorecardDefinition, list[Mistake]]:
    """Return what could be read and all mistakes, in the order of the file."""
    reader = Reader()
    root = reader.document(text)
    if root is None:
        return ScorecardDefinition("", 1, "", "", ()), reader.mistakes
    keys = {"scorecard", "version", "title", "sections"}
    top = reader.mapping(root, keys, keys)
    zh, en = _titles(reader, top.get("title"))
    definition = ScorecardDefinition(
        id=reader.text(top["scorecard"], 64) if "scorecard" in top else "",
        version=reader.whole(top["version"], 1, 1_000_000) if "version" in top else 1,
        title_zh=zh,
        title_en=en,
        items=_items(reader, top["sections"]) if "sections" in top else (),
    )
    return definition, sorted(reader.mistakes)


def _items(reader: Reader, sections: Node) -> tuple[Item, ...]:
    items: list[Item] = []
    for section in reader.items(sections):
        given = reader.mapping(section, {"id", "title", "items"}, {"id", "title", "items"})
        section_id = reader.text(given["id"], 64) if "id" in given else ""
        _titles(reader, given.get("title"))
        for node in reader.items(given["items"]) if "items" in given else []:
            item = _item(reader, node, section_id)
            if item.id and any(item.id == other.id for other in items):
                reader.wrong(node, f"the item id {item.id!r} is used twice")
            items.append(item)
    return tuple(items)


def _item(reader: Reader, node: Node, section: str) -> Item:
    given = reader.mapping(node, _ITEM_KEYS, {"id", "title", "points"})
    rules = [key for key in ("passes_when", "fails_when") if key in given]
    if len(rules) != 1:
        reader.wrong(node, "an item has either passes_when or fails_when")
    zh, en = _titles(reader, given.get("title"))
    return Item(
        id=reader.text(given["id"], 64) if "id" in given else "",
        title_zh=zh,
        title_en=en,
        points=reader.number(given["points"], 0, 1000) if "points" in given else 0.0,
        condition=read_condition(reader, given[rules[0]]) if rules else _NOTHING,
        applies=read_condition(reader, given["applies_when"]) if "applies_when" in given else None,
        forbidden=rules == ["fails_when"],
        auto_fail=reader.flag(given["auto_fail"]) if "auto_fail" in given else False,
        section=section,
        examples=tuple(_example(reader, entry) for entry in reader.items(given["examples"]))
        if "examples" in given
        else (),
    )


def _example(reader: Reader, node: Node) -> Example:
    given = reader.mapping(node, {"turns", "holds"}, {"turns", "holds"})
    turns: list[ExampleTurn] = []
    for turn in reader.items(given["turns"]) if "turns" in given else []:
        for role, text in reader.mapping(turn, {"agent", "customer"}).items():
            turns.append(ExampleTurn(Role(role), reader.text(text, 2000)))
    holds = reader.flag(given["holds"]) if "holds" in given else True
    return Example(tuple(turns), holds, node.start_mark.line + 1)


def _titles(reader: Reader, node: Node | None) -> tuple[str, str]:
    if node is None:
        return "", ""
    given = reader.mapping(node, {"zh", "en"}, {"zh", "en"})
    return (
        reader.text(given["zh"]) if "zh" in given else "",
        reader.text(given["en"]) if "en" in given else "",
    )
