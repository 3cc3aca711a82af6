"""The learning curve: more conversations, nested and never tested on, and labels that still rise."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from huaxiang.nlp.conversation_file import read_conversations
from huaxiang.nlp.learning_curve import learning_curve

SAID: dict[str, dict[str, Any]] = {
    "多少钱一年": {"intents": ["inquire_price"]},
    "我们不需要了": {"intents": ["reject"], "objection": "need"},
}


def test_more_conversations_make_more_points_and_what_is_plain_is_learned(tmp_path: Path) -> None:
    lines = []
    for number in range(40):
        said, labels = list(SAID.items())[number % 2]
        turns: list[dict[str, Any]] = [
            {"role": "agent", "text": "您好打扰了", "acts": ["greeting"]},
            {"role": "customer", "text": said} | labels,
        ]
        lines.append(json.dumps({"id": f"a-{number:03d}", "turns": turns}, ensure_ascii=False))
    path = tmp_path / "calls.jsonl"
    path.write_text("\n".join(lines), "utf-8")
    told: list[str] = []
    curve = learning_curve(list(read_conversations(path)), lambda what, done, total: told.append(what))
    assert [point["conversations"] for point in curve["points"]] == [6, 12, 24]
    assert curve["points"][-1]["intents"]["micro_f1"] == 1.0
    assert all(gain["gain"] > 0.03 for gain in curve["would_gain"])
    assert len(set(told)) == 3
