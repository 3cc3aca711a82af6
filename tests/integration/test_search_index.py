"""The full text on both databases: the same searches find the same conversations."""

from __future__ import annotations

from dataclasses import replace

import pytest
from api_world import add_row
from invented_call import invented_recording
from sqlalchemy import Engine, delete, intersect, select, text
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.api.search.index import Search, SearchIndex, search_index
from huaxiang.api.search.terms import read_terms
from huaxiang.core.database import transaction
from huaxiang.core.types import Recording, Role, Transcript, Turn
from huaxiang.ingest.tables import RecordingRow

CALLS = {
    "price": ((Role.AGENT, "一年是 9600 元"), (Role.CUSTOMER, "太贵了吧，我们现在用的那家一年才三千。")),
    "boss": ((Role.CUSTOMER, "我要和老板商量一下，价格有点贵。"), (Role.AGENT, "好的，发您 A8 方案。")),
    "quiet": ((Role.AGENT, "您好"), (Role.CUSTOMER, "没空。")),
}


@pytest.fixture
def index(engine: Engine) -> SearchIndex:
    return search_index(engine.dialect.name)


@pytest.fixture
def session(sessions: sessionmaker[Session], index: SearchIndex) -> sessionmaker[Session]:
    with transaction(sessions) as opened:
        for number, (name, lines) in enumerate(CALLS.items()):
            add_row(opened, _recording(name, number))
            index.put(opened, conversation(name, lines))
    return sessions


def _recording(name: str, number: int) -> Recording:
    return replace(invented_recording(name), sha256=f"{number:064}")


def conversation(name: str, lines: tuple[tuple[Role, str], ...]) -> Transcript:
    turns = tuple(
        Turn(number, role, number * 1000, number * 1000 + 900, said)
        for number, (role, said) in enumerate(lines)
    )
    return Transcript(name, turns, 60_000)


def found(
    sessions: sessionmaker[Session], index: SearchIndex, typed: str, role: Role | None = None
) -> set[str]:
    queries = index.matching(Search(read_terms(typed), role))
    with transaction(sessions) as opened:
        return set(opened.scalars(intersect(*queries) if len(queries) > 1 else queries[0]))


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("太贵", {"price"}),
        ("贵", {"price", "boss"}),
        ("一年", {"price"}),
        ("9600元", {"price"}),
        ("96", {"price"}),
        ("a8", {"boss"}),
        ("ａ8方案", {"boss"}),
        ("老板 方案", {"boss"}),
        ("老板 三千", set()),
        ("贵有", set()),
        ("吧我们", {"price"}),
        ("' OR 1=1 --", set()),
        ("NEAR AND * ( :", set()),
    ],
)
def test_a_search_finds_what_was_said(
    session: sessionmaker[Session], index: SearchIndex, typed: str, expected: set[str]
) -> None:
    assert found(session, index, typed) == expected


def test_a_search_may_ask_who_said_it(session: sessionmaker[Session], index: SearchIndex) -> None:
    assert found(session, index, "一年", Role.AGENT) == {"price"}
    assert found(session, index, "老板", Role.AGENT) == set()


def test_hits_are_the_turns_that_hold_a_term(session: sessionmaker[Session], index: SearchIndex) -> None:
    with transaction(session) as opened:
        hits = index.hits(opened, Search(read_terms("贵 方案")), ["price", "boss", "quiet"])
    assert {key: [hit.turn for hit in each] for key, each in hits.items()} == {"price": [1], "boss": [0, 1]}
    assert hits["price"][0].start_ms == 1000


def test_a_conversation_put_again_is_found_by_its_new_text_only(
    session: sessionmaker[Session], index: SearchIndex
) -> None:
    with transaction(session) as opened:
        index.put(opened, conversation("price", ((Role.CUSTOMER, "太会了吧"),)))
    assert found(session, index, "太会了吧") == {"price"}
    assert found(session, index, "太贵") == set()


def test_what_is_erased_is_found_no_more(session: sessionmaker[Session], index: SearchIndex) -> None:
    with transaction(session) as opened:
        opened.execute(delete(RecordingRow).where(RecordingRow.id == "price"))
    assert found(session, index, "太贵") == set()
    with transaction(session) as opened:
        if opened.get_bind().dialect.name == "sqlite":
            opened.execute(text("INSERT INTO search_text(search_text, rank) VALUES ('integrity-check', 1)"))
        assert opened.scalars(select(RecordingRow.id)).all()
