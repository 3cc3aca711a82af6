"""Sellers with their consent, and the library that stands on it, in both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from coached import add_sellers
from history import add_history
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.core.errors import Conflict, Forbidden, InvalidInput, NotFound
from huaxiang.core.types import FindingKind
from huaxiang.ingest.tables import RecordingRow
from huaxiang.profile.coaching.library import CONSENT_WITHDRAWN, Library, Passage
from huaxiang.profile.coaching.practices import Baseline, PracticeStore, Step
from huaxiang.profile.coaching.sellers import SellerStore, SellerValues
from huaxiang.profile.coaching.statistics import Estimate
from huaxiang.profile.coaching.tables import LibraryEntryRow, LibraryEventRow
from huaxiang.quality.history.invented import InventedConversation

SELLER, STRANGER = "he.yun", "nobody.yet"
store, library = SellerStore(), Library()


@pytest.fixture
def session(sessions: sessionmaker[Session]) -> Iterator[Session]:
    with sessions() as session:
        yield session


@pytest.fixture
def call(sessions: sessionmaker[Session]) -> InventedConversation:
    conversations = add_history(sessions, 13)
    return next(c for c in conversations if c.recording.metadata.seller == SELLER)


def passage(call: InventedConversation) -> Passage:
    act = next(f for f in call.insights.findings if f.kind is FindingKind.ACT)
    return Passage(call.recording.id, SELLER, "item.greeting", act.turn, act.evidence)


def test_every_change_of_a_seller_is_kept_with_its_time_and_who_made_it(session: Session) -> None:
    store.add(session, " wang.fang ", SellerValues(name="王芳", team="一组"), by="mei")
    store.update(session, "wang.fang", SellerValues(team="二组"), by="root")
    store.update(session, "wang.fang", SellerValues(team="二组", active=False), by="root")
    found = store.get(session, "wang.fang")
    assert (found.name, found.team, found.active, found.library_consent) == ("王芳", "二组", False, False)
    changes = [(c.field, c.value, c.changed_by) for c in store.changes(session, "wang.fang")]
    assert changes == [
        ("key", "wang.fang", "mei"),
        ("name", "王芳", "mei"),
        ("team", "一组", "mei"),
        ("team", "二组", "root"),
        ("active", False, "root"),
    ]


def test_a_seller_without_a_row_is_known_by_the_key(session: Session) -> None:
    add_sellers(session)
    found = store.get(session, STRANGER)
    assert (found.name, found.team, found.registered, found.library_consent) == (STRANGER, None, False, False)
    keys = [seller.key for seller in store.list(session, seen=[STRANGER, SELLER])]
    assert STRANGER in keys
    assert keys.count(SELLER) == 1
    assert STRANGER not in store.team_of(session)


def test_a_key_is_given_once_and_a_sign_in_stands_for_one_seller(session: Session) -> None:
    store.add(session, "a", SellerValues(user_name="ann"), by="mei")
    with pytest.raises(Conflict):
        store.add(session, "a", SellerValues(), by="mei")
    with pytest.raises(Conflict):
        store.add(session, "b", SellerValues(user_name="ann"), by="mei")
    with pytest.raises(NotFound):
        store.update(session, "c", SellerValues(), by="mei")
    with pytest.raises(InvalidInput):
        store.add(session, "\n", SellerValues(), by="mei")
    assert store.key_of_user(session, "ann") == "a"
    assert store.key_of_user(session, "bob") == "bob"
    # Whose name is the key of a seller linked to somebody else does not get that seller's calls.
    assert store.key_of_user(session, "a") is None


def test_nothing_is_adopted_without_the_sellers_consent(session: Session, call: InventedConversation) -> None:
    with pytest.raises(Forbidden):
        library.adopt(session, passage(call), "好开场", ["开场"], by="mei")
    add_sellers(session, consenting=())
    with pytest.raises(Forbidden):
        library.adopt(session, passage(call), "好开场", ["开场"], by="mei")
    assert session.scalar(select(func.count()).select_from(LibraryEntryRow)) == 0


def test_who_withdraws_consent_takes_everything_out_at_once(
    session: Session, call: InventedConversation
) -> None:
    add_sellers(session, consenting=[SELLER])
    entry = library.adopt(session, passage(call), "好开场", ["开场"], by="mei")
    assert [e.id for e in library.list(session, tag="开场")] == [entry.id]
    store.update(session, SELLER, SellerValues(library_consent=False), by=SELLER)
    # Even before the entries are followed up, nobody reads them.
    assert library.list(session) == []
    with pytest.raises(NotFound):
        library.get(session, entry.id)
    assert library.consent_changed(session, SELLER, by=SELLER) == 1
    store.update(session, SELLER, SellerValues(library_consent=True), by=SELLER)
    assert library.list(session) == []  # consent given anew brings nothing back by itself
    again = library.adopt(session, passage(call), "好开场", [], by="mei")
    assert again.id == entry.id
    assert [(e.kind, e.reason) for e in again.history] == [
        ("adopted", ""),
        ("withdrawn", CONSENT_WITHDRAWN),
        ("adopted", ""),
    ]


def test_the_history_of_an_entry_is_only_added_to(session: Session, call: InventedConversation) -> None:
    add_sellers(session, consenting=[SELLER])
    entry = library.adopt(session, passage(call), "好开场", ["开场"], by="mei")
    with pytest.raises(Conflict):
        library.adopt(session, passage(call), "再一次", [], by="mei")
    edited = library.edit(session, entry.id, "最好的开场", ["开场", "示范"], by="root")
    assert (edited.title, edited.tags, edited.adopted_by) == ("最好的开场", ("开场", "示范"), "mei")
    gone = library.withdraw(session, entry.id, "客户要求", by="root")
    library.withdraw(session, entry.id, "again", by="root")
    assert [e.kind for e in gone.history] == ["adopted", "edited", "withdrawn"]
    assert session.scalar(select(func.count()).select_from(LibraryEventRow)) == 3
    with pytest.raises(Conflict):
        library.edit(session, entry.id, "x", [], by="root")


def test_an_entry_leads_to_the_words_and_their_second(session: Session, call: InventedConversation) -> None:
    add_sellers(session, consenting=[SELLER])
    entry = library.adopt(session, passage(call), "好开场", [], by="mei")
    (evidence,) = library.get(session, entry.id).passage.evidence
    turn = next(t for t in call.transcript.turns if t.index == evidence.turn)
    assert evidence.quote == turn.text[evidence.char_start : evidence.char_end]
    assert evidence.start_ms is not None
    assert turn.start_ms <= evidence.start_ms < (evidence.end_ms or 0) <= turn.end_ms


def test_erasing_a_recording_erases_its_passages(session: Session, call: InventedConversation) -> None:
    add_sellers(session, consenting=[SELLER])
    library.adopt(session, passage(call), "好开场", [], by="mei")
    session.execute(delete(RecordingRow).where(RecordingRow.id == call.recording.id))
    assert session.scalar(select(func.count()).select_from(LibraryEventRow)) == 0


def test_a_practice_keeps_what_it_began_from_and_what_followed(session: Session) -> None:
    practices = PracticeStore()

    today = date.today()
    baseline = Baseline(
        today - timedelta(days=27), today, Estimate(0.4, 20, 0.2, 0.6), Estimate(0.8, 60), True
    )
    opened = practices.open(session, SELLER, "item.permission", baseline, Step.ASSIGNED, "先练这个", by="mei")
    assert opened.baseline == baseline
    assert opened.acknowledged_at is None
    with pytest.raises(Conflict):
        practices.open(session, SELLER, "item.permission", baseline, Step.ASSIGNED, "", by="mei")
    practices.note(session, opened.id, Step.ACKNOWLEDGED, "明白", by=SELLER)
    with pytest.raises(Conflict):
        practices.note(session, opened.id, Step.ACKNOWLEDGED, "again", by=SELLER)
    practices.note(session, opened.id, Step.FOLLOWED_UP, "", by="mei", figures={"own": 0.7})
    closed = practices.note(session, opened.id, Step.CLOSED, "做到了", by="mei")
    assert [event.kind for event in closed.history] == [*Step]
    assert (closed.closed, closed.baseline) == (True, baseline)
    with pytest.raises(Conflict):
        practices.note(session, opened.id, Step.FOLLOWED_UP, "", by="mei")


def test_nobody_practises_more_than_three_things(session: Session) -> None:
    practices = PracticeStore()

    baseline = Baseline(date.today(), date.today(), Estimate(0.4, 20), Estimate(0.8, 60), True)
    for topic in ("item.a", "item.b", "item.c"):
        practices.open(session, SELLER, topic, baseline, Step.ACKNOWLEDGED, "", by=SELLER)
    with pytest.raises(Conflict):
        practices.open(session, SELLER, "item.d", baseline, Step.ACKNOWLEDGED, "", by=SELLER)
    practices.note(session, practices.of(session, SELLER)[0].id, Step.CLOSED, "", by="mei")
    assert practices.open(session, SELLER, "item.d", baseline, Step.ASSIGNED, "", by="mei").topic == "item.d"
