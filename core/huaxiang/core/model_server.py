"""Asks a model server on another machine over HTTP, patiently and within bounds; it answers in JSON.

The one seam where httpx's errors end. No error holds what the server wrote, nor the key.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

from huaxiang.core.errors import ConfigurationError, ModelError, ModelUnavailable
from huaxiang.core.settings import ModelServerSettings

_MOST_ANSWER_BYTES = 4 * 1024**2
_LONGEST_WAIT_S = 30.0
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class ModelServerOptions:
    """Where the server is and how patiently it is asked.

    ``url`` is the base that ends in ``/v1``; ``setting`` is the prefix of the environment variables that
    hold it, for messages, and ``what`` the server's name in them. ``timeout_s`` bounds each step of a
    request (connecting, sending, waiting) and the reading of its whole answer. A request that fails in
    passing (no connection, no answer in time, 429, 5xx) is made up to ``attempts`` times, with
    ``backoff_s`` between the first two and twice as long each time after, or as long as the server says.
    At most ``connections`` are open at once. ``proxy`` is the only proxy used: those of the environment
    are not.
    """

    url: str
    setting: str
    what: str = "server"
    key: str = ""
    timeout_s: float = 60.0
    attempts: int = 3
    backoff_s: float = 0.5
    connections: int = 2
    proxy: str = ""

    def __repr__(self) -> str:
        """Leave the key out."""
        return f"ModelServerOptions(url={self.url!r})"


def options_of(settings: ModelServerSettings, setting: str, what: str) -> ModelServerOptions:
    """Return the options that settings under the prefix ``setting`` choose for a server called ``what``."""
    return ModelServerOptions(
        url=settings.url,
        setting=setting,
        what=what,
        key=settings.key.get_secret_value() if settings.key else "",
        timeout_s=settings.timeout_s,
        attempts=settings.attempts,
        backoff_s=settings.backoff_s,
        connections=settings.concurrency,
        proxy=settings.proxy,
    )


class _Passing(Exception):
    """A failure that may be over at the next try; ``wait_s`` is the server's own wish."""

    def __init__(self, reason: str, wait_s: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.wait_s = wait_s


class ModelServer:
    """A connection to a server that threads may share; closed by ``close`` or at the end of a ``with``."""

    def __init__(self, options: ModelServerOptions, sleep: Callable[[float], None] = time.sleep) -> None:
        self._options = options
        self._sleep = sleep
        self.host = urlsplit(options.url).netloc
        self._client = httpx.Client(
            headers={"Authorization": f"Bearer {options.key}"} if options.key else {},
            timeout=options.timeout_s,
            proxy=options.proxy or None,
            trust_env=False,
            limits=httpx.Limits(max_connections=options.connections),
        )
        self._free = threading.BoundedSemaphore(options.connections)
        self._called = f"the {options.what} {self.host}"

    def __enter__(self) -> Self:
        """Return itself, to be closed at the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def ask(self, path: str, **sent: Any) -> Mapping[str, Any]:
        """Return the JSON object that the server answers to what is sent (see ``post``).

        Raises as ``post`` and ``document`` do.
        """
        status, body = self.post(path, **sent)
        return self.document(status, body)

    def post(self, path: str, **sent: Any) -> tuple[int, bytes]:
        """Return status and body of the first answer from ``url`` + ``path`` that is no passing failure.

        ``sent`` is httpx's: ``json``, or ``data`` and ``files``. Raises ModelUnavailable where the server
        does not answer, and ModelError where its answer has no end.
        """
        wait_s = self._options.backoff_s
        for attempt in range(1, self._options.attempts + 1):
            try:
                return self._posted(path, sent)
            except _Passing as failure:
                if attempt == self._options.attempts:
                    raise ModelUnavailable(
                        f"{self._called} {failure.reason} ({attempt} tries): see that it runs and "
                        f"that {self._options.setting}__URL is right"
                    ) from failure
                self._sleep(min(wait_s if failure.wait_s is None else failure.wait_s, _LONGEST_WAIT_S))
                wait_s *= 2
        raise AssertionError("attempts is at least 1")

    def document(self, status: int, body: bytes) -> Mapping[str, Any]:
        """Return the JSON object of an answer.

        Raises ConfigurationError where the server refuses the key or knows no such path or model, and
        ModelError where it answers something else.
        """
        if status in (401, 403):
            raise ConfigurationError(f"{self._called} refuses the key: set {self._options.setting}__KEY")
        if status == httpx.codes.NOT_FOUND:
            raise ConfigurationError(
                f"{self._called} knows no such path or model: set {self._options.setting}__URL "
                "(up to /v1) and __MODEL"
            )
        if status != httpx.codes.OK:
            raise ModelError(f"{self._called} refuses the request with {status}", status=status)
        try:
            answer = json.loads(body)
        except ValueError as error:  # not UTF-8, not JSON
            raise self._unusable() from error
        if not isinstance(answer, dict):
            raise self._unusable()
        return answer

    def _posted(self, path: str, sent: Mapping[str, Any]) -> tuple[int, bytes]:
        # Who waits for a free connection does not use up the server's time: others may be asking at once.
        with self._free:
            return self._posted_at_once(path, sent)

    def _posted_at_once(self, path: str, sent: Mapping[str, Any]) -> tuple[int, bytes]:
        deadline = time.monotonic() + self._options.timeout_s
        try:
            with self._client.stream("POST", f"{self._options.url.rstrip('/')}{path}", **sent) as response:
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
            raise ConfigurationError(f"{self._options.setting}__URL is no URL") from error

    def _body(self, response: httpx.Response, deadline: float) -> bytes:
        """Read an answer of bounded size in bounded time: httpx bounds each read, not their sum."""
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > _MOST_ANSWER_BYTES:
                raise ModelError(f"{self._called} answers without end")
            if time.monotonic() > deadline:
                raise _Passing(f"gives no whole answer in {self._options.timeout_s:g} s")
        return bytes(body)

    def _unusable(self) -> ModelError:
        return ModelError(f"{self._called} does not answer with a JSON object")


def _retry_after(response: httpx.Response) -> float | None:
    """Return the seconds that a server asks to wait for; its other form, a date, is not heeded."""
    value = response.headers.get("retry-after", "")
    return float(value) if value.isdecimal() else None
