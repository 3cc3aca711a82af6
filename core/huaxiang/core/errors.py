"""The error tree. Every error has a stable code and the HTTP status it is answered with.

::

    HuaxiangError
    ├── InvalidInput            400  invalid_input
    │   ├── InvalidMetadata     400  invalid_metadata
    │   ├── InvalidField        400  invalid_field
    │   ├── ChecksumMismatch    460  checksum_mismatch
    │   ├── UnsupportedMediaType 415 unsupported_media_type
    │   ├── InvalidConversation 400  invalid_conversation
    │   ├── InvalidRules        400  invalid_rules
    │   └── AudioError          422  audio_unusable
    │       ├── NotAudio        422  not_audio
    │       ├── EmptyAudio      422  empty_audio
    │       ├── EncryptedAudio  422  encrypted_audio
    │       ├── AudioTooLong    413  audio_too_long
    │       └── UnsupportedAudio 415 unsupported_audio
    ├── Unauthenticated         401  unauthenticated
    ├── Forbidden               403  forbidden
    ├── NotFound                404  not_found
    ├── Conflict                409  conflict
    │   ├── PreconditionFailed  412  precondition_failed
    │   ├── Locked              423  locked
    │   ├── IllegalTransition   409  illegal_transition
    │   └── OutOfDate           409  out_of_date
    ├── Gone                    410  gone
    ├── TooLarge                413  too_large
    ├── TooManyRequests         429  too_many_requests
    ├── ConfigurationError      500  configuration
    ├── ModelError              500  model
    │   ├── ModelMissing        500  model_missing
    │   ├── ModelCorrupt        500  model_corrupt
    │   ├── ModelNotLocked      500  model_not_locked
    │   └── ModelUnavailable    502  model_unavailable
    ├── StageFailed             500  stage_failed
    └── StorageError            500  storage
        └── BlobMissing         500  blob_missing

Messages are shown to callers: they name the thing and the cure, and never hold what was said.
"""

from __future__ import annotations

from typing import ClassVar


class HuaxiangError(Exception):
    """Base of all errors raised on purpose.

    ``message`` is for a person and ``context`` for a program; neither holds transcript text,
    names, phone numbers or keys.
    """

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500

    def __init__(self, message: str, **context: str | int | float) -> None:
        super().__init__(message)
        self.message = message
        self.context = context


class InvalidInput(HuaxiangError):
    """The caller sent something that cannot be understood."""

    code, status = "invalid_input", 400


class InvalidMetadata(InvalidInput):
    """Upload metadata that cannot be read."""

    code = "invalid_metadata"


class ChecksumMismatch(InvalidInput):
    """Uploaded bytes that do not have the checksum they came with (status of the tus protocol)."""

    code, status = "checksum_mismatch", 460


class UnsupportedMediaType(InvalidInput):
    """A request body of a kind that is not taken here."""

    code, status = "unsupported_media_type", 415


class InvalidField(InvalidInput):
    """A customer field whose name or value cannot be taken; ``context["fields"]`` names it."""

    code = "invalid_field"


class InvalidConversation(InvalidInput):
    """A conversation file that is not in the guideline's format, or cannot be told from another."""

    code = "invalid_conversation"


class InvalidRules(InvalidInput):
    """A rule or scorecard file with mistakes."""

    code = "invalid_rules"


class AudioError(InvalidInput):
    """Audio that cannot be used."""

    code, status = "audio_unusable", 422


class NotAudio(AudioError):
    """A file that holds no audio."""

    code = "not_audio"


class EmptyAudio(AudioError):
    """A file of no bytes, or one without a single sample."""

    code = "empty_audio"


class EncryptedAudio(AudioError):
    """Audio under encryption or rights management."""

    code = "encrypted_audio"


class AudioTooLong(AudioError):
    """Audio longer than the setting allows, by its header or while decoding."""

    code, status = "audio_too_long", 413


class UnsupportedAudio(AudioError):
    """A format, sample rate or channel count outside what is supported."""

    code, status = "unsupported_audio", 415


class Unauthenticated(HuaxiangError):
    """No valid credential came with the request."""

    code, status = "unauthenticated", 401


class Forbidden(HuaxiangError):
    """The caller is known but may not do this."""

    code, status = "forbidden", 403


class NotFound(HuaxiangError):
    """The thing named does not exist, or not for this caller."""

    code, status = "not_found", 404


class Conflict(HuaxiangError):
    """The request does not fit the present state."""

    code, status = "conflict", 409


class PreconditionFailed(Conflict):
    """The thing changed since the caller read it."""

    code, status = "precondition_failed", 412


class Locked(Conflict):
    """Somebody else is writing to it right now."""

    code, status = "locked", 423


class IllegalTransition(Conflict):
    """What is asked for does not follow from the state that the thing is in."""

    code = "illegal_transition"


class OutOfDate(Conflict):
    """Somebody else did something to it since the caller read it."""

    code = "out_of_date"


class Gone(HuaxiangError):
    """The thing existed and has expired or was erased."""

    code, status = "gone", 410


class TooLarge(HuaxiangError):
    """The request body is larger than allowed."""

    code, status = "too_large", 413


class TooManyRequests(HuaxiangError):
    """The caller has to slow down."""

    code, status = "too_many_requests", 429


class ConfigurationError(HuaxiangError):
    """A setting is missing, contradictory or unsafe."""

    code = "configuration"


class ModelError(HuaxiangError):
    """A model cannot be used."""

    code = "model"


class ModelMissing(ModelError):
    """A locked file is not in the cache."""

    code = "model_missing"


class ModelCorrupt(ModelError):
    """A file in the cache is not the one that the lock names."""

    code = "model_corrupt"


class ModelNotLocked(ModelError):
    """A model was asked for that models.lock does not hold."""

    code = "model_not_locked"


class ModelUnavailable(ModelError):
    """No source of a locked file answered."""

    code, status = "model_unavailable", 502


class StorageError(HuaxiangError):
    """The database or the blob store failed."""

    code = "storage"


class BlobMissing(StorageError):
    """A blob that a row points to is not there."""

    code = "blob_missing"


class StageFailed(HuaxiangError):
    """A stage of a job failed for good.

    ``stage`` names it and ``error_code`` is the code of the error it failed with, ``error`` for one
    that nobody foresaw.
    """

    code = "stage_failed"

    def __init__(self, stage: str, error_code: str, message: str) -> None:
        super().__init__(message, stage=stage, error_code=error_code)
        self.stage = stage
        self.error_code = error_code
