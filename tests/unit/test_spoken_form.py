"""Models read numbers as they are spoken, and what they find is placed in the text as it is written."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.asr.written_numbers import written_numbers
from huaxiang.core.types import Role, Transcript, Turn
from huaxiang.nlp.classifier import LabelScore, TurnLabels
from huaxiang.nlp.entities import EntityGrammar
from huaxiang.nlp.spoken_form import SpokenClassifier, spoken_form


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("原价8800，现在3万块", "原价八千八，现在三万块"),
        ("23.8万", "二十三万八"),
        ("1,200元", "一千二百元"),
        ("返现30%", "返现百分之三十"),
        ("3.5折", "三点五折"),
        ("2026年", "二零二六年"),
        ("13658820991", "幺三六五八八二零九九幺"),
        ("下午3点", "下午三点"),
        ("14:30", "十四点三十"),
        ("200多", "两百多"),
        ("A4纸和T90", "A4纸和T90"),
        ("一起", "一起"),
    ],
)
def test_digits_are_read_as_they_are_spoken(written: str, spoken: str) -> None:
    assert spoken_form(written).text == spoken


@given(st.lists(st.sampled_from(["我们", "8800", "，", "30%", "3万", "块", "x"]), max_size=8), st.data())
def test_a_span_of_the_spoken_form_is_one_of_the_text_and_holds_numbers_whole(
    parts: list[str], data: st.DataObject
) -> None:
    text = "".join(parts)
    form = spoken_form(text)
    assert form.written_span(0, len(form.text)) == (0, len(text))
    if form.text:
        start = data.draw(st.integers(0, len(form.text) - 1))
        end = data.draw(st.integers(start + 1, len(form.text)))
        written_start, written_end = form.written_span(start, end)
        assert 0 <= written_start < written_end <= len(text)
        inside = text[written_start:written_end]
        assert inside.count("我") == form.text[start:end].count("我")


class Everything:
    """Chooses one intent on the whole of each turn, as it is given."""

    source = "everything @ 1"

    def __init__(self) -> None:
        self.read: list[str] = []

    def classify(self, turns: tuple[Turn, ...]) -> list[TurnLabels]:
        self.read = [turn.text for turn in turns]
        return [
            TurnLabels(intents=(LabelScore("negotiate", 0.9, True, 0.5, 2, len(turn.text)),))
            for turn in turns
        ]


def test_a_classifier_reads_speech_and_its_spans_fit_the_text() -> None:
    inner = Everything()
    turn = Turn(0, Role.CUSTOMER, 0, 0, "能不能1280拿走")
    (labels,) = SpokenClassifier(inner).classify((turn,))  # type: ignore[arg-type]
    assert inner.read == ["能不能一千二百八拿走"]
    (score,) = labels.intents
    assert turn.text[score.char_start : score.char_end] == "能1280拿走"


@pytest.mark.shared
def test_entities_have_the_same_values_however_numbers_are_written(shared_dir: Path) -> None:
    grammar, began = EntityGrammar(), datetime(2026, 3, 4, 2, tzinfo=UTC)
    same = total = 0
    lines = (shared_dir / "corpus" / "dev.jsonl").read_text(encoding="utf-8").splitlines()
    for line in lines[::7]:
        found = []
        for form in (str, written_numbers):
            turns = tuple(
                Turn(place, Role(turn["role"]), 0, 0, form(turn["text"]))
                for place, turn in enumerate(json.loads(line)["turns"])
            )
            entities = grammar.find(Transcript("call", turns, 0, timed=False), began)
            found.append(
                Counter(
                    (entity.turn, entity.label, str(entity.value))
                    for entity in entities
                    if entity.label in ("money", "number", "time", "phone")
                )
            )
        same += (found[0] & found[1]).total()
        total += (found[0] | found[1]).total()
    assert total > 700
    assert same / total > 0.995
