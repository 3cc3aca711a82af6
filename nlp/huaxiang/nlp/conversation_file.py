"""Reads conversations in the format of the annotation guideline: one JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from huaxiang.core.errors import InvalidConversation
from huaxiang.core.types import Role, Setting, Transcript, Turn
from huaxiang.nlp.labels import ACTS, ENTITY_TYPES, INTENTS, NEXT_STEPS, OBJECTIONS, SENTIMENTS


@dataclass(frozen=True, slots=True)
class EntityLabel:
    """An entity as annotated; ``value`` is the normalised value where the guideline asks for one."""

    type: str
    text: str
    value: str | float | int | None = None


@dataclass(frozen=True, slots=True)
class TurnTruth:
    """The annotated labels of one turn."""

    intents: frozenset[str] = frozenset()
    objection: str | None = None
    sentiment: str = "neutral"
    acts: frozenset[str] = frozenset()
    entities: tuple[EntityLabel, ...] = ()


@dataclass(frozen=True, slots=True)
class ConversationLabels:
    """The annotated truth of one conversation; ``call`` holds the call level as written."""

    turns: tuple[TurnTruth, ...]
    call: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation of a file: its turns, and its labels where the file has them."""

    id: str
    industry: str
    setting: Setting | None
    transcript: Transcript
    labels: ConversationLabels


def read_conversations(path: Path) -> Iterator[Conversation]:
    """Yield the conversations of a JSONL file (UTF-8), in order. Labels may be missing.

    Raises InvalidConversation with the file's name, the line and the cause.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InvalidConversation(f"{path}: cannot be read ({error.strerror})") from error
    found = False
    for number, raw in enumerate(data.split(b"\n"), start=1):
        if not raw.strip():
            continue
        found = True
        try:
            yield parse_conversation(_object(raw))
        except InvalidConversation as error:
            raise InvalidConversation(f"{path.name}, line {number}: {error.message}", line=number) from error
    if not found:
        raise InvalidConversation(f"{path.name}: holds no conversation; write one JSON object a line")


def parse_conversation(document: Mapping[str, Any]) -> Conversation:
    """Return one conversation from its JSON object. Raises InvalidConversation with the cause."""
    identity = _text(document, "id", "the conversation")
    turns = document.get("turns")
    if not isinstance(turns, list) or not turns:
        raise InvalidConversation("`turns` has to be a list with at least one turn")
    parsed = [_turn(index, turn) for index, turn in enumerate(turns)]
    transcript = Transcript(
        recording_id=identity,
        turns=tuple(turn for turn, _ in parsed),
        duration_ms=0,
        recogniser="typed",
        timed=False,
    )
    call = document.get("call", {})
    if not isinstance(call, dict):
        raise InvalidConversation("`call` has to be an object")
    return Conversation(
        id=identity,
        industry=str(document.get("industry", "")),
        setting=_setting(document.get("channel")),
        transcript=transcript,
        labels=ConversationLabels(turns=tuple(truth for _, truth in parsed), call=call),
    )


def parse_turn_truth(turn: Mapping[str, Any], where: str) -> TurnTruth:
    """Return the labels of one turn object. Raises InvalidConversation for an unknown label."""
    objection = turn.get("objection")
    if objection is not None:
        _known([objection], OBJECTIONS, "objection", where)
    sentiment = turn.get("sentiment", "neutral")
    _known([sentiment], SENTIMENTS, "sentiment", where)
    return TurnTruth(
        intents=_labels(turn, "intents", INTENTS, where),
        objection=objection,
        sentiment=sentiment,
        acts=_labels(turn, "acts", ACTS, where),
        entities=_entities(turn.get("entities", []), where),
    )


def next_step_kind(labels: ConversationLabels) -> str:
    """Return the annotated kind of next step, ``none`` where the call has none."""
    step = labels.call.get("next_step")
    kind = step.get("kind", "none") if isinstance(step, dict) else "none"
    return kind if kind in NEXT_STEPS else "none"


def _object(raw: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise InvalidConversation("is not UTF-8") from error
    except json.JSONDecodeError as error:
        raise InvalidConversation(f"is not JSON ({error.msg} at column {error.colno})") from error
    if not isinstance(document, dict):
        raise InvalidConversation("has to be a JSON object")
    return document


def _turn(index: int, turn: object) -> tuple[Turn, TurnTruth]:
    where = f"turn {index}"
    if not isinstance(turn, dict):
        raise InvalidConversation(f"{where} has to be an object")
    text = _text(turn, "text", where)
    try:
        role = Role(turn.get("role", Role.UNKNOWN))
    except ValueError as error:
        raise InvalidConversation(f"{where}: `role` has to be agent, customer or unknown") from error
    confidence = 0.5 if role is Role.UNKNOWN else 1.0
    return (
        Turn(
            index=index,
            role=role,
            start_ms=0,
            end_ms=0,
            text=text,
            raw_text=text,
            role_confidence=confidence,
        ),
        parse_turn_truth(turn, where),
    )


def _text(document: Mapping[str, Any], key: str, where: str) -> str:
    value = document.get(key)
    if not isinstance(value, str) or not value.strip():
        raise InvalidConversation(f"{where} needs a `{key}` that is a string and not empty")
    return value


def _setting(value: object) -> Setting | None:
    if value is None:
        return None
    try:
        return Setting(str(value))
    except ValueError as error:
        raise InvalidConversation("`channel` has to be phone, onsite or meeting") from error


def _labels(turn: Mapping[str, Any], key: str, known: Mapping[str, str], where: str) -> frozenset[str]:
    values = turn.get(key, [])
    if not isinstance(values, list):
        raise InvalidConversation(f"{where}: `{key}` has to be a list")
    _known(values, known, key, where)
    return frozenset(values)


def _known(values: list[Any], known: Mapping[str, str], key: str, where: str) -> None:
    for value in values:
        if not isinstance(value, str) or value not in known:
            raise InvalidConversation(f"{where}: `{key}` holds a label that the guideline does not know")


def _entities(values: object, where: str) -> tuple[EntityLabel, ...]:
    if not isinstance(values, list):
        raise InvalidConversation(f"{where}: `entities` has to be a list")
    entities = []
    for value in values:
        if not isinstance(value, dict) or value.get("type") not in ENTITY_TYPES:
            raise InvalidConversation(f"{where}: an entity needs a `type` that the guideline knows")
        text = _text(value, "text", f"{where}: an entity")
        entities.append(EntityLabel(type=value["type"], text=text, value=value.get("value")))
    return tuple(entities)
