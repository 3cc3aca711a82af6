"""Speech recognition by a server that speaks OpenAI's ``/v1/audio/transcriptions``.

FunASR, vLLM, speaches and others answer it. What leaves the machine: each clip of speech as a WAV file
without a name, the language, and, only where that is switched on, the hotwords.
"""

from __future__ import annotations

import io
import wave
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from huaxiang.asr.server_answer import read_answer
from huaxiang.asr.transcriber import MAX_CLIP_MS, Clip, ClipTranscript, Hints
from huaxiang.core.audio import SAMPLE_RATE
from huaxiang.core.errors import InvalidInput, ModelError
from huaxiang.core.model_server import ModelServer

_LONGEST_NAME = 200
_FORM_NOT_KNOWN = frozenset({400, 422})
_DETAILED: dict[str, Any] = {
    "response_format": "verbose_json",
    "timestamp_granularities[]": ["word", "segment"],
}
_PLAIN: dict[str, Any] = {"response_format": "json"}


class SpeechServerTranscriber:
    """The adapter of a remote recogniser, asked for ``model``.

    ``send_hotwords`` lets the phrases of the hints go along as ``prompt``; ``concurrency`` requests are open
    at once. Raises ConfigurationError where the server refuses the key, the path or the model,
    ModelUnavailable where it does not answer, and ModelError where its answer cannot be used. No error
    holds what the server wrote.
    """

    def __init__(
        self, server: ModelServer, model: str, *, concurrency: int = 2, send_hotwords: bool = False
    ) -> None:
        self._server = server
        self._model = model
        self._concurrency = concurrency
        self._send_hotwords = send_hotwords
        self._form = _DETAILED
        self.name = f"{model}@{server.host}"[:_LONGEST_NAME]

    def transcribe(self, clips: Sequence[Clip], hints: Hints) -> Sequence[ClipTranscript]:
        """Recognise each clip, several at a time.

        Raises InvalidInput for a clip over 30 s, else as the class says; the first failure ends the rest.
        """
        if any(clip.duration_ms > MAX_CLIP_MS for clip in clips):
            raise InvalidInput("a clip to recognise is at most 30 s long")
        with ThreadPoolExecutor(self._concurrency, "speech-server") as pool:
            waiting = [pool.submit(self._recognise, clip, hints) for clip in clips]
            try:
                return [future.result() for future in waiting]
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def _recognise(self, clip: Clip, hints: Hints) -> ClipTranscript:
        if not len(clip.samples):
            return ClipTranscript()
        wav = _wav(clip)
        form = self._form
        status, body = self._answered(wav, hints, form)
        if status in _FORM_NOT_KNOWN and form is _DETAILED:
            form = _PLAIN  # some servers give text alone, and refuse to be asked for more
            status, body = self._answered(wav, hints, form)
        answer = self._server.document(status, body)
        self._form = form
        try:
            return read_answer(answer, clip)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ModelError(
                f"the speech server {self._server.host} does not answer in the form of OpenAI's audio "
                "transcriptions",
                model=self.name,
            ) from error

    def _answered(self, wav: bytes, hints: Hints, form: Mapping[str, Any]) -> tuple[int, bytes]:
        fields = {"model": self._model, "language": hints.language, "temperature": "0", **form}
        if self._send_hotwords and hints.phrases:
            fields["prompt"] = "、".join(hints.phrases)
        files = {"file": ("clip.wav", wav, "audio/wav")}
        return self._server.post("/audio/transcriptions", data=fields, files=files)


def _wav(clip: Clip) -> bytes:
    """Return the clip as 16-bit mono PCM in a WAV file."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(np.clip(np.rint(clip.samples * 32768), -32768, 32767).astype("<i2").tobytes())
    return buffer.getvalue()
