"""Voices of sellers lie sealed in either database, and go when they are erased."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.api.speakers import voiceprint_cipher
from huaxiang.asr.speaker_encoder import KnownVoice
from huaxiang.asr.tables import VoiceprintRow
from huaxiang.asr.voiceprints import Consent, VoiceprintCipher, VoiceprintStore, make_key
from huaxiang.core.database import transaction
from huaxiang.core.errors import ConfigurationError, Forbidden, InvalidInput, NotFound
from huaxiang.core.settings import load_settings

STORE = VoiceprintStore()
CONSENT = Consent("小何", datetime(2026, 3, 1, 8, tzinfo=UTC))


def voice(seed: int, seller: str = "小何", encoder: str = "e@1") -> KnownVoice:
    vector = np.random.default_rng(seed).normal(size=256).astype(np.float32)
    return KnownVoice(seller, encoder, vector / np.linalg.norm(vector))


@pytest.fixture
def cipher() -> VoiceprintCipher:
    return VoiceprintCipher(make_key())


def test_a_voice_comes_back_as_it_was_with_its_consent(
    sessions: sessionmaker[Session], cipher: VoiceprintCipher
) -> None:
    with transaction(sessions) as session:
        STORE.enrol(session, cipher, voice(1), 42_000, CONSENT)
    with transaction(sessions) as session:
        (known,) = STORE.known(session, cipher)
        (listed,) = STORE.list(session)
    assert np.array_equal(known.vector, voice(1).vector)
    assert (listed.seller, listed.speech_ms, listed.consent) == ("小何", 42_000, CONSENT)


def test_what_lies_in_the_database_is_not_the_voice(
    sessions: sessionmaker[Session], cipher: VoiceprintCipher
) -> None:
    with transaction(sessions) as session:
        STORE.enrol(session, cipher, voice(1), 42_000, CONSENT)
        first = session.scalars(select(VoiceprintRow.sealed)).one()
        STORE.enrol(session, cipher, voice(1), 42_000, CONSENT)
        again = session.scalars(select(VoiceprintRow.sealed)).one()
    plain = voice(1).vector.astype("<f4").tobytes()
    assert plain[:64] not in first
    assert first != again


def test_enrolling_again_replaces_the_voice(
    sessions: sessionmaker[Session], cipher: VoiceprintCipher
) -> None:
    with transaction(sessions) as session:
        STORE.enrol(session, cipher, voice(1), 42_000, CONSENT)
        STORE.enrol(session, cipher, voice(2), 12_000, CONSENT)
        (known,) = STORE.known(session, cipher)
    assert np.array_equal(known.vector, voice(2).vector)


def test_an_erased_voice_is_gone_and_others_stay(
    sessions: sessionmaker[Session], cipher: VoiceprintCipher
) -> None:
    with transaction(sessions) as session:
        STORE.enrol(session, cipher, voice(1), 42_000, CONSENT)
        STORE.enrol(session, cipher, voice(1, encoder="e@2"), 42_000, CONSENT)
        STORE.enrol(session, cipher, voice(2, "小林"), 42_000, CONSENT)
    with transaction(sessions) as session:
        assert STORE.erase(session, "小何") == 2
    with transaction(sessions) as session:
        assert [one.seller for one in STORE.list(session)] == ["小林"]
        with pytest.raises(NotFound):
            STORE.erase(session, "小何")


def test_another_key_opens_nothing(sessions: sessionmaker[Session], cipher: VoiceprintCipher) -> None:
    with transaction(sessions) as session:
        STORE.enrol(session, cipher, voice(1), 42_000, CONSENT)
        with pytest.raises(ConfigurationError, match="does not open"):
            STORE.known(session, VoiceprintCipher(make_key()))


@pytest.mark.parametrize("kept", [0, 5, 40])
def test_a_voice_of_which_bytes_are_lost_does_not_open(
    sessions: sessionmaker[Session], cipher: VoiceprintCipher, kept: int
) -> None:
    with transaction(sessions) as session:
        STORE.enrol(session, cipher, voice(1), 42_000, CONSENT)
        row = session.scalars(select(VoiceprintRow)).one()
        row.sealed = row.sealed[:kept]
        session.flush()
        with pytest.raises(ConfigurationError, match="does not open"):
            STORE.known(session, cipher)


@pytest.mark.parametrize(("seller", "given_by"), [("", "小何"), ("小何", " "), ("何" * 201, "小何")])
def test_a_voice_without_a_name_or_a_consent_is_not_kept(
    sessions: sessionmaker[Session], cipher: VoiceprintCipher, seller: str, given_by: str
) -> None:
    with transaction(sessions) as session:
        with pytest.raises(InvalidInput):
            STORE.enrol(session, cipher, voice(1, seller), 42_000, Consent(given_by, CONSENT.at))
        assert STORE.list(session) == []


def test_a_voice_that_was_moved_to_another_seller_does_not_open(
    sessions: sessionmaker[Session], cipher: VoiceprintCipher
) -> None:
    with transaction(sessions) as session:
        STORE.enrol(session, cipher, voice(1), 42_000, CONSENT)
        session.scalars(select(VoiceprintRow)).one().seller = "小林"
        session.flush()
        with pytest.raises(ConfigurationError):
            STORE.known(session, cipher)


@pytest.mark.parametrize("key", [None, "", "not base64!", "c2hvcnQ="])
def test_a_key_that_is_none_is_refused_with_the_cure(key: str | None) -> None:
    with pytest.raises(ConfigurationError, match="huaxiang speaker key"):
        VoiceprintCipher(key)


def test_enrolment_is_off_as_it_comes() -> None:
    with pytest.raises(Forbidden, match="HUAXIANG_SPEAKERS__ENROLMENT"):
        voiceprint_cipher(load_settings())


def test_there_is_no_default_key() -> None:
    with pytest.raises(ConfigurationError):
        voiceprint_cipher(load_settings(speakers={"enrolment": True}))
