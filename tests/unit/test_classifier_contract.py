"""The scripted classifier keeps to what every classifier keeps to."""

from __future__ import annotations

from classifier_contract import TURNS, check_contract

from huaxiang.nlp.classifier import LabelScore, ScriptedClassifier, TurnLabels


def test_the_scripted_classifier_keeps_the_contract() -> None:
    price = LabelScore("inquire_price", 0.9, True, 0.4, 4, 10)
    script = {TURNS[1].text: TurnLabels(intents=(price,), customer_probability=1.0)}
    classifier = ScriptedClassifier(script)
    check_contract(classifier)
    assert [labels.chosen_intents() for labels in classifier.classify(TURNS)] == [(), ("inquire_price",), ()]
