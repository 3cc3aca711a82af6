"""A small language model on loopback that answers in OpenAI's form, and misbehaves on demand."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from loopback import QuietHandler, base_url, serving


@dataclass
class ChatServer:
    """The running server: where it is and what it was asked."""

    url: str
    paths: list[str] = field(default_factory=list)
    authorizations: list[str] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)


def chat(content: str) -> dict[str, Any]:
    """Return an answer that says ``content``."""
    return {"choices": [{"message": {"role": "assistant", "content": content}}]}


@contextmanager
def chat_server(answers: Sequence[tuple[int, dict[str, Any] | bytes]]) -> Iterator[ChatServer]:
    """Run a server that gives the answers in turn, the last of them for ever."""

    class Handler(QuietHandler, BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            place = min(len(state.asked), len(answers) - 1)
            state.paths.append(self.path)
            state.authorizations.append(self.headers.get("Authorization", ""))
            state.asked.append(json.loads(body))
            status, answer = answers[place]
            sent = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state = ChatServer(base_url(server))
    with serving(server):
        yield state
