"""Reading conversations in the guideline's format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from huaxiang.core.errors import InvalidConversation
from huaxiang.core.types import Role, Setting
from huaxiang.nlp.conversation_file import next_step_kind, read_conversations


def _document(**changes: Any) -> dict[str, Any]:
    turn = {"role": "customer", "text": "太贵了吧", "intents": ["negotiate"], "objection": "price"}
    return {"id": "a-1", "channel": "phone", "turns": [{"role": "agent", "text": "您好"}, turn]} | changes


def _write(tmp_path: Path, *documents: Any) -> Path:
    path = tmp_path / "calls.jsonl"
    path.write_text("\n".join(json.dumps(document, ensure_ascii=False) for document in documents), "utf-8")
    return path


def test_turns_keep_their_order_and_have_no_times(tmp_path: Path) -> None:
    (conversation,) = read_conversations(_write(tmp_path, _document()))
    assert conversation.id == conversation.transcript.recording_id == "a-1"
    assert conversation.setting is Setting.PHONE
    assert not conversation.transcript.timed
    assert [(turn.index, turn.role) for turn in conversation.transcript.turns] == [
        (0, Role.AGENT),
        (1, Role.CUSTOMER),
    ]


def test_labels_are_kept_beside_the_turns_and_never_in_them(tmp_path: Path) -> None:
    (conversation,) = read_conversations(_write(tmp_path, _document()))
    truth = conversation.labels.turns[1]
    assert truth.intents == {"negotiate"}
    assert truth.objection == "price"
    assert truth.sentiment == "neutral"


def test_a_conversation_without_labels_can_be_read(tmp_path: Path) -> None:
    bare = {"id": "b", "turns": [{"text": "喂"}]}
    (conversation,) = read_conversations(_write(tmp_path, bare))
    assert conversation.transcript.turns[0].role is Role.UNKNOWN
    assert conversation.transcript.turns[0].role_confidence == 0.5
    assert next_step_kind(conversation.labels) == "none"


def test_blank_lines_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    path.write_text("\n" + json.dumps(_document()) + "\n\n" + json.dumps(_document(id="a-2")) + "\n")
    assert [conversation.id for conversation in read_conversations(path)] == ["a-1", "a-2"]


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"id": ""}, "`id`"),
        ({"turns": []}, "at least one turn"),
        ({"turns": "您好"}, "has to be a list"),
        ({"channel": "fax"}, "phone, onsite or meeting"),
        ({"call": 3}, "`call` has to be an object"),
        ({"turns": [{"role": "boss", "text": "喂"}]}, "turn 0: `role`"),
        ({"turns": [{"role": "agent", "text": "  "}]}, "turn 0 needs a `text`"),
        ({"turns": [{"role": "agent", "text": "喂", "acts": ["hello"]}]}, "turn 0: `acts`"),
        ({"turns": [{"role": "agent", "text": "喂", "entities": [{"type": "x", "text": "喂"}]}]}, "entity"),
    ],
)
def test_a_mistake_is_named_with_file_line_and_cause(
    tmp_path: Path, changes: dict[str, Any], cause: str
) -> None:
    path = _write(tmp_path, _document(), _document(**changes))
    with pytest.raises(InvalidConversation, match=r"^calls\.jsonl, line 2: ") as caught:
        list(read_conversations(path))
    assert cause in caught.value.message
    assert caught.value.context == {"line": 2}


def test_text_that_is_not_json_or_not_utf8_is_named(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    path.write_bytes(b"{nonsense")
    with pytest.raises(InvalidConversation, match="line 1: is not JSON"):
        list(read_conversations(path))
    path.write_bytes("您好".encode("gbk"))
    with pytest.raises(InvalidConversation, match="line 1: is not UTF-8"):
        list(read_conversations(path))


def test_an_empty_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.write_text("")
    with pytest.raises(InvalidConversation, match="holds no conversation"):
        list(read_conversations(empty))
    with pytest.raises(InvalidConversation, match="cannot be read"):
        list(read_conversations(tmp_path / "missing.jsonl"))
