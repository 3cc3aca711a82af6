"""Every metric on conversations small enough to work out on paper; the sums stand beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from huaxiang.core.types import Evidence, Finding, FindingKind, Role, Transcript, Turn, Word
from huaxiang.nlp.metrics import conversation_metrics

A, C, U = Role.AGENT, Role.CUSTOMER, Role.UNKNOWN
Said = tuple[Role, int, int, str]


def conversation(*said: Said, timed: bool = True, media_ms: int = 0) -> Transcript:
    turns = tuple(
        Turn(index=index, role=role, start_ms=start, end_ms=end, text=text, raw_text=text)
        for index, (role, start, end, text) in enumerate(said)
    )
    return Transcript("r", turns, duration_ms=media_ms, timed=timed)


def feeling(transcript: Transcript, turn: int, label: str, confidence: float = 0.9) -> Finding:
    text = transcript.turns[turn].text
    evidence = Evidence("r", turn, 0, len(text), 0, 1, text)
    return Finding(FindingKind.SENTIMENT, label, confidence, "hand @ 1", (evidence,))


def measured(transcript: Transcript, findings: Sequence[Finding] = (), **options: int) -> dict[str, Any]:
    return dict(conversation_metrics(transcript, tuple(findings), **options)[0])


def codes(transcript: Transcript) -> dict[str, str]:
    return {skipped.feature: skipped.code for skipped in conversation_metrics(transcript, ())[1]}


TALK = conversation(
    (A, 1000, 5000, "您好我是小张"),
    (C, 5500, 9500, "你好"),
    (A, 9000, 13000, "想跟您聊聊录音工牌"),
    (C, 18000, 20000, "那多少钱一年"),
    media_ms=25000,
)


class TestTalkTime:
    def test_each_party_both_and_both_at_once(self) -> None:
        # agent 4 s + 4 s, customer 4 s + 2 s; both speak from 9.0 to 9.5
        expected = {"agent": 8000, "customer": 6000, "sum": 14000, "union": 13500, "overlap": 500}
        assert measured(TALK)["talk_time_ms"] == expected

    def test_ratio_leaves_silence_out(self) -> None:
        assert measured(TALK)["talk_ratio"] == round(8 / 14, 4)

    def test_duration_ends_with_the_last_word_and_the_media_keeps_its_own(self) -> None:
        metrics = measured(TALK)
        assert (metrics["duration_ms"], metrics["media_duration_ms"]) == (20000, 25000)

    def test_share_of_the_whole_call(self) -> None:
        assert measured(TALK)["agent_talk_pct"] == 40.0  # 8 s of 20 s

    def test_a_party_that_talks_over_itself_is_counted_once(self) -> None:
        metrics = measured(conversation((A, 0, 4000, "一二三四"), (A, 2000, 6000, "五六七八")))
        assert metrics["talk_time_ms"]["agent"] == 6000

    def test_a_long_pause_within_a_turn_is_not_talking(self) -> None:
        words = (Word(0, 1000, "您好", 0.9), Word(1500, 2000, "啊", 0.9), Word(8000, 9000, "在吗", 0.9))
        turn = Turn(index=0, role=A, start_ms=0, end_ms=9000, text="您好啊，在吗", words=words)
        metrics = measured(Transcript("r", (turn,), duration_ms=9000))
        assert metrics["talk_time_ms"]["agent"] == 3000  # 0-2 s and 8-9 s
        assert metrics["non_talk"]["spans"] == [{"start_ms": 2000, "end_ms": 8000}]

    def test_words_tell_when_a_turn_sounds_not_its_own_bounds(self) -> None:
        words = (Word(2000, 3000, "您好", 0.9), Word(3000, 4000, "在吗", 0.9))
        turn = Turn(index=0, role=A, start_ms=0, end_ms=9000, text="您好在吗", words=words)
        metrics = measured(Transcript("r", (turn,), duration_ms=9000))
        assert metrics["talk_time_ms"]["agent"] == metrics["longest_monologue_ms"] == 2000
        assert metrics["duration_ms"] == 4000


class TestSilence:
    def test_spans_longer_than_the_threshold_with_total_and_share(self) -> None:
        silence = measured(TALK)["non_talk"]  # 13 s to 18 s
        assert silence["spans"] == [{"start_ms": 13000, "end_ms": 18000}]
        assert (silence["count"], silence["total_ms"], silence["share"]) == (1, 5000, 0.25)
        assert silence["threshold_ms"] == 3000

    def test_the_threshold_can_be_set(self) -> None:
        assert measured(TALK, non_talk_threshold_ms=5000)["non_talk"]["spans"] == []  # 5 s is not longer
        assert len(measured(TALK, non_talk_threshold_ms=400)["non_talk"]["spans"]) == 2

    def test_it_does_not_need_to_know_who_speaks(self) -> None:
        transcript = conversation((U, 0, 1000, "喂"), (U, 6000, 7000, "喂"))
        assert measured(transcript)["non_talk"]["total_ms"] == 5000


class TestBackChannel:
    def test_a_listeners_token_inside_the_others_turn(self) -> None:
        transcript = conversation((A, 0, 8000, "我们这款工牌可以录八个小时"), (C, 3000, 3400, "嗯嗯"))
        assert measured(transcript)["back_channel"] == {"agent": 0, "customer": 1}

    def test_a_token_between_two_turns_of_a_speaker_who_goes_on(self) -> None:
        transcript = conversation(
            (A, 0, 4000, "我们这款工牌"), (C, 4100, 4500, "对"), (A, 4700, 8000, "可以录八个小时")
        )
        assert measured(transcript)["back_channel"]["customer"] == 1

    def test_an_answer_is_none(self) -> None:
        transcript = conversation(
            (A, 0, 4000, "您看可以吗"), (C, 4800, 5200, "可以"), (A, 6000, 8000, "好的那就定了")
        )
        assert measured(transcript)["back_channel"]["customer"] == 0

    def test_other_short_words_are_none(self) -> None:
        transcript = conversation((A, 0, 8000, "我们这款工牌可以录八个小时"), (C, 3000, 3700, "太贵了"))
        assert measured(transcript)["back_channel"]["customer"] == 0


class TestInterruption:
    def test_cutting_in_and_taking_the_floor(self) -> None:
        transcript = conversation((C, 0, 5000, "我们现在用的那家"), (A, 4000, 8000, "那家不行的"))
        expected = [{"by": "agent", "turn": 1, "start_ms": 4000, "end_ms": 5000}]
        assert measured(transcript)["interruption"] == expected

    @pytest.mark.parametrize(
        ("start_ms", "end_ms", "text"),
        [
            (900, 8000, "那家不行的"),  # less than a second into the other's turn
            (4800, 8000, "那家不行的"),  # overlaps by only 200 ms
            (3000, 4500, "那家不行的"),  # the other goes on: the floor is not taken
            (4200, 5600, "嗯嗯"),  # a listener
        ],
    )
    def test_what_interrupts_nobody(self, start_ms: int, end_ms: int, text: str) -> None:
        transcript = conversation((C, 0, 5000, "我们现在用的那家"), (A, start_ms, end_ms, text))
        assert measured(transcript)["interruption"] == []


class TestSpeechRate:
    def test_characters_a_minute_of_own_talk(self) -> None:
        # agent 6 + 9 characters in 8 s, customer 2 + 6 in 6 s
        assert measured(TALK)["speech_rate"] == {"agent": 112.5, "customer": 80.0}

    def test_numbers_count_as_they_are_read_and_latin_by_words(self) -> None:
        # 一年六千四百块 is 7 characters, CRM one word: 8 in 4 s
        transcript = conversation((A, 0, 4000, "CRM一年6400块"), (C, 4000, 8000, "哦"))
        assert measured(transcript)["speech_rate"]["agent"] == 120.0

    def test_a_party_that_hardly_speaks_has_no_rate(self) -> None:
        transcript = conversation((A, 0, 4000, "您好您好"), (C, 5000, 5500, "喂"))
        assert measured(transcript)["speech_rate"]["customer"] is None


class TestMonologue:
    def test_runs_with_short_gaps_are_joined_over_listeners_tokens(self) -> None:
        transcript = conversation(
            (A, 0, 10_000, "第一段介绍"),
            (C, 9_500, 9_900, "嗯"),
            (A, 11_000, 20_000, "第二段介绍"),
            (C, 20_500, 23_500, "你们有案例吗"),
            (A, 24_000, 30_000, "有的"),
        )
        metrics = measured(transcript)
        assert metrics["longest_monologue_ms"] == 20_000
        assert metrics["longest_customer_story_ms"] == 3_000

    def test_a_gap_of_two_seconds_ends_a_run(self) -> None:
        transcript = conversation((A, 0, 4000, "第一段"), (A, 6000, 9000, "第二段"))
        assert measured(transcript)["longest_monologue_ms"] == 4000

    def test_a_real_turn_of_the_other_ends_a_run(self) -> None:
        transcript = conversation(
            (A, 0, 4000, "第一段"), (C, 4100, 5000, "太贵了"), (A, 5100, 9000, "第二段")
        )
        assert measured(transcript)["longest_monologue_ms"] == 4000


class TestPatience:
    def test_median_and_quartile_of_the_gaps_before_replies(self) -> None:
        said: list[Said] = []
        for index, gap in enumerate((0, 400, 800, 1200, 1600)):
            start = index * 10_000
            said += [
                (C, start, start + 2000, "我想问一下价格"),
                (A, start + 2000 + gap, start + 6000, "您说的这个价格"),
            ]
        waits = measured(conversation(*said))["patience_ms"]
        # 90 % lies three fifths of the way from the fourth value to the fifth
        assert waits == {"median": 800, "p25": 400, "p90": 1440, "replies": 5}

    def test_talking_over_the_customer_counts_as_no_wait(self) -> None:
        transcript = conversation((C, 0, 4000, "我想问一下"), (A, 3000, 6000, "您说的价格"))
        assert measured(transcript)["patience_ms"]["median"] == 0

    def test_listeners_tokens_are_no_replies(self) -> None:
        transcript = conversation(
            (C, 0, 4000, "我们有四十个人"),
            (A, 4100, 4300, "嗯"),
            (C, 4500, 8000, "都在外面跑"),
            (A, 9000, 12000, "那怎么管呢"),
        )
        assert measured(transcript)["patience_ms"] == {"median": 1000, "p25": 1000, "p90": 1000, "replies": 1}

    def test_without_a_reply_it_is_skipped(self) -> None:
        assert (
            codes(conversation((A, 0, 1000, "您好"), (C, 2000, 3000, "不需要")))["patience_ms"]
            == "no_replies"
        )


def test_interactivity_counts_changes_of_speaker_a_minute() -> None:
    assert measured(TALK)["interactivity"] == 9.0  # three changes in 20 s


class TestQuestions:
    def test_count_and_rate_by_party(self) -> None:
        metrics = measured(TALK)
        assert metrics["question_count"] == {"agent": 0, "customer": 1}
        assert metrics["question_rate"] == {"agent": 0.0, "customer": 180.0}  # one in 20 s

    def test_a_typed_conversation_has_the_count_only(self) -> None:
        transcript = conversation((A, 0, 0, "您这边多少人？"), (C, 0, 0, "四十个。"), timed=False)
        metrics = measured(transcript)
        assert metrics["question_count"] == {"agent": 1, "customer": 0}
        assert "question_rate" not in metrics


def test_fillers_a_minute_of_own_talk() -> None:
    transcript = conversation((A, 0, 6000, "呃，我们这个，就是，有几种版本"), (C, 6000, 12_000, "哦哦这样"))
    assert measured(transcript)["filler_rate"] == {"agent": 20.0, "customer": 0.0}  # 呃 and 就是 in 6 s


def test_a_listeners_token_is_no_filler() -> None:
    transcript = conversation((A, 0, 8000, "我们这款工牌可以录"), (C, 3000, 4200, "嗯，嗯，对"))
    assert measured(transcript)["filler_rate"]["customer"] == 0.0


class TestSentiment:
    def test_by_quarter_of_the_partys_own_span(self) -> None:
        # the customer speaks from 10 s to 50 s: quarters begin at 10, 20, 30 and 40 s
        transcript = conversation(
            (A, 0, 9000, "您好您好"),
            (C, 10_000, 14_000, "太贵了吧"),
            (C, 24_000, 28_000, "好吧好吧"),
            (C, 45_000, 48_000, "挺好挺好"),
            (C, 48_000, 50_000, "再见"),
        )
        findings = [feeling(transcript, 1, "negative"), feeling(transcript, 3, "positive")]
        mood = measured(transcript, findings)["sentiment"]["customer"]
        # last quarter: 4 characters positive, 2 neutral: 5 * 4 / 6
        assert mood["quarters"] == [-5.0, 0.0, None, 3.333]
        assert mood["overall"] == round((-5 + 0 + 20 / 6) / 3, 3)
        assert mood["change"] == round(20 / 6 + 5, 3)

    def test_the_most_confident_finding_of_a_turn_counts(self) -> None:
        transcript = conversation((C, 0, 4000, "还行吧"), (A, 4000, 5000, "好"))
        findings = [feeling(transcript, 0, "negative", 0.9), feeling(transcript, 0, "positive", 0.6)]
        assert measured(transcript, findings)["sentiment"]["customer"]["overall"] == -5.0

    def test_a_finding_for_review_leaves_its_turn_neutral(self) -> None:
        transcript = conversation((C, 0, 4000, "还行吧"))
        doubtful = replace(feeling(transcript, 0, "negative"), for_review=True)
        assert measured(transcript, [doubtful])["sentiment"]["customer"]["overall"] == 0.0

    def test_a_silent_party_has_none(self) -> None:
        assert measured(conversation((A, 0, 4000, "喂喂喂")))["sentiment"]["customer"] is None


class TestWhatIsNotMeasured:
    def test_a_typed_conversation_has_no_times(self) -> None:
        transcript = conversation((A, 0, 0, "您好"), (C, 0, 0, "你好"), timed=False)
        reasons = codes(transcript)
        assert set(reasons.values()) == {"untimed"}
        assert {"talk_ratio", "patience_ms", "sentiment", "duration_ms"} <= set(reasons)

    def test_unknown_speakers_leave_only_what_needs_no_party(self) -> None:
        transcript = conversation((U, 0, 4000, "您好您好"), (U, 5000, 9000, "你好你好"))
        metrics, skipped = conversation_metrics(transcript, ())
        assert set(metrics) == {"duration_ms", "media_duration_ms", "talk_time_ms", "non_talk", "quality"}
        assert metrics["talk_time_ms"] == {"union": 8000}
        assert {reason.code for reason in skipped} == {"roles_unknown"}

    def test_one_party_beside_unknown_speech_is_no_ratio(self) -> None:
        reasons = codes(conversation((A, 0, 4000, "您好您好"), (U, 5000, 9000, "你好你好")))
        assert reasons["talk_ratio"] == reasons["talk_time_ms.agent"] == "roles_unknown"

    def test_half_unknown_is_measured_on_the_known_half(self) -> None:
        transcript = conversation(
            (A, 0, 4000, "您好您好"), (U, 4000, 10_000, "这个贵不贵"), (C, 10_000, 12_000, "你好")
        )
        metrics = measured(transcript)
        assert metrics["talk_time_ms"] == {
            "agent": 4000, "customer": 2000, "sum": 6000, "union": 6000, "overlap": 0,
        }  # fmt: skip
        assert metrics["question_count"] == {"agent": 0, "customer": 0}
        assert metrics["interactivity"] == 5.0  # one change in 12 s
        assert metrics["quality"]["known_role_share"] == 0.5

    def test_a_little_unknown_speech_is_told_and_tolerated(self) -> None:
        transcript = conversation(
            (A, 0, 10_000, "您好您好"), (C, 10_000, 19_500, "你好你好"), (U, 19_500, 20_000, "喂")
        )
        metrics = measured(transcript)
        assert metrics["talk_ratio"] == round(10 / 19.5, 4)
        assert metrics["quality"]["known_role_share"] == 0.975

    def test_silence_from_end_to_end(self) -> None:
        assert set(codes(Transcript("r", (), duration_ms=60_000)).values()) == {"no_speech"}

    def test_a_metric_is_measured_or_skipped_and_never_both(self) -> None:
        for transcript in (
            TALK,
            conversation((U, 0, 4000, "喂")),
            conversation((A, 0, 0, "喂"), timed=False),
        ):
            metrics, skipped = conversation_metrics(transcript, ())
            features = [reason.feature for reason in skipped]
            assert len(set(features)) == len(features)
            assert not set(features) & set(metrics)
            assert len(metrics) + len([name for name in features if "." not in name]) == 18
