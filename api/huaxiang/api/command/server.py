"""``serve``, ``worker`` and ``watch``: what runs until it is told to stop."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from huaxiang.api import bootstrap
from huaxiang.api.command.console import emit_json, emit_text, people
from huaxiang.core.logging import configure_logging
from huaxiang.core.settings import load_settings

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line on standard output.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module to ``app``."""
    app.command()(serve)
    app.command()(worker)
    app.command()(watch)


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; loopback as it comes.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535)] = None,
    without_worker: Annotated[
        bool, typer.Option("--no-worker", help="Answer only; process nothing.")
    ] = False,
) -> None:
    """Serve API and console, with an embedded worker; SQLite and a folder, no other server."""
    import uvicorn

    from huaxiang.api.reviews.nightly import nightly_sampling

    given = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    settings = load_settings(**given)
    configure_logging(settings.log_level)
    system = bootstrap.build_system(settings)
    first = bootstrap.first_start(settings, system.storage)
    if first is not None:
        people.print(f"first start: the sign-in of the first admin is in {first}", markup=False)
    people.print(f"话像 on http://{settings.host}:{settings.port}", markup=False)
    app = bootstrap.build_app(system)
    worker = nullcontext() if without_worker else bootstrap.running_worker(system, on_stuck=_exit_now)
    sampling = nightly_sampling(settings, system.storage.sessions)
    with bootstrap.build_sweeper(system), sampling, worker:
        uvicorn.run(app, host=settings.host, port=settings.port, log_config=None, server_header=False)


def worker() -> None:
    """Process recordings from the queue until stopped; join from any machine on the same database."""
    settings = load_settings()
    configure_logging(settings.log_level)
    stop = _stop_signal()
    with bootstrap.running_worker(bootstrap.build_system(settings), on_stuck=_exit_now):
        people.print("worker started; Ctrl-C stops it after the stage in hand", markup=False)
        stop.wait()


def watch(
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False)],
    once: Annotated[bool, typer.Option("--once", help="Look once and end.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be taken; take nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Take every recording that appears in a folder; a .json file of the same name is its metadata."""
    settings = load_settings()
    configure_logging(settings.log_level)
    stop = _stop_signal()
    watcher = bootstrap.build_watcher(bootstrap.build_system(settings), folder, dry_run=dry_run)
    for event in watcher.run(stop, once=once):
        if as_json:
            emit_json(event.as_json())
        else:
            emit_text(str(event))


def _exit_now() -> None:
    """Leave a stage that does not end where it is; another worker, or this one's next start, resumes it."""
    people.print("the stage in hand did not end in time and will be gone on with later", markup=False)
    sys.stdout.flush()
    os._exit(0)


def _stop_signal() -> threading.Event:
    """Return an event that SIGINT and SIGTERM set."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop
