"""Each operator of a condition: where it holds, where it does not, and where it cannot be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from rule_files import scorecard_text

from huaxiang.core.evidence import quote
from huaxiang.core.types import Finding, FindingKind, Insights, Json, Role, Transcript, Turn
from huaxiang.quality.conditions import judge
from huaxiang.quality.heard import Heard, Told
from huaxiang.quality.likeness import ScriptedLikeness
from huaxiang.quality.loader import parse_scorecard
from huaxiang.quality.verdicts import Verdict

A, C, U = Role.AGENT, Role.CUSTOMER, Role.UNKNOWN
LINES: tuple[tuple[Role, str, int, int], ...] = (
    (A, "您好，我是云帆软件的小何，现在方便吗？", 0, 4_000),
    (C, "方便，你们这个太贵了吧。", 4_500, 8_000),
    (A, "我理解，这边给您讲讲为什么值这个价钱。", 7_000, 12_000),
    (C, "嗯，那你说说看到底哪里好。", 24_000, 27_000),
    (A, "我理解，这边给您讲讲为什么值这个价钱。", 27_500, 32_000),
    (C, "行，我的电话你记一下。", 32_500, 35_000),
)
FINDINGS: tuple[tuple[FindingKind, str, int, float], ...] = (
    (FindingKind.ACT, "greeting", 0, 0.9),
    (FindingKind.ACT, "self_intro", 0, 0.6),
    (FindingKind.OBJECTION, "price", 1, 0.8),
    (FindingKind.ACT, "objection_handling", 2, 0.9),
    (FindingKind.INTENT, "agree_next_step", 5, 0.9),
)
METRICS: dict[str, Json] = {
    "talk_ratio": 0.6,
    "interruption": [{}, {}],
    "sentiment": {"customer": {"overall": -2}},
}
TOLD: dict[str, Json] = {
    "setting": "phone",
    "duration": 35.0,
    "tags": ["intent", "intent=buy"],
    "consent": True,
}


def transcript(lines: Sequence[tuple[Role, str, int, int]] = LINES, *, timed: bool = True) -> Transcript:
    turns = tuple(
        Turn(index, role, start, end, text, text) for index, (role, text, start, end) in enumerate(lines)
    )
    return Transcript("call", turns, max(line[3] for line in lines), timed=timed)


def condition_of(written: str) -> Any:
    definition, mistakes = parse_scorecard(scorecard_text(condition=written))
    assert mistakes == []
    return definition.items[0].condition


def verdict(
    written: str, *, timed: bool = True, told: Mapping[str, Json] = TOLD, likeness: Any = None
) -> Verdict:
    call = transcript(timed=timed)
    findings = tuple(
        Finding(kind, label, sure, "test @ 1", (quote(call, turn),)) for kind, label, turn, sure in FINDINGS
    )
    return judge(condition_of(written), Heard(call, Insights(findings, METRICS), Told(told), likeness))


@pytest.mark.parametrize(
    ("written", "holds", "turns"),
    [
        # findings
        ("{act: greeting}", True, [0]),
        ("{act: any, at_least: 3}", True, [0, 2]),
        ("{act: any, at_least: 4}", False, []),
        ("{act: self_intro, confidence: 0.7}", False, [0]),  # heard, and too unsure
        ("{act: greeting, role: customer}", False, []),
        ("{objection: [price, need]}", True, [1]),
        ("{intent: agree_next_step, place: {last: {turns: 1}}}", True, [5]),
        ("{intent: agree_next_step, place: {first: {turns: 5}}}", False, []),
        ("{objection: any, followed_by: {act: objection_handling}, within_turns: 1}", True, [1, 2]),
        ("{objections_answered: objection_handling, within_turns: 1}", True, [1, 2]),
        ("{objections_answered: empathy, within_turns: 3}", False, [1]),
        # words
        ("{keywords: [方便, 太贵了], at_least: 2}", True, [0, 1]),
        ("{keywords: [方便, 太贵了], match: all, role: customer}", True, [1]),
        ("{keywords: [方便, 云帆], match: all, role: customer}", False, []),
        ("{keywords: [便宜], match: none}", True, []),
        ("{keywords: [太贵], match: none}", False, [1]),
        ("{pattern: '太.{1,2}了'}", True, [1]),
        ("{pattern: '太.{1,2}了', unless: 吧}", False, []),
        ("{pattern: 我理解, at_least: 3}", False, []),
        ("{repetition: 0.9, role: agent}", True, [2, 4]),
        ("{repetition: 0.9, times: 3, role: agent}", False, []),
        ("{repetition: 0.9, except: [我理解]}", False, []),
        # time
        ("{silence: any, longer_than_ms: 10000}", True, [2, 3]),
        ("{silence: any, longer_than_ms: 10000, role: agent}", False, []),
        ("{silence: same, longer_than_ms: 100}", False, []),
        ("{silence: different, longer_than_ms: 400, shorter_than_ms: 9000, at_least: 3}",
         True, [0, 1, 3, 4, 5]),
        ("{speech_rate: average, above: 150, role: agent}", True, [0, 2, 4]),
        ("{speech_rate: turn, above: 900}", False, []),
        ("{interruption: agent}", True, [2]),
        ("{interruption: customer}", False, []),
        ("{interruption: agent, delay_ms: 3000}", False, []),
        # places
        ("{keywords: [电话], place: {last: {percent: 20}}}", True, [5]),
        ("{keywords: [电话], place: {first: {seconds: 20}}}", False, []),
        ("{keywords: [我理解], place: {after: {objection: any}, turns: 1}}", True, [2]),
        ("{keywords: [我理解], place: {before: {objection: any}, turns: 1}}", False, [1]),
        ("{keywords: [太贵], place: {around: {act: objection_handling}, turns: 1}}", True, [1]),
        ("{keywords: [我理解], place: {after: {keywords: [我理解]}, hit: last, turns: 1}}", False, [4]),
        ("{keywords: [讲讲], place: {around: {keywords: [我理解]}, hit: each, turns: 0}}", True, [2, 4]),
        # measured and told
        ("{metric: talk_ratio, above: 0.5}", True, []),
        ("{metric: interruption.count, above: 2}", False, []),
        ("{metric: sentiment.customer.overall, below: -1}", True, []),
        ("{metadata: setting, is: phone}", True, []),
        ("{metadata: setting, in: [onsite, meeting]}", False, []),
        ("{metadata: duration, above: 30, below: 40}", True, []),
        ("{metadata: tags, is: intent=buy}", True, []),
        ("{metadata: consent, is: true}", True, []),
        ("{metadata: seller, exists: false}", True, []),
        # joined
        ("{all: [{act: greeting}, {metadata: setting, is: phone}]}", True, [0]),
        ("{any: [{act: pitch}, {act: greeting}]}", True, [0]),
        ("{not: {act: pitch}}", True, []),
    ],
)  # fmt: skip
def test_it_holds_where_it_should_and_quotes_the_turns(written: str, holds: bool, turns: list[int]) -> None:
    found = verdict(written)
    assert found.holds is holds
    assert sorted({evidence.turn for evidence in found.evidence}) == turns
    assert found.evidence or found.window is not None
    for evidence in found.evidence:
        assert LINES[evidence.turn][1][evidence.char_start : evidence.char_end] == evidence.quote


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("{silence: any, longer_than_ms: 100}", "no_seconds"),
        ("{speech_rate: turn, above: 100}", "no_seconds"),
        ("{interruption: both}", "no_seconds"),
        ("{keywords: [电话], place: {first: {seconds: 20}}}", "no_seconds"),
        ("{metric: speech_rate.agent, above: 1}", "metric_missing"),
        ("{metadata: seller, is: 小何}", "fact_missing"),
        ("{keywords: [电话], place: {after: {act: pitch}, turns: 2}}", "no_anchor"),
        ("{similar: [我的电话你记一下]}", "no_encoder"),
        ("{all: [{act: greeting}, {metadata: team, is: 一组}]}", "fact_missing"),
    ],
)
def test_what_cannot_be_told_says_why(written: str, code: str) -> None:
    found = verdict(written, timed=False)
    assert (found.holds, found.code) == (None, code)
    assert found.reason


def test_one_part_that_decides_is_enough_where_another_cannot_be_told() -> None:
    assert verdict("{any: [{metadata: team, is: 一组}, {act: greeting}]}").holds is True
    assert verdict("{all: [{metadata: team, is: 一组}, {act: pitch}]}").holds is False


def test_alike_sentences_are_found_by_their_cosine() -> None:
    known = ScriptedLikeness({("行，我的电话你记一下。", "您留一下我的号码"): 0.93})
    found = verdict("{similar: [您留一下我的号码], threshold: 0.9}", likeness=known)
    assert [evidence.turn for evidence in found.evidence] == [5]
    assert verdict("{similar: [您留一下我的号码], threshold: 0.95}", likeness=known).holds is False
    assert verdict("{similar: [您留一下我的号码], role: agent}", likeness=known).holds is False


def test_a_turn_of_unknown_role_may_be_anybodys() -> None:
    call = transcript([(U, "您好，我是小何。", 0, 2_000)])
    heard = Heard(call, Insights((), {}))
    for role in ("agent", "customer", "both"):
        assert judge(condition_of(f"{{keywords: [您好], role: {role}}}"), heard).holds is True
