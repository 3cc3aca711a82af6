"""The recognition library used plainly: the baseline that ours is held against."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from huaxiang.asr.error_rate import joined
from huaxiang.core.audio import DecodedAudio
from huaxiang.core.errors import ModelError


class PlainRecogniser(Protocol):
    """Recognises a whole recording in one go."""

    def text(self, audio: DecodedAudio) -> str:
        """Return everything heard. Raises ModelError."""


@dataclass(frozen=True, slots=True)
class PlainWhisper:
    """``WhisperModel.transcribe`` or ``BatchedInferencePipeline.transcribe`` with their defaults.

    As the library's own decoder does, channels are mixed down and the recording is held whole. The
    language is told, which spares the library its detection.
    """

    _recogniser: Any
    language: str

    def text(self, audio: DecodedAudio) -> str:
        """Return everything heard. Raises ModelError."""
        try:
            segments, _ = self._recogniser.transcribe(mixed(audio), language=self.language)
            return joined([segment.text for segment in segments])
        except (RuntimeError, ValueError) as error:
            raise ModelError("the plain recogniser failed", model="plain") from error


def plain_recognisers(
    model_dir: Path, compute_type: str, threads: int, language: str = "zh"
) -> dict[str, PlainRecogniser]:
    """Return the library's two ways by name, ``plain`` and ``batched``, on one loaded model.

    Raises ModelError where the model cannot be loaded.
    """
    from faster_whisper import BatchedInferencePipeline, WhisperModel

    try:
        model = WhisperModel(
            str(model_dir),
            device="cpu",
            compute_type=compute_type,
            cpu_threads=threads,
            local_files_only=True,
        )
    except (RuntimeError, ValueError) as error:
        raise ModelError(
            f"the recogniser {model_dir.name} cannot be loaded: pull or add the model again", model="plain"
        ) from error
    return {
        "plain": PlainWhisper(model, language),
        "batched": PlainWhisper(BatchedInferencePipeline(model), language),
    }


def mixed(audio: DecodedAudio) -> NDArray[np.float32]:
    """Return the mean of all channels, whole, shape ``(samples,)``."""
    channels = [audio.read(channel, 0, audio.duration_ms) for channel in range(audio.channels)]
    mean: NDArray[np.float32] = np.mean(channels, axis=0, dtype=np.float32)
    return mean
