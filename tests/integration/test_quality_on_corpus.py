"""The general scorecard on the corpus: true labels of turns have to lead to the annotated judgements."""

from __future__ import annotations

from pathlib import Path

import pytest

from huaxiang.core.evidence import quote
from huaxiang.core.types import Finding, FindingKind, Insights
from huaxiang.nlp.conversation_file import Conversation, read_conversations
from huaxiang.nlp.labels import FORBIDDEN_ACTS
from huaxiang.quality import Inspector, default_scorecard


def true_insights(conversation: Conversation) -> Insights:
    findings = []
    for index, truth in enumerate(conversation.labels.turns):
        claims = [(FindingKind.ACT, act) for act in truth.acts]
        claims += [(FindingKind.INTENT, intent) for intent in truth.intents]
        claims += [(FindingKind.OBJECTION, truth.objection)] if truth.objection else []
        evidence = (quote(conversation.transcript, index),)
        findings += [Finding(kind, label, 0.95, "truth @ 1", evidence) for kind, label in claims]
    return Insights(tuple(findings), {})


@pytest.mark.shared
def test_true_labels_lead_to_the_annotated_judgements(shared_dir: Path) -> None:
    inspector = Inspector(default_scorecard())
    right: dict[str, list[bool]] = {}
    for conversation in read_conversations(shared_dir / "corpus" / "dev.jsonl"):
        scorecard = inspector.inspect(conversation.transcript, true_insights(conversation))
        truth = dict(conversation.labels.call["qa"])
        forbidden = truth.pop("forbidden")
        for item in scorecard.items:
            wanted = item.id not in forbidden if item.id in FORBIDDEN_ACTS else truth[item.id]
            right.setdefault(item.id, []).append(item.passed == wanted)
    accuracy = {name: sum(answers) / len(answers) for name, answers in right.items()}
    assert min(accuracy.values()) >= 0.92
    assert sum(accuracy.values()) / len(accuracy) >= 0.985
