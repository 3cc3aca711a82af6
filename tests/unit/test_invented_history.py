"""The history that is made up: the same from the same seed, and whole as the stages would leave it."""

from __future__ import annotations

from collections import Counter

from huaxiang.core.types import FindingKind, Role
from huaxiang.nlp.labels import ACTS, INTENTS, OBJECTIONS
from huaxiang.quality import Inspector, default_scorecard
from huaxiang.quality.history.invented import SELLERS, invented_history
from huaxiang.quality.history.invented_turns import unmarked


def test_the_same_seed_gives_the_same_history_whole_or_in_parts() -> None:
    whole = list(invented_history(30, seed=4))
    parts = [*invented_history(10, seed=4), *invented_history(20, seed=4, start=10)]
    assert parts == whole
    assert list(invented_history(3, seed=5)) != whole[:3]


def test_every_finding_quotes_its_turn_and_lies_within_it() -> None:
    for conversation in invented_history(40):
        turns = conversation.transcript.turns
        for finding in conversation.insights.findings:
            for said in finding.evidence:
                turn = turns[said.turn]
                assert turn.text[said.char_start : said.char_end] == said.quote
                assert said.start_ms is not None
                assert said.end_ms is not None
                assert turn.start_ms <= said.start_ms < said.end_ms <= turn.end_ms


def test_the_words_of_a_turn_are_its_raw_text() -> None:
    for conversation in invented_history(5):
        for turn in conversation.transcript.turns:
            assert "".join(word.text for word in turn.words) == turn.raw_text
            assert turn.words[0].start_ms == turn.start_ms
            assert turn.words[-1].end_ms == turn.end_ms


def test_acts_are_the_sellers_and_intents_the_customers() -> None:
    for conversation in invented_history(40):
        roles = {turn.index: turn.role for turn in conversation.transcript.turns}
        for finding in conversation.insights.findings:
            if finding.kind is FindingKind.ACT:
                assert finding.label in ACTS
                assert roles[finding.turn] is Role.AGENT
            if finding.kind is FindingKind.INTENT:
                assert finding.label in INTENTS
                assert roles[finding.turn] is Role.CUSTOMER
            if finding.kind is FindingKind.OBJECTION:
                assert finding.label in OBJECTIONS


def test_twelve_sellers_of_three_teams_win_lose_and_differ() -> None:
    conversations = list(invented_history(240))
    assert len({seller.key for seller in SELLERS}) == 12
    assert len({seller.team for seller in SELLERS}) == 3
    assert {conversation.outcome for conversation in conversations} == {"won", "lost", "open"}
    inspector = Inspector(default_scorecard())
    failed: Counter[str] = Counter()
    for conversation in conversations:
        scorecard = inspector.inspect(conversation.transcript, conversation.insights)
        failed.update(item.id for item in scorecard.items if item.passed is False)
    assert len(failed) >= 10, "nearly every item of the scorecard fails somewhere"


def test_marks_may_be_nested() -> None:
    text, found = unmarked("[act.quote:一共[money:88元]]。")
    assert text == "一共88元。"
    assert found == [("entity", "money", 2, 5), ("act", "quote", 0, 5)]
