"""Recordings in the database: pages, states, the quarantine. Devices and their keys."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.core.database import transaction
from huaxiang.core.errors import Conflict, InvalidInput, NotFound, Unauthenticated
from huaxiang.core.types import AudioInfo, CallMetadata, Recording, RecordingStatus, Setting, new_id
from huaxiang.ingest.devices import DeviceRegistry
from huaxiang.ingest.recordings import Failure, RecordingFilters, RecordingStore
from huaxiang.ingest.tables import DeviceRow, QuarantineRow

STORE = RecordingStore()
NOON = datetime(2026, 11, 10, 4, tzinfo=UTC)
AUDIO = AudioInfo("amr_nb", 8000, 1, 61_000, damaged_frames=3, truncated=True)


def a_recording(minute: int = 0, **changes: object) -> Recording:
    identifier = new_id()
    made = Recording(
        id=identifier,
        sha256=identifier.replace("-", "") * 2,
        size_bytes=10,
        filename="a.amr",
        blob_key=f"recordings/{identifier}",
        source="device-1",
        received_at=NOON + timedelta(minutes=minute),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def quarantined(session: Session) -> list[tuple[str, str]]:
    return [(row.recording_id, row.code) for row in session.scalars(select(QuarantineRow))]


def test_a_recording_reads_back_as_it_was_stored(sessions: sessionmaker[Session]) -> None:
    metadata = CallMetadata(
        started_at=NOON,
        zone="Asia/Shanghai",
        seller="he.yun",
        customer_ref="C-1",
        setting=Setting.ONSITE,
        agent_channel=0,
        consent=False,
    )
    recording = a_recording(metadata=metadata, audio=AUDIO)
    with transaction(sessions) as session:
        assert STORE.add(session, recording)

    with transaction(sessions) as session:
        assert STORE.get(session, recording.id) == recording
        assert STORE.find(session, "device-1", recording.sha256) == recording
        assert STORE.find(session, "device-2", recording.sha256) is None


def test_the_same_bytes_of_a_source_are_stored_once(sessions: sessionmaker[Session]) -> None:
    first = a_recording()
    with transaction(sessions) as session:
        assert STORE.add(session, first)
        assert not STORE.add(session, a_recording(sha256=first.sha256))
        assert STORE.add(session, a_recording(sha256=first.sha256, source="device-2"))

    with transaction(sessions) as session:
        assert len(STORE.list(session).items) == 2


def test_what_does_not_exist_is_not_found(sessions: sessionmaker[Session]) -> None:
    with transaction(sessions) as session:
        for ask in (STORE.get, STORE.decoded_key, STORE.failure):
            with pytest.raises(NotFound):
                ask(session, new_id())


def test_pages_hold_every_recording_once_newest_first(sessions: sessionmaker[Session]) -> None:
    made = [a_recording(minute // 3) for minute in range(11)]  # three share each moment
    with transaction(sessions) as session:
        for recording in made:
            STORE.add(session, recording)

    seen: list[Recording] = []
    cursor = None
    with transaction(sessions) as session:
        while True:
            page = STORE.list(session, cursor, limit=4)
            assert len(page.items) <= 4
            seen += page.items
            cursor = page.next_cursor
            if cursor is None:
                break
            STORE.add(session, a_recording(100))  # what comes later does not disturb the pages

    assert [one.id for one in seen] == [
        one.id for one in sorted(made, key=lambda one: (one.received_at, one.id), reverse=True)
    ]


def test_filters_choose(sessions: sessionmaker[Session]) -> None:
    early = a_recording(metadata=CallMetadata(started_at=NOON, seller="a", customer_ref="C-1"))
    late = a_recording(metadata=CallMetadata(started_at=NOON + timedelta(days=1), seller="b"), source="cli")
    failed = a_recording(status=RecordingStatus.FAILED)
    with transaction(sessions) as session:
        for recording in (early, late, failed):
            STORE.add(session, recording)

        def chosen(**filters: object) -> set[str]:
            wanted = RecordingFilters(**filters)  # type: ignore[arg-type]
            return {one.id for one in STORE.list(session, filters=wanted).items}

        assert chosen(seller="a") == {early.id}
        assert chosen(customer_ref="C-1") == {early.id}
        assert chosen(source="cli") == {late.id}
        assert chosen(status=RecordingStatus.FAILED) == {failed.id}
        assert chosen(started_from=NOON + timedelta(hours=1)) == {late.id}
        assert chosen(started_before=NOON + timedelta(days=1)) == {early.id}
        assert chosen(started_from=NOON, started_before=NOON + timedelta(days=2), seller="b") == {late.id}
        assert chosen(seller="nobody") == set()


@pytest.mark.parametrize("cursor", ["", "???", "bm90aGluZw==", "MjAyNi0xMS0xMFQwNDowMDowMCB4", "名"])
def test_an_invented_cursor_is_refused(cursor: str, sessions: sessionmaker[Session]) -> None:
    with transaction(sessions) as session, pytest.raises(InvalidInput, match="cursor"):
        STORE.list(session, cursor)


def test_bad_bytes_go_to_the_quarantine_once_and_leave_it_when_they_decode(
    sessions: sessionmaker[Session],
) -> None:
    recording = a_recording()
    with transaction(sessions) as session:
        STORE.add(session, recording)
        STORE.quarantine(session, recording.id, "not_audio", "no audio")
        STORE.quarantine(session, recording.id, "empty_audio", "x" * 2000)

    with transaction(sessions) as session:
        assert quarantined(session) == [(recording.id, "empty_audio")]
        assert STORE.get(session, recording.id).status is RecordingStatus.FAILED
        assert STORE.failure(session, recording.id) == Failure("empty_audio", "x" * 1000)
        STORE.mark_decoded(session, recording.id, AUDIO, "decoded/a.wav")

    with transaction(sessions) as session:
        assert quarantined(session) == []
        assert STORE.failure(session, recording.id) is None
        assert STORE.get(session, recording.id).audio == AUDIO
        assert STORE.decoded_key(session, recording.id) == "decoded/a.wav"


def test_a_failure_lasts_until_the_recording_goes_on(sessions: sessionmaker[Session]) -> None:
    recording = a_recording()
    with transaction(sessions) as session:
        STORE.add(session, recording)
        STORE.set_failed(session, recording.id, "model", "no model")
        assert STORE.failure(session, recording.id) == Failure("model", "no model")
        STORE.set_status(session, recording.id, RecordingStatus.PROCESSING)
        assert STORE.failure(session, recording.id) is None
        assert STORE.get(session, recording.id).status is RecordingStatus.PROCESSING


def test_known_ids_are_found_among_many(sessions: sessionmaker[Session]) -> None:
    recording = a_recording()
    with transaction(sessions) as session:
        STORE.add(session, recording)
        asked = [new_id() for _ in range(1200)]
        assert STORE.known_ids(session, [*asked, recording.id]) == {recording.id}


def test_a_device_is_known_by_its_key_until_it_is_revoked(sessions: sessionmaker[Session]) -> None:
    registry = DeviceRegistry()
    with transaction(sessions) as session:
        device, key = registry.add(session, "badge 1")
        registry.add(session, "badge 2")

    assert key.startswith("hxd_")
    assert len(key) >= 47
    with transaction(sessions) as session:
        assert registry.authenticate(session, key).id == device.id
        for wrong in ("", key[:-1], key.upper(), "hxd_名"):
            with pytest.raises(Unauthenticated):
                registry.authenticate(session, wrong)
        assert [one.name for one in registry.list(session)] == ["badge 1", "badge 2"]
        assert registry.list(session)[0].last_seen_at is not None
        assert registry.revoke(session, "badge 1").revoked_at is not None

    with transaction(sessions) as session:
        with pytest.raises(Unauthenticated):
            registry.authenticate(session, key)
        again = registry.revoke(session, device.id)
        assert again.revoked_at == registry.list(session)[0].revoked_at
        with pytest.raises(NotFound):
            registry.revoke(session, "badge 3")


def test_a_key_is_stored_only_as_a_hash(sessions: sessionmaker[Session]) -> None:
    with transaction(sessions) as session:
        _, key = DeviceRegistry().add(session, "badge")
        row = session.scalars(select(DeviceRow)).one()
        stored = [str(getattr(row, column.key)) for column in DeviceRow.__table__.columns]
        assert not any(key in value or key[4:] in value for value in stored)
        assert len(row.key_hash) == 64


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, "two\nlines"])
def test_a_device_needs_a_plain_name(name: str, sessions: sessionmaker[Session]) -> None:
    with transaction(sessions) as session, pytest.raises(InvalidInput):
        DeviceRegistry().add(session, name)


def test_two_devices_do_not_share_a_name(sessions: sessionmaker[Session]) -> None:
    registry = DeviceRegistry()
    with transaction(sessions) as session:
        registry.add(session, "badge")
        with pytest.raises(Conflict):
            registry.add(session, " badge ")
        assert session.scalar(select(func.count()).select_from(DeviceRow)) == 1
