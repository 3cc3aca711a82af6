"""Speech recognition by a server that speaks OpenAI's ``/v1/audio/transcriptions``.

FunASR, vLLM, speaches and others answer it. What leaves the machine: each clip of speech as a WAV file
without a name, the language, and, only where that is switched on, the hotwords.
"""

from __future__ import annotations

import io
import json
import time
import wave
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
import numpy as np

from huaxiang.asr.server_answer import read_answer
from huaxiang.asr.transcriber import MAX_CLIP_MS, Clip, ClipTranscript, Hints
from huaxiang.core.audio import SAMPLE_RATE
from huaxiang.core.errors import ConfigurationError, InvalidInput, ModelError, ModelUnavailable

_MOST_ANSWER_BYTES = 4 * 1024**2
_LONGEST_WAIT_S = 30.0
_LONGEST_NAME = 200
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_FORM_NOT_KNOWN = frozenset({400, 422})
_DETAILED: dict[str, Any] = {
    "response_format": "verbose_json",
    "timestamp_granularities[]": ["word", "segment"],
}
_PLAIN: dict[str, Any] = {"response_format": "json"}


@dataclass(frozen=True, slots=True)
class SpeechServerOptions:
    """Where the server is and how patiently it is asked.

    ``url`` is the base that ends in ``/v1``. ``timeout_s`` bounds each step of a request (connecting,
    sending, waiting) and the reading of its whole answer. A request that fails in passing (no
    connection, no answer in time, 429, 5xx) is made up to ``attempts`` times, with ``backoff_s``
    between the first two and twice as long each time after, or as long as the server says. At most
    ``concurrency`` requests are open at once. ``key`` is sent as a bearer token; ``send_hotwords``
    lets the phrases of the hints go along as ``prompt``. ``proxy`` is the only proxy used: those of
    the environment are not.
    """

    url: str
    model: str
    key: str = ""
    timeout_s: float = 60.0
    attempts: int = 4
    backoff_s: float = 0.5
    concurrency: int = 2
    send_hotwords: bool = False
    proxy: str = ""

    def __repr__(self) -> str:
        """Leave the key out."""
        return f"SpeechServerOptions(url={self.url!r}, model={self.model!r})"


class _Passing(Exception):
    """A failure that may be over at the next try; ``wait_s`` is the server's own wish."""

    def __init__(self, reason: str, wait_s: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.wait_s = wait_s


class SpeechServerTranscriber:
    """The adapter of a remote recogniser; holds a pool of connections until ``close``.

    Raises ConfigurationError where the server refuses the key, the path or the model,
    ModelUnavailable where it does not answer, and ModelError where its answer cannot be used. No error
    holds what the server wrote.
    """

    def __init__(self, options: SpeechServerOptions, sleep: Callable[[float], None] = time.sleep) -> None:
        self._options = options
        self._sleep = sleep
        self._host = urlsplit(options.url).netloc
        self._form = _DETAILED
        self.name = f"{options.model}@{self._host}"[:_LONGEST_NAME]
        headers = {"Authorization": f"Bearer {options.key}"} if options.key else {}
        self._client = httpx.Client(
            headers=headers,
            timeout=options.timeout_s,
            proxy=options.proxy or None,
            trust_env=False,
            limits=httpx.Limits(max_connections=options.concurrency),
        )

    def __enter__(self) -> Self:
        """Return itself, to be closed at the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def transcribe(self, clips: Sequence[Clip], hints: Hints) -> Sequence[ClipTranscript]:
        """Recognise each clip, several at a time.

        Raises InvalidInput for a clip over 30 s, else as the class says; the first failure ends the rest.
        """
        if any(clip.duration_ms > MAX_CLIP_MS for clip in clips):
            raise InvalidInput("a clip to recognise is at most 30 s long")
        with ThreadPoolExecutor(self._options.concurrency, "speech-server") as pool:
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
        if status != httpx.codes.OK:
            raise self._refused(status)
        answer = self._document(body)
        self._form = form
        try:
            return read_answer(answer, clip)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise self._unusable() from error

    def _answered(self, wav: bytes, hints: Hints, form: Mapping[str, Any]) -> tuple[int, bytes]:
        """Return status and body of the first answer that is not a passing failure."""
        wait_s = self._options.backoff_s
        for attempt in range(1, self._options.attempts + 1):
            try:
                return self._posted(wav, hints, form)
            except _Passing as failure:
                if attempt == self._options.attempts:
                    raise ModelUnavailable(
                        f"the speech server {self._host} {failure.reason} ({attempt} tries): "
                        "see that it runs and that HUAXIANG_RECOGNITION__SERVER__URL is right",
                        model=self.name,
                    ) from failure
                self._sleep(min(wait_s if failure.wait_s is None else failure.wait_s, _LONGEST_WAIT_S))
                wait_s *= 2
        raise AssertionError("attempts is at least 1")

    def _posted(self, wav: bytes, hints: Hints, form: Mapping[str, Any]) -> tuple[int, bytes]:
        """Make one request: the seam where httpx's errors end. Raises _Passing or ModelError."""
        deadline = time.monotonic() + self._options.timeout_s
        fields = {"model": self._options.model, "language": hints.language, "temperature": "0", **form}
        if self._options.send_hotwords and hints.phrases:
            fields["prompt"] = "、".join(hints.phrases)
        try:
            with self._client.stream(
                "POST",
                f"{self._options.url.rstrip('/')}/audio/transcriptions",
                data=fields,
                files={"file": ("clip.wav", wav, "audio/wav")},
            ) as response:
                if response.status_code in _PASSING:
                    raise _Passing(f"answers {response.status_code}", _retry_after(response))
                return response.status_code, self._body(response, deadline)
        except httpx.TimeoutException as error:
            raise _Passing(f"gives no answer in {self._options.timeout_s:g} s") from error
        except httpx.DecodingError as error:
            raise self._unusable() from error
        except httpx.TransportError as error:
            raise _Passing(f"cannot be reached ({type(error).__name__})") from error
        except httpx.InvalidURL as error:
            raise ConfigurationError("HUAXIANG_RECOGNITION__SERVER__URL is no URL") from error

    def _body(self, response: httpx.Response, deadline: float) -> bytes:
        """Read an answer of bounded size in bounded time: httpx bounds each read, not their sum."""
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > _MOST_ANSWER_BYTES:
                raise ModelError(f"the speech server {self._host} answers without end", model=self.name)
            if time.monotonic() > deadline:
                raise _Passing(f"gives no whole answer in {self._options.timeout_s:g} s")
        return bytes(body)

    def _document(self, body: bytes) -> Mapping[str, Any]:
        try:
            document = json.loads(body)
        except ValueError as error:  # not UTF-8, not JSON
            raise self._unusable() from error
        if not isinstance(document, dict) or not isinstance(document.get("text"), str):
            raise self._unusable()
        return document

    def _unusable(self) -> ModelError:
        return ModelError(
            f"the speech server {self._host} does not answer in the form of OpenAI's audio transcriptions",
            model=self.name,
        )

    def _refused(self, status: int) -> ModelError | ConfigurationError:
        if status in (401, 403):
            return ConfigurationError(
                f"the speech server {self._host} refuses the key: set HUAXIANG_RECOGNITION__SERVER__KEY"
            )
        if status == 404:
            return ConfigurationError(
                f"the speech server {self._host} knows no such path or model ({self._options.model}): "
                "set HUAXIANG_RECOGNITION__SERVER__URL (up to /v1) and __MODEL"
            )
        return ModelError(
            f"the speech server {self._host} refuses the request with {status}",
            model=self.name,
            status=status,
        )


def _wav(clip: Clip) -> bytes:
    """Return the clip as 16-bit mono PCM in a WAV file."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(np.clip(np.rint(clip.samples * 32768), -32768, 32767).astype("<i2").tobytes())
    return buffer.getvalue()


def _retry_after(response: httpx.Response) -> float | None:
    """Return the seconds that a server asks to wait for; its other form, a date, is not heeded."""
    value = response.headers.get("retry-after", "")
    return float(value) if value.isdecimal() else None
