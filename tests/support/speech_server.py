"""A small speech server on loopback that answers in OpenAI's form, and misbehaves on demand."""

from __future__ import annotations

import io
import json
import threading
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import policy
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from loopback import QuietHandler, base_url, serving


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: its path, headers, form fields (a repeated one as a list), and the length of its WAV."""

    path: str
    authorization: str
    fields: dict[str, list[str]]
    filename: str
    sample_rate: int
    channels: int
    duration_ms: int


@dataclass(frozen=True, slots=True)
class Said:
    """What the server answers: a status, a body (JSON or raw bytes), and how it dawdles."""

    body: dict[str, Any] | bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    drip_s: float = 0.0


@dataclass
class SpeechServer:
    """The running server: where it is, what it was asked, and the most requests it had open at once."""

    url: str
    asked: list[Asked] = field(default_factory=list)
    open_now: int = 0
    most_open: int = 0


@contextmanager
def speech_server(answer: Callable[[Asked, int], Said]) -> Iterator[SpeechServer]:
    """Run a server; ``answer`` gets the request and how many came before it."""
    lock = threading.Lock()

    class Handler(QuietHandler, BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = _read(self)
            with lock:
                place = len(state.asked)
                state.asked.append(asked)
                state.open_now += 1
                state.most_open = max(state.most_open, state.open_now)
            said = answer(asked, place)
            time.sleep(said.delay_s)
            with lock:
                state.open_now -= 1  # before the answer, on which the client's next request may follow
            # the client gives up early in some tests
            with suppress(BrokenPipeError, ConnectionResetError):
                self._say(said)

        def _say(self, said: Said) -> None:
            body = said.body if isinstance(said.body, bytes) else json.dumps(said.body).encode()
            self.send_response(said.status)
            for name, value in said.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            step = 1 if said.drip_s else max(len(body), 1)
            for start in range(0, len(body), step):
                self.wfile.write(body[start : start + step])
                time.sleep(said.drip_s)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state = SpeechServer(base_url(server))
    with serving(server):
        yield state


def _read(handler: BaseHTTPRequestHandler) -> Asked:
    body = handler.rfile.read(int(handler.headers["Content-Length"]))
    head = f"Content-Type: {handler.headers['Content-Type']}\r\n\r\n".encode()
    message = BytesParser(policy=policy.HTTP).parsebytes(head + body)
    fields: dict[str, list[str]] = {}
    filename, wav = "", b""
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        payload = part.get_payload(decode=True)
        assert isinstance(payload, bytes)
        if name_of_file := part.get_filename():
            filename, wav = name_of_file, payload
        else:
            fields.setdefault(str(name), []).append(payload.decode())
    with wave.open(io.BytesIO(wav)) as file:
        duration_ms = file.getnframes() * 1000 // file.getframerate()
        return Asked(
            path=handler.path,
            authorization=handler.headers.get("Authorization", ""),
            fields=fields,
            filename=filename,
            sample_rate=file.getframerate(),
            channels=file.getnchannels(),
            duration_ms=duration_ms,
        )
