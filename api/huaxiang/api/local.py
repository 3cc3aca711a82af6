"""Runs the pipeline on files of this machine without a database, for the command line."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import replace
from pathlib import Path

from huaxiang.api.pipeline import Conversation, Pipeline, Progress
from huaxiang.core.audio import WavAudio
from huaxiang.core.database import now
from huaxiang.core.errors import NotFound
from huaxiang.core.types import CallMetadata, Recording, Transcript

_CHUNK_BYTES = 1024 * 1024


class LocalRun:
    """The pipeline on one file after another; decoded audio lives in a temporary folder."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    def process(self, path: Path, metadata: CallMetadata, progress: Progress | None = None) -> Conversation:
        """Take one file through every stage.

        Raises NotFound for a missing file, AudioError for an unusable one, ModelError without models.
        """
        recording, transcript = self.transcribe(path, metadata, progress)
        return self._pipeline.analyse(recording, transcript)

    def transcribe(
        self, path: Path, metadata: CallMetadata, progress: Progress | None = None
    ) -> tuple[Recording, Transcript]:
        """Take one file as far as its turns; errors as in ``process``."""
        recording = recording_of(path, metadata)
        with tempfile.TemporaryDirectory(prefix="huaxiang-") as folder:
            decoded = Path(folder) / "decoded.wav"
            audio = self._pipeline.decode(path, decoded)
            recording = replace(recording, audio=audio)
            return recording, self._pipeline.speech.run(recording, WavAudio(decoded), progress)


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
