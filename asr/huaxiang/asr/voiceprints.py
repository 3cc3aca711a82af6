"""Enrolled voices of sellers: sealed at rest, kept with the consent they stand on, erasable.

A voiceprint is sensitive personal information (PIPL, article 28): it is only made where enrolment is
switched on and consent is on record. The database holds AES-256-GCM ciphertext, bound to its seller
and encoder; the key is a setting and never in the database.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from huaxiang.asr.speaker_encoder import KnownVoice
from huaxiang.asr.tables import VoiceprintRow
from huaxiang.core.database import now
from huaxiang.core.errors import ConfigurationError, InvalidInput, NotFound
from huaxiang.core.types import new_id

KEY_BYTES = 32
_NONCE_BYTES = 12
_MAX_NAME_CHARS = 200
_CURE = "`huaxiang speaker key` makes one for HUAXIANG_SPEAKERS__VOICEPRINT_KEY"


@dataclass(frozen=True, slots=True)
class Consent:
    """Who agreed that a voice is kept, and when (aware UTC)."""

    given_by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What is told about a voiceprint; the voice itself is not."""

    id: str
    seller: str
    encoder: str
    speech_ms: int
    consent: Consent
    created_at: datetime


def make_key() -> str:
    """Return a fresh key in base64."""
    return base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode()


class VoiceprintCipher:
    """Seals voices with AES-256-GCM (NIST SP 800-38D): a random nonce, then ciphertext and tag."""

    def __init__(self, key: str | None) -> None:
        """Take the key in base64. Raises ConfigurationError where it is missing or not 32 bytes."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        if not key:
            raise ConfigurationError(f"there is no key to seal voiceprints with; {_CURE}")
        try:
            raw = base64.b64decode(key, altchars=b"-_", validate=True)
        except (binascii.Error, ValueError) as error:
            raise ConfigurationError(f"the voiceprint key is not base64; {_CURE}") from error
        if len(raw) != KEY_BYTES:
            raise ConfigurationError(f"the voiceprint key is not {KEY_BYTES} bytes; {_CURE}")
        self._cipher = AESGCM(raw)
        self.key_id = hashlib.sha256(b"voiceprint key id\0" + raw).hexdigest()[:16]

    def seal(self, vector: NDArray[np.float32], bound_to: str) -> bytes:
        """Return a voice, sealed so that it opens for ``bound_to`` alone."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, vector.astype("<f4").tobytes(), bound_to.encode())

    def open(self, sealed: bytes, bound_to: str) -> NDArray[np.float32]:
        """Return a sealed voice. Raises ConfigurationError where key, owner or bytes are other ones."""
        from cryptography.exceptions import InvalidTag

        try:
            plain = self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound_to.encode())
        except (InvalidTag, ValueError) as error:  # a value where bytes are missing
            raise ConfigurationError(
                "a voiceprint does not open with this key; set the key it was sealed with, or erase it"
            ) from error
        return np.frombuffer(plain, "<f4").astype(np.float32)


class VoiceprintStore:
    """Keeps sealed voices, one a seller and encoder, in the caller's transaction."""

    def enrol(
        self, session: Session, cipher: VoiceprintCipher, voice: KnownVoice, speech_ms: int, consent: Consent
    ) -> Enrolment:
        """Keep a seller's voice in place of the one there was; ``speech_ms`` is the speech it is from.

        Raises InvalidInput where the seller's name, or that of who agreed, is empty or too long.
        """
        if not all(_is_name(name) for name in (voice.seller, consent.given_by)):
            raise InvalidInput(f"the seller and who agreed need a name of 1 to {_MAX_NAME_CHARS} characters")
        self._delete(session, voice.seller, voice.encoder)
        row = VoiceprintRow(
            id=new_id(),
            seller=voice.seller,
            encoder=voice.encoder,
            sealed=cipher.seal(voice.vector, _owner(voice.seller, voice.encoder)),
            key_id=cipher.key_id,
            speech_ms=speech_ms,
            consent_by=consent.given_by,
            consent_at=consent.at,
            created_at=now(),
        )
        session.add(row)
        session.flush()
        return _enrolment(row)

    def list(self, session: Session) -> Sequence[Enrolment]:
        """Return who is enrolled, by name; no key is needed."""
        rows = session.scalars(select(VoiceprintRow).order_by(VoiceprintRow.seller, VoiceprintRow.encoder))
        return [_enrolment(row) for row in rows]

    def erase(self, session: Session, seller: str) -> int:
        """Erase all voices of a seller and return how many; raises NotFound where there is none."""
        erased = self._delete(session, seller)
        if not erased:
            raise NotFound("no voice of that seller is enrolled; `huaxiang speaker list` shows who is")
        return erased

    def known(self, session: Session, cipher: VoiceprintCipher) -> Sequence[KnownVoice]:
        """Return all enrolled voices, opened. Raises ConfigurationError where the key is another one."""
        return [
            KnownVoice(row.seller, row.encoder, cipher.open(row.sealed, _owner(row.seller, row.encoder)))
            for row in session.scalars(select(VoiceprintRow).order_by(VoiceprintRow.seller))
        ]

    def _delete(self, session: Session, seller: str, encoder: str | None = None) -> int:
        statement = delete(VoiceprintRow).where(VoiceprintRow.seller == seller)
        if encoder is not None:
            statement = statement.where(VoiceprintRow.encoder == encoder)
        ids = session.scalars(statement.returning(VoiceprintRow.id)).all()
        session.flush()
        return len(ids)


def _is_name(text: str) -> bool:
    return bool(text.strip()) and len(text) <= _MAX_NAME_CHARS and text.isprintable()


def _owner(seller: str, encoder: str) -> str:
    return f"{encoder}\0{seller}"


def _enrolment(row: VoiceprintRow) -> Enrolment:
    consent = Consent(row.consent_by, row.consent_at)
    return Enrolment(row.id, row.seller, row.encoder, row.speech_ms, consent, row.created_at)
