"""No rule file, however odd, stops a worker: it is refused with its mistakes or judges any conversation."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rule_files import scorecard_text

from huaxiang.core.evidence import quote
from huaxiang.core.types import Finding, FindingKind, Insights, Json, Role, Transcript, Turn
from huaxiang.nlp.labels import ACTS, INTENTS, OBJECTIONS
from huaxiang.nlp.metrics import conversation_metrics
from huaxiang.quality.condition_reader import OPERATORS
from huaxiang.quality.definition import ScorecardDefinition
from huaxiang.quality.heard import FACTS, PATTERN_BUDGET_S, Told
from huaxiang.quality.inspection import ScorecardInspection
from huaxiang.quality.loader import parse, shipped_scorecards, shipped_texts
from huaxiang.quality.metric_names import METRIC_NAMES

KEYS = [
    "role",
    "place",
    "at_least",
    "confidence",
    "within_turns",
    "followed_by",
    "match",
    "unless",
    "threshold",
    "min_chars",
    "longer_than_ms",
    "shorter_than_ms",
    "above",
    "below",
    "delay_ms",
    "overlap_ms",
    "times",
    "window_turns",
    "except",
    "is",
    "in",
    "exists",
    "share",
    "hit",
    "turns",
    "seconds",
    "first",
    "last",
    "before",
    "after",
    "around",
    "percent",
]
OTHERS = [
    "any",
    "each",
    "agent",
    "customer",
    "both",
    "turn",
    "average",
    "same",
    "different",
    "phone",
    "您好",
    "a",
]
PATTERNS = ("(a+)+$", "(", "(?<=a+)b", "\\p{Han}+", "")
WORDS = (*ACTS, *INTENTS, *OBJECTIONS, *FACTS, *sorted(METRIC_NAMES)[:12], *OTHERS, *PATTERNS)
ODD = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])

plain = st.one_of(
    st.sampled_from(WORDS),
    st.integers(-3, 70),
    st.floats(-2, 3),
    st.booleans(),
    st.none(),
    st.sampled_from([1e308, -1e308, 10**30, "0x10", "1e999"]),
)


def _near_conditions(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    """What looks like a condition, with most of its keys and values out of place."""
    value = st.one_of(inner, st.lists(inner, max_size=3), plain)
    operator = st.sampled_from(OPERATORS)
    return st.builds(
        lambda name, operand, rest: {name: operand, **rest},
        operator,
        value,
        st.dictionaries(st.sampled_from(KEYS), value, max_size=3),
    )


odd_conditions = st.recursive(plain, _near_conditions, max_leaves=12)

# Conditions that can be read, of every operator, so that judging is tried and not only reading.
_where = st.sampled_from(
    [
        {},
        {"first": {"turns": 2}},
        {"last": {"percent": 30}},
        {"first": {"seconds": 5}},
        {"last": {"seconds": 0.01}},
        {"after": {"act": "greeting"}, "turns": 2},
        {"before": {"pattern": "."}, "hit": "each", "turns": [0, 3]},
        {"around": {"keywords": ["好"]}, "hit": 2, "seconds": 3},
        {"after": {"silence": "any", "longer_than_ms": 0}, "seconds": 9},
    ]
)
_leaves = st.sampled_from(
    [
        {"act": "any"},
        {"intent": ["reject", "complain"], "at_least": 2},
        {"entity": "time"},
        {"keywords": ["好", "您"], "match": "all"},
        {"keywords": ["好"], "match": "none"},
        {"pattern": "(.)\\1"},
        {"pattern": "(好+)+$", "unless": "^.{0,3}$"},
        {"silence": "any", "longer_than_ms": 1},
        {"similar": ["您好"]},
        {"speech_rate": "turn", "above": 1},
        {"speech_rate": "average", "below": 500},
        {"interruption": "both"},
        {"repetition": 0.5, "min_chars": 1, "times": 2},
        {"act": "any", "followed_by": {"intent": "any"}},
    ]
)
_placed = st.builds(lambda leaf, where: {**leaf, **({"place": where} if where else {})}, _leaves, _where)
_loose = st.sampled_from(
    [
        {"metric": "talk_ratio", "above": 0.1},
        {"metric": "interruption.count", "below": 2},
        {"metadata": "setting", "is": "phone"},
        {"metadata": "hour", "above": 3},
        {"metadata": "team", "exists": False},
        {"objections_answered": "empathy"},
    ]
)
good_conditions = st.recursive(
    st.one_of(_placed, _loose),
    lambda inner: st.one_of(
        st.builds(lambda parts: {"all": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda parts: {"any": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda part: {"not": part}, inner),
    ),
    max_leaves=8,
)

_texts = st.text(st.sampled_from("您好贵吗太aA1 ，。？\n\u200b😀"), max_size=30)
_turns = st.lists(
    st.tuples(st.sampled_from(list(Role)), _texts, st.integers(-5, 9_000), st.integers(0, 4_000)), max_size=8
)


@st.composite
def conversations(draw: st.DrawFn) -> tuple[Transcript, Insights, Told]:
    """A conversation of odd turns: empty, at once, out of order, of unknown parties."""
    lines = draw(_turns)
    turns = tuple(
        Turn(index, role, max(start, 0), max(start, 0) + length, text, text)
        for index, (role, text, start, length) in enumerate(lines)
    )
    duration = max((turn.end_ms for turn in turns), default=0)
    transcript = Transcript("odd", turns, duration, timed=draw(st.booleans()))
    findings = tuple(_finding(draw, transcript, place) for place, turn in enumerate(turns) if turn.text)
    metrics, skipped = conversation_metrics(transcript, findings)
    facts: dict[str, Json] = draw(
        st.dictionaries(
            st.sampled_from(sorted(FACTS)), st.sampled_from(["phone", 5, 2.5, True, ["a"]]), max_size=4
        )
    )
    return transcript, Insights(findings, metrics, skipped), Told(facts)


def _finding(draw: st.DrawFn, transcript: Transcript, place: int) -> Finding:
    kind, labels = draw(
        st.sampled_from(
            [
                (FindingKind.ACT, sorted(ACTS)),
                (FindingKind.INTENT, sorted(INTENTS)),
                (FindingKind.OBJECTION, sorted(OBJECTIONS)),
            ]
        )
    )
    label = draw(st.sampled_from(labels))
    review = draw(st.booleans())
    return Finding(kind, label, 0.7, "test @ 1", (quote(transcript, place),), for_review=review)


def scorecard_of(condition: object) -> str:
    """A scorecard with the condition in all its places."""
    written = json.dumps(condition, ensure_ascii=False)  # JSON is YAML, and knows no aliases
    text = scorecard_text(condition=written)
    return f"{text}        applies_when: {written}\n"


def judged(definition: ScorecardDefinition, conversation: tuple[Transcript, Insights, Told]) -> None:
    """Judge, and hold what every score has to keep."""
    transcript, insights, told = conversation
    for scorecard in ScorecardInspection().inspect(transcript, insights, told, [definition]):
        assert 0 <= scorecard.score <= scorecard.possible
        assert [item.id for item in scorecard.items] == [item.id for item in definition.items]
        for item in scorecard.items:
            assert item.passed is not None or item.reason_code
            for evidence in item.evidence:
                text = transcript.turns[evidence.turn].text
                assert evidence.quote == text[evidence.char_start : evidence.char_end]


@ODD
@given(odd_conditions, conversations())
def test_an_odd_condition_is_refused_or_judges(
    condition: object, conversation: tuple[Transcript, Insights, Told]
) -> None:
    parsed = parse(scorecard_of(condition))
    if isinstance(parsed.definition, ScorecardDefinition) and not parsed.mistakes:
        judged(parsed.definition, conversation)


@ODD
@given(good_conditions, conversations())
def test_a_sound_condition_judges_any_conversation(
    condition: object, conversation: tuple[Transcript, Insights, Told]
) -> None:
    parsed = parse(scorecard_of(condition))
    codes = {mistake.code for mistake in parsed.mistakes}
    assert codes <= {"never", "never_applies"}  # a part that is asked for and refused at once
    if isinstance(parsed.definition, ScorecardDefinition) and not parsed.mistakes:
        judged(parsed.definition, conversation)


@ODD
@given(conversations())
def test_the_shipped_scorecards_judge_any_conversation(
    conversation: tuple[Transcript, Insights, Told],
) -> None:
    for definition in shipped_scorecards():
        judged(definition, conversation)


@st.composite
def spoilt_files(draw: st.DrawFn) -> str:
    """A shipped file with pieces cut out, doubled, moved and overwritten."""
    text = draw(st.sampled_from(sorted(shipped_texts().values())))
    lines: Sequence[str] = text.split("\n")
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(lines) - 1))
        to = min(len(lines), at + draw(st.integers(1, 6)))
        piece = draw(st.sampled_from(["", "cut", "twice", "deeper", "odd"]))
        new = {
            "": [],
            "cut": [line[: len(line) // 2] for line in lines[at:to]],
            "twice": [*lines[at:to], *lines[at:to]],
            "deeper": ["  " + line for line in lines[at:to]],
            "odd": [draw(st.text(max_size=20))],
        }[piece]
        lines = [*lines[:at], *new, *lines[to:]]
    return "\n".join(lines)


@ODD
@given(spoilt_files(), conversations())
def test_a_spoilt_file_is_refused_with_its_mistakes_or_judges(
    text: str, conversation: tuple[Transcript, Insights, Told]
) -> None:
    parsed = parse(text)
    assert parsed.mistakes == tuple(sorted(parsed.mistakes))
    assert all(mistake.message and mistake.cure and mistake.line >= 1 for mistake in parsed.mistakes)
    assert parsed.definition is not None or parsed.mistakes
    if isinstance(parsed.definition, ScorecardDefinition) and not parsed.mistakes:
        judged(parsed.definition, conversation)


def test_expressions_that_never_end_take_no_more_than_their_budget() -> None:
    patterns = ", ".join(f"{{pattern: '(a|aa)+$|b{number}'}}" for number in range(40))
    parsed = parse(scorecard_text(condition=f"{{any: [{patterns}]}}"))
    assert isinstance(parsed.definition, ScorecardDefinition)
    text = "a" * 60 + "!"
    turns = tuple(Turn(index, Role.AGENT, index * 100, index * 100 + 90, text, text) for index in range(20))
    started = time.process_time()
    (scorecard,) = ScorecardInspection().inspect(
        Transcript("slow", turns, 2_000), Insights((), {}), Told(), [parsed.definition]
    )
    assert time.process_time() - started < 2 * PATTERN_BUDGET_S
    assert (scorecard.items[0].passed, scorecard.items[0].reason_code) == (None, "pattern_slow")
