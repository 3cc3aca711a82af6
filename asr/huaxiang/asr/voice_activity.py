"""How likely speech is in each frame of a channel: the port, Silero's model, and a scripted twin."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from huaxiang.core.audio import SAMPLE_RATE, DecodedAudio
from huaxiang.core.errors import ModelError

FRAME_SAMPLES = 512
FRAME_MS = FRAME_SAMPLES * 1000 // SAMPLE_RATE
_CONTEXT_SAMPLES = 64
_BLOCK_MS = FRAME_MS * 1875  # one minute


class VoiceActivity(Protocol):
    """Tells where somebody speaks."""

    def probabilities(self, audio: DecodedAudio, channel: int) -> NDArray[np.float32]:
        """Return the probability of speech in each frame of 32 ms, shape ``(frames,)``.

        The last frame is filled up with silence. Raises ModelError where the model fails.
        """


class SileroVoiceActivity:
    """Silero VAD (MIT) as it comes with faster-whisper, read in blocks of a minute.

    The model is recurrent, so its state is carried from block to block: any length of audio takes the
    memory of one block and gives what the whole would.
    """

    def __init__(self) -> None:
        from faster_whisper.vad import get_vad_model

        self._session = get_vad_model().session

    def probabilities(self, audio: DecodedAudio, channel: int) -> NDArray[np.float32]:
        """Return the probability of speech in each frame of 32 ms, shape ``(frames,)``."""
        state = np.zeros((1, 1, 128), np.float32), np.zeros((1, 1, 128), np.float32)
        context = np.zeros(_CONTEXT_SAMPLES, np.float32)
        outputs = []
        for block in _blocks(audio, channel):
            frames = block.reshape(-1, FRAME_SAMPLES)
            before = np.concatenate([context[None], frames[:-1, -_CONTEXT_SAMPLES:]])
            context = frames[-1, -_CONTEXT_SAMPLES:]
            output, state = self._infer(np.concatenate([before, frames], axis=1), state)
            outputs.append(output)
        return np.concatenate(outputs) if outputs else np.zeros(0, np.float32)

    def _infer(
        self, frames: NDArray[np.float32], state: tuple[Any, Any]
    ) -> tuple[NDArray[np.float32], tuple[Any, Any]]:
        from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidArgument, RuntimeException

        try:
            output, hidden, cell = self._session.run(None, {"input": frames, "h": state[0], "c": state[1]})
        except (Fail, InvalidArgument, RuntimeException) as error:
            raise ModelError("voice activity detection failed", model="silero-vad") from error
        return np.asarray(output, np.float32).reshape(-1), (hidden, cell)


def _blocks(audio: DecodedAudio, channel: int) -> Iterator[NDArray[np.float32]]:
    for start_ms in range(0, audio.duration_ms, _BLOCK_MS):
        block = audio.read(channel, start_ms, min(start_ms + _BLOCK_MS, audio.duration_ms))
        missing = -len(block) % FRAME_SAMPLES
        if len(block):
            yield np.pad(block, (0, missing)) if missing else block


@dataclass(frozen=True)
class ScriptedVoiceActivity:
    """The scripted twin: speech exactly in the given spans, ``(channel, start_ms, end_ms)``."""

    spans: tuple[tuple[int, int, int], ...] = ()

    def probabilities(self, audio: DecodedAudio, channel: int) -> NDArray[np.float32]:
        """Return the probability of speech in each frame of 32 ms, shape ``(frames,)``."""
        frames = np.zeros(-(-audio.duration_ms // FRAME_MS), np.float32)
        for spoken_channel, start_ms, end_ms in self.spans:
            if spoken_channel == channel:
                frames[start_ms // FRAME_MS : -(-end_ms // FRAME_MS)] = 1.0
        return frames
