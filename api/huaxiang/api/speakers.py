"""Puts together what tells speakers apart; part of the composition root."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from huaxiang.core.database import transaction
from huaxiang.core.errors import Forbidden
from huaxiang.core.lock import ModelLock
from huaxiang.core.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy.orm import Session, sessionmaker

    from huaxiang.asr.attribution import Attributor
    from huaxiang.asr.diarization import Diarizer
    from huaxiang.asr.normalise import TextNormaliser
    from huaxiang.asr.speaker_encoder import KnownVoice
    from huaxiang.asr.voiceprints import VoiceprintCipher

ENCODER = "ge2e-speaker"
SELLER_TALK = "seller-talk"
SPEAKER_MODELS = (ENCODER, SELLER_TALK)


def build_attributor(
    settings: Settings, lock: ModelLock, normaliser: TextNormaliser, sessions: sessionmaker[Session] | None
) -> Attributor:
    """Return what attributes words to speakers; enrolled voices come from the database of ``sessions``.

    Raises ModelMissing, ModelCorrupt, and ConfigurationError for a voiceprint key that cannot be used.
    """
    from huaxiang.asr.attribution import Attributor
    from huaxiang.asr.roles import RoleJudge
    from huaxiang.asr.seller_talk import SellerTalk

    talk = lock.model(SELLER_TALK)
    weights = lock.ensure(SELLER_TALK, settings.models_dir) / talk.files[0].path
    known = _known_voices(settings, sessions) if settings.speakers.enrolment and sessions else tuple
    return Attributor(
        normaliser, RoleJudge(SellerTalk.load(weights)), build_diarizer(settings, lock), known=known
    )


def build_diarizer(settings: Settings, lock: ModelLock) -> Diarizer:
    """Return what tells the speakers of one channel apart. Raises ModelMissing or ModelCorrupt."""
    from huaxiang.asr.diarization import Diarizer
    from huaxiang.asr.ge2e import Ge2eSpeakerEncoder

    model = lock.model(ENCODER)
    weights = lock.ensure(ENCODER, settings.models_dir) / model.files[0].path
    return Diarizer(Ge2eSpeakerEncoder(weights, f"{ENCODER}@{model.revision}"))


def voiceprint_cipher(settings: Settings) -> VoiceprintCipher:
    """Return what seals voiceprints.

    Raises Forbidden where enrolment is switched off, ConfigurationError for a key that cannot be used.
    """
    from huaxiang.asr.voiceprints import VoiceprintCipher

    if not settings.speakers.enrolment:
        raise Forbidden("enrolment of voices is off; HUAXIANG_SPEAKERS__ENROLMENT=true switches it on")
    key = settings.speakers.voiceprint_key
    return VoiceprintCipher(key.get_secret_value() if key else None)


def _known_voices(settings: Settings, sessions: sessionmaker[Session]) -> Callable[[], Sequence[KnownVoice]]:
    from huaxiang.asr.voiceprints import VoiceprintStore

    cipher, store = voiceprint_cipher(settings), VoiceprintStore()

    def known() -> Sequence[KnownVoice]:
        with transaction(sessions) as session:
            return store.known(session, cipher)

    return known
