"""Runs the pipeline on files of this machine without a database, for the command line."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import replace
from pathlib import Path

from huaxiang.api.pipeline import Conversation, Pipeline, Progress, Speech
from huaxiang.core.audio import Decoder, WavAudio
from huaxiang.core.database import now
from huaxiang.core.errors import NotFound
from huaxiang.core.types import CallMetadata, Recording, Setting, Transcript

_CHUNK_BYTES = 1024 * 1024


def process_file(
    pipeline: Pipeline, path: Path, metadata: CallMetadata, progress: Progress | None = None
) -> Conversation:
    """Take one file through every stage.

    Raises NotFound for a missing file, AudioError for an unusable one, ModelError without models.
    """
    recording, transcript = transcribe_file(pipeline.decode, pipeline.speech, path, metadata, progress)
    return pipeline.analyse(recording, transcript)


def transcribe_file(
    decode: Decoder, speech: Speech, path: Path, metadata: CallMetadata, progress: Progress | None = None
) -> tuple[Recording, Transcript]:
    """Take one file as far as its turns; decoded audio lives in a temporary folder. Errors as above."""
    recording = recording_of(path, metadata)
    with tempfile.TemporaryDirectory(prefix="huaxiang-") as folder:
        decoded = Path(folder) / "decoded.wav"
        recording = replace(recording, audio=decode(path, decoded))
        return recording, speech.run(recording, WavAudio(decoded), progress)


def recording_of(path: Path, metadata: CallMetadata) -> Recording:
    """Return a recording that is not stored: the file's name without endings is its id.

    Raises NotFound for a missing file.
    """
    if not path.is_file():
        raise NotFound(f"{path}: no such file")
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return Recording(
        id=path.name.split(".")[0],
        sha256=digest.hexdigest(),
        size_bytes=path.stat().st_size,
        filename=path.name,
        blob_key="",
        source="cli",
        received_at=now(),
        metadata=metadata,
    )


def typed_recording(transcript: Transcript, setting: Setting | None) -> Recording:
    """Return the recording that stands for a typed conversation: its id, and no audio."""
    return Recording(
        id=transcript.recording_id,
        sha256="",
        size_bytes=0,
        filename="",
        blob_key="",
        source="typed",
        received_at=now(),
        metadata=CallMetadata(setting=setting),
    )
