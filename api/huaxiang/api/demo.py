"""``make demo``: a server on this machine, two recorded calls taken through every stage over HTTP.

``python -m huaxiang.api.demo --data-dir DIR [--port N]`` starts the server where none runs,
registers what it needs, uploads the calls and says where the page and a profile are. The server goes
on running; ``--stop`` ends it. Doing it again uses what is there.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from huaxiang.api import bootstrap
from huaxiang.api.access.tokens import add_token
from huaxiang.api.command.console import emit_text, progress_bar
from huaxiang.api.samples import samples_dir
from huaxiang.api.workflow import STAGE_NAMES
from huaxiang.core.database import transaction
from huaxiang.core.errors import ConfigurationError, HuaxiangError, StageFailed
from huaxiang.core.settings import Settings, load_settings

START_LIMIT_S = 60
CALL_LIMIT_S = 900


@dataclass(frozen=True, slots=True)
class DemoCall:
    """A sample call: its file, the customer it is with, what the device tells, what the CRM knows."""

    file: str
    customer: str
    metadata: Mapping[str, str]
    crm_fields: Mapping[str, str]


CALLS = (
    DemoCall(
        "saas-007.mp3",
        "DEMO-001",
        {"setting": "phone", "agent_channel": "0", "started_at": "2026-11-20T10:00:00+08:00"},
        {"industry": "企业软件", "source_platform": "官网"},
    ),
    DemoCall(
        "ins-009.mp3",
        "DEMO-002",
        {"setting": "onsite", "started_at": "2026-11-20T15:30:00+08:00"},
        {"industry": "保险", "source_platform": "门店"},
    ),
)


def main() -> int:
    """Run the demo; returns 0 when both calls came through every stage."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data-dir", type=Path, required=True, help="where the demo keeps its data")
    parser.add_argument("--port", type=int, default=8760, help="where to serve; another if it is taken")
    parser.add_argument("--stop", action="store_true", help="end the demo's server")
    given = parser.parse_args()
    demo = Demo(given.data_dir.resolve(), given.port)
    try:
        if given.stop:
            demo.stop()
        else:
            demo.run(samples_dir())
    except (HuaxiangError, httpx.HTTPError) as error:
        emit_text(f"the demo failed: {error}")
        return 1
    return 0


class Demo:
    """The demo's server and what it is asked to do."""

    def __init__(self, data_dir: Path, port: int) -> None:
        self._data_dir = data_dir
        self._state_file = data_dir / "demo.json"
        self._port = port
        self._settings: Settings = load_settings(
            data_dir=data_dir, database_url="", blob_url="", host="127.0.0.1"
        )

    def run(self, calls: Path) -> None:
        """Start, upload, wait, and say where to look."""
        base_url = self._started()
        state = self._credentials()
        with httpx.Client(base_url=base_url, timeout=60) as http:
            uploaded = [self._upload(http, calls, state, call) for call in CALLS]
            for recording_id, call in zip(uploaded, CALLS, strict=True):
                self._wait(http, state, recording_id, call.file)
        self._say(base_url, uploaded)

    def stop(self) -> None:
        """End the server that an earlier run started."""
        state = self._state()
        pid = state.get("pid")
        if isinstance(pid, int) and _alive(pid) and _healthy(str(state["url"])):
            os.kill(pid, signal.SIGTERM)
            self._remember(pid=0)
            emit_text(f"stopped the demo's server (process {pid})")
        else:
            emit_text("no demo server runs")

    def _started(self) -> str:
        """Return the address of the running server; start one where there is none."""
        state = self._state()
        if isinstance(state.get("pid"), int) and _alive(int(state["pid"])) and _healthy(str(state["url"])):
            return str(state["url"])
        port = self._port if _free(self._port) else _any_port()
        url = f"http://127.0.0.1:{port}"
        self._data_dir.mkdir(parents=True, exist_ok=True)
        environment = {
            **os.environ,
            "HUAXIANG_DATA_DIR": str(self._data_dir),
            "HUAXIANG_DATABASE_URL": "",
            "HUAXIANG_BLOB_URL": "",
            "HUAXIANG_HOST": "127.0.0.1",
        }
        with (self._data_dir / "server.log").open("ab") as log:
            server = subprocess.Popen(  # noqa: S603  # our own program with fixed arguments
                [sys.executable, "-m", "huaxiang.api", "serve", "--port", str(port)],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._remember(pid=server.pid, url=url)
        deadline = time.monotonic() + START_LIMIT_S
        while not _healthy(url):
            if server.poll() is not None or time.monotonic() > deadline:
                raise ConfigurationError(f"the server did not start; see {self._data_dir / 'server.log'}")
            time.sleep(0.3)
        return url

    def _credentials(self) -> dict[str, str | int]:
        """Return a device key and an API token of the demo's own, made at the first run."""
        state = self._state()
        if "token" not in state:
            storage = bootstrap.open_storage(self._settings)
            with transaction(storage.sessions) as session:
                _, key = bootstrap.devices().add(session, f"demo-{int(time.time())}")
                _, token = add_token(session, f"demo-{int(time.time())}", ["crm", "manager"])
            self._remember(device_key=key, token=token)
        return self._state()

    def _upload(self, http: httpx.Client, calls: Path, state: dict[str, str | int], call: DemoCall) -> str:
        """Tell the CRM's fields, send the recording with its metadata, and return its id."""
        crm = {"authorization": f"Bearer {state['token']}"}
        _checked(
            http.put(f"/v1/customers/{call.customer}", json={"fields": dict(call.crm_fields)}, headers=crm)
        )
        path = calls / call.file
        metadata = {
            **call.metadata,
            "customer_ref": call.customer,
            "seller": "demo",
            "consent": "true",
        }
        with path.open("rb") as audio:
            answer = _checked(
                http.post(
                    "/v1/recordings",
                    files={"file": (path.name, audio)},
                    data=metadata,
                    headers={"authorization": f"Bearer {state['device_key']}"},
                )
            )
        return str(answer.json()["id"])

    def _wait(self, http: httpx.Client, state: dict[str, str | int], recording_id: str, name: str) -> None:
        headers = {"authorization": f"Bearer {state['token']}"}
        deadline = time.monotonic() + CALL_LIMIT_S
        with progress_bar(name) as advance:
            while True:
                recording = _checked(http.get(f"/v1/recordings/{recording_id}", headers=headers)).json()
                if recording["status"] == "done":
                    return
                if recording["status"] == "failed" or time.monotonic() > deadline:
                    raise StageFailed("demo", "failed", f"{name} did not come through; see server.log")
                job = http.get(f"/v1/jobs/{recording_id}", headers=headers)
                stage = job.json().get("stage") if job.status_code == 200 else None
                advance(STAGE_NAMES.index(stage) / len(STAGE_NAMES) if stage in STAGE_NAMES else 0.0)
                time.sleep(1)

    def _say(self, base_url: str, recordings: list[str]) -> None:
        sign_in = self._data_dir / "first-sign-in.txt"
        emit_text(f"overview:         {base_url}/overview   (sign-in: {sign_in})")
        emit_text(f"page of a call:   {base_url}/recordings/{recordings[0]}")
        emit_text(f"page of another:  {base_url}/recordings/{recordings[1]}")
        emit_text(f"profile:          {base_url}/v1/customers/{CALLS[0].customer}/profile")
        emit_text(
            '                  curl -H "Authorization: Bearer $('
            f'{sys.executable} -c \'import json;print(json.load(open("{self._state_file}"))["token"])\')" '
            f"{base_url}/v1/customers/{CALLS[0].customer}/profile"
        )
        emit_text("the server goes on running; `make demo-stop` ends it")

    def _state(self) -> dict[str, str | int]:
        if not self._state_file.exists():
            return {}
        state: dict[str, str | int] = json.loads(self._state_file.read_text(encoding="utf-8"))
        return state

    def _remember(self, **values: str | int) -> None:
        """Write the state, readable by its owner only: it holds the demo's keys."""
        partial = self._state_file.with_suffix(".partial")
        partial.touch(mode=0o600)
        partial.write_text(json.dumps({**self._state(), **values}), encoding="utf-8")
        partial.replace(self._state_file)


def _checked(answer: httpx.Response) -> httpx.Response:
    answer.raise_for_status()
    return answer


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _healthy(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", timeout=2).status_code == 200
    except httpx.TransportError:
        return False


def _free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def _any_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
