"""A language model beside our own: kept is what its quotes support, and its failures stop nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from chat_server import chat, chat_server

from huaxiang.api.language import build_reader
from huaxiang.core.errors import ConfigurationError
from huaxiang.core.settings import LanguageModelSettings, load_settings
from huaxiang.core.types import Finding, FindingKind, Insights, Json, Role, Skipped, Transcript, Turn
from huaxiang.nlp.classifier import ScriptedClassifier
from huaxiang.nlp.entities import EntityGrammar
from huaxiang.nlp.reader import Claimed, ScriptedReader, supported
from huaxiang.nlp.understand import Understanding

NEED = "我们就想把电话都抽检一遍"
RIVAL = "之前用的是云鲸那家"
LINES = ((Role.AGENT, "您主要想解决什么"), (Role.CUSTOMER, NEED), (Role.CUSTOMER, RIVAL))
TRANSCRIPT = Transcript(
    "r",
    tuple(Turn(place, role, 0, 0, text, text) for place, (role, text) in enumerate(LINES)),
    0,
    timed=False,
)
CLAIMS: list[dict[str, Any]] = [
    {"kind": "need", "label": "need", "value": None, "turn": 1, "quote": "把电话都抽检一遍"},
    {"kind": "competitor", "label": "competitor", "value": "云鲸", "turn": 2, "quote": "云鲸那家"},
]
NO_SECRET = "sk-secret-of-a-test"


def _settings(url: str, **more: Any) -> LanguageModelSettings:
    values = {"url": url, "model": "reader-7b", "key": NO_SECRET, "backoff_s": 0.0, "attempts": 2}
    return LanguageModelSettings.model_validate(values | more)


def _no_metrics(
    transcript: Transcript, findings: tuple[Finding, ...]
) -> tuple[Mapping[str, Json], tuple[Skipped, ...]]:
    return {}, ()


def _understood(settings: LanguageModelSettings) -> Insights:
    reader = build_reader(settings)
    return Understanding(ScriptedClassifier(), EntityGrammar(), _no_metrics, reader).run(TRANSCRIPT)


def _claimed(insights: Insights) -> list[Finding]:
    return [finding for finding in insights.findings if finding.source.startswith("reader-7b @ ")]


def test_it_is_off_as_it_comes() -> None:
    assert build_reader(load_settings().language_model) is None


def test_what_it_quotes_is_offered_for_review_with_its_words() -> None:
    answer = chat("```json\n" + json.dumps({"claims": CLAIMS}, ensure_ascii=False) + "\n```")
    with chat_server([(200, answer)]) as server:
        need, rival = _claimed(_understood(_settings(server.url)))
    assert (need.kind, need.evidence[0].turn, need.evidence[0].char_start) == (FindingKind.NEED, 1, 4)
    assert (rival.kind, rival.value) == (FindingKind.COMPETITOR, "云鲸")
    assert need.for_review
    assert rival.for_review
    assert server.paths == ["/v1/chat/completions"]
    assert server.authorizations == [f"Bearer {NO_SECRET}"]
    assert [message["role"] for message in server.asked[0]["messages"]] == ["system", "user"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"quote": "一句没人说过的话"},
        {"turn": 0},
        {"turn": 99},
        {"turn": True},
        {"kind": "intent"},
        {"label": "wish"},
        {"quote": ""},
        {"quote": None},
    ],
)
def test_a_claim_that_its_turn_does_not_support_is_dropped(wrong: dict[str, Any]) -> None:
    answer = chat(json.dumps({"claims": [CLAIMS[0] | wrong]}))
    with chat_server([(200, answer)]) as server:
        assert _claimed(_understood(_settings(server.url))) == []


def test_a_need_that_the_seller_names_is_no_need_of_the_customer() -> None:
    claim = Claimed("need", "need", None, 0, "您主要想解决什么")
    assert supported([claim], TRANSCRIPT, "x @ 1") == ()


def test_a_name_that_the_quote_does_not_hold_is_made_up() -> None:
    claim = Claimed("competitor", "competitor", "海豚", 2, "云鲸那家")
    assert supported([claim], TRANSCRIPT, "x @ 1") == ()


def test_the_same_claim_twice_is_kept_once() -> None:
    claim = Claimed("need", "need", None, 1, NEED)
    understanding = Understanding(
        ScriptedClassifier(), EntityGrammar(), _no_metrics, ScriptedReader([claim, claim])
    )
    needs = [
        finding for finding in understanding.run(TRANSCRIPT).findings if finding.kind is FindingKind.NEED
    ]
    assert len(needs) == 1


@pytest.mark.parametrize(
    ("status", "body", "code", "tries"),
    [
        (500, b"oops", "model_unavailable", 2),
        (200, b"not json", "model", 1),
        (200, b'{"choices": []}', "model", 1),
        (401, b"{}", "configuration", 1),
        (404, b"{}", "configuration", 1),
    ],
)
def test_its_failure_is_told_and_the_rest_stands(status: int, body: bytes, code: str, tries: int) -> None:
    with chat_server([(status, body)]) as server:
        insights = _understood(_settings(server.url))
    (skipped,) = [item for item in insights.skipped if item.feature == "language_model"]
    assert skipped.code == code
    assert NO_SECRET not in skipped.message
    assert len(server.asked) == tries
    assert not _claimed(insights)


def test_a_failure_in_passing_is_tried_again() -> None:
    answer = chat(json.dumps({"claims": CLAIMS}))
    with chat_server([(503, b""), (200, answer)]) as server:
        assert len(_claimed(_understood(_settings(server.url)))) == 2


def test_a_url_without_a_model_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="language_model"):
        load_settings(language_model={"url": "http://localhost:1/v1"})


@pytest.mark.parametrize(
    ("name", "value"), [("KEY", "钥匙"), ("PROXY", "socks://somewhere"), ("URL", "http://me:secret@host/v1")]
)
def test_an_address_or_key_that_cannot_be_sent_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"HUAXIANG_LANGUAGE_MODEL__{name}", value)
    with pytest.raises(ConfigurationError, match=rf"language_model\.{name.lower()}") as caught:
        load_settings()
    assert value not in str(caught.value)
