"""What holds of entities in any text: nothing breaks the grammar, none overlap, quotes are exact."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import example, given
from hypothesis import strategies as st

from huaxiang.core.types import Role, Transcript, Turn
from huaxiang.nlp.entities import EntityGrammar
from huaxiang.nlp.entities.names import ScriptedNames
from huaxiang.nlp.entities.numerals import find_numerals

PIECES = st.sampled_from(
    [
        *"零一二两三四五六七八九十百千万亿点几多半块毛元个号年月日周天上下前后今明到第",
        *"0123456789.,:：-~，。 ¥",
        "分钟",
        "下午",
        "星期",
        "亿元",
        "个半",
        "二百五",
        "A",
        "€",
    ]
)
TEXTS = st.one_of(st.lists(PIECES, min_size=1, max_size=25).map("".join), st.text(min_size=1, max_size=40))
GRAMMAR = EntityGrammar(names=ScriptedNames())
STARTED = datetime(2026, 1, 31, 15, 30, tzinfo=UTC)


@given(st.lists(TEXTS, min_size=1, max_size=4))
@example(["一亿一"])
def test_any_conversation_has_exact_quotes_that_do_not_overlap(texts: list[str]) -> None:
    turns = tuple(Turn(index, Role.CUSTOMER, 0, 0, text, text) for index, text in enumerate(texts))
    last: dict[int, int] = {}
    for finding in GRAMMAR.find(Transcript("r", turns, duration_ms=0, timed=False), STARTED):
        (evidence,) = finding.evidence
        assert texts[evidence.turn][evidence.char_start : evidence.char_end] == evidence.quote
        assert evidence.char_start >= last.get(evidence.turn, 0)
        last[evidence.turn] = evidence.char_end
        assert finding.value is None or isinstance(finding.value, str | int | float)


@given(TEXTS)
def test_numerals_lie_in_the_text_in_order(text: str) -> None:
    position = 0
    for numeral in find_numerals(text):
        assert position <= numeral.start < numeral.end <= len(text)
        position = numeral.end


@given(TEXTS)
def test_the_same_text_has_the_same_entities(text: str) -> None:
    transcript = Transcript("r", (Turn(0, Role.AGENT, 0, 0, text, text),), duration_ms=0, timed=False)
    one, other = (GRAMMAR.find(transcript, STARTED) for _ in range(2))
    assert [(f.label, f.value, f.evidence) for f in one] == [(f.label, f.value, f.evidence) for f in other]
