"""Reads the examples that a rule's author gives: small conversations with the result they must have."""

from __future__ import annotations

from yaml import Node, SequenceNode

from huaxiang.core.types import Json, Role
from huaxiang.quality.condition_reader import FACT_VALUES, NUMBERS
from huaxiang.quality.definition import Example, ExampleTurn
from huaxiang.quality.fields import Fields
from huaxiang.quality.heard import FACTS
from huaxiang.quality.yaml_reader import Reader, line_of

MOST_EXAMPLES = 50
MOST_TURNS = 60
_HOLDS = {"true": True, "false": False, "na": None}
_LONGEST_S = 86_400.0


def read_examples(fields: Fields) -> tuple[Example, ...]:
    """Return the examples of an item or rule."""
    if "examples" not in fields:
        return ()
    reader = fields.reader
    return tuple(_example(reader, node) for node in reader.items(fields["examples"], MOST_EXAMPLES))


def _example(reader: Reader, node: Node) -> Example:
    given = reader.mapping(node, {"turns", "holds", "metadata"}, {"turns", "holds"})
    nodes = reader.items(given["turns"], MOST_TURNS) if "turns" in given else []
    turns = tuple(turn for turn in (_turn(reader, entry) for entry in nodes) if turn is not None)
    timed = [turn.start_ms is not None for turn in turns]
    if any(timed) and not all(timed):
        reader.wrong(given["turns"], "example_times")
    starts = [turn.start_ms for turn in turns if turn.start_ms is not None]
    if starts != sorted(starts):
        reader.wrong(given["turns"], "example_order")
    holds = reader.choice(given["holds"], _HOLDS) if "holds" in given else "true"
    metadata = _metadata(reader, given["metadata"]) if "metadata" in given else {}
    return Example(turns, _HOLDS.get(holds, True), line_of(node), metadata)


def _turn(reader: Reader, node: Node) -> ExampleTurn | None:
    given = reader.mapping(node, {"agent", "customer", "at"})
    roles = [role for role in ("agent", "customer") if role in given]
    if len(roles) != 1:
        reader.wrong(node, "example_role")
        return None
    text = reader.text(given[roles[0]], 2000)
    if "at" not in given:
        return ExampleTurn(Role(roles[0]), text)
    at = given["at"]
    if not isinstance(at, SequenceNode) or len(at.value) != 2:
        reader.wrong(at, "example_order")
        return ExampleTurn(Role(roles[0]), text)
    start_s, end_s = (reader.number(part, 0, _LONGEST_S) for part in at.value)
    if end_s <= start_s:
        reader.wrong(at, "example_order")
        end_s = start_s + 1
    return ExampleTurn(Role(roles[0]), text, round(start_s * 1000), round(end_s * 1000))


def _metadata(reader: Reader, node: Node) -> dict[str, Json]:
    facts: dict[str, Json] = {}
    for name, value in reader.mapping(node, FACTS).items():
        if name == "tags":
            facts[name] = [reader.text(entry) for entry in reader.items(value)]
        elif name == "consent":
            facts[name] = reader.flag(value)
        elif name in NUMBERS:
            facts[name] = reader.number(value, 0, 1e9)
        else:
            facts[name] = (
                reader.choice(value, FACT_VALUES[name]) if name in FACT_VALUES else reader.text(value)
            )
    return facts
