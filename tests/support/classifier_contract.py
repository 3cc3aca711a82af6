"""What every classifier keeps to, for the scripted twin and for the model alike."""

from __future__ import annotations

from collections.abc import Sequence

from huaxiang.core.types import Role, Turn
from huaxiang.nlp.classifier import Classifier, TurnLabels
from huaxiang.nlp.labels import ACTS, INTENTS, OBJECTIONS, SENTIMENTS

TURNS = (
    Turn(0, Role.AGENT, 0, 0, "您好，请问是王总吗？我是云联的小张。"),
    Turn(1, Role.CUSTOMER, 0, 0, "嗯你说。那个多少钱一年？"),
    Turn(2, Role.UNKNOWN, 0, 0, "太贵了吧，别家才三万。", role_confidence=0.5),
)


def check_contract(classifier: Classifier, turns: Sequence[Turn] = TURNS) -> None:
    """Assert what a user of the port relies on."""
    assert " @ " in classifier.source
    assert list(classifier.classify([])) == []
    found = classifier.classify(turns)
    assert len(found) == len(turns)
    assert list(classifier.classify(turns)) == list(found), "the same turns have the same labels"
    for turn, labels in zip(turns, found, strict=True):
        _check_turn(turn, labels)


def _check_turn(turn: Turn, labels: TurnLabels) -> None:
    assert 0.0 <= labels.customer_probability <= 1.0
    assert 0.0 <= labels.any_objection <= 1.0
    for inventory, scores in ((INTENTS, labels.intents), (ACTS, labels.acts)):
        assert {score.label for score in scores} <= set(inventory)
    singles = [score for score in (labels.objection, labels.sentiment) if score is not None]
    for score in (*labels.intents, *labels.acts, *singles):
        assert 0.0 <= score.probability <= 1.0
        assert 0 <= score.char_start < score.char_end <= len(turn.text)
    if labels.objection is not None:
        assert labels.objection.label in OBJECTIONS
    assert labels.chosen_sentiment() in SENTIMENTS
    if turn.role is Role.AGENT:
        assert labels.intents == ()
        assert labels.objection is None
    if turn.role is Role.CUSTOMER:
        assert labels.acts == ()
