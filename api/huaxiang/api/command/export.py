"""``export``: conversations as people corrected them, to train and to measure on."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from huaxiang.api import bootstrap
from huaxiang.api.command.console import emit_json, emit_text, progress_bar
from huaxiang.core.settings import load_settings
from huaxiang.core.types import RecordingStatus


def register(app: typer.Typer) -> None:
    """Add the command of this module to ``app``."""
    app.command()(export)


def export(
    folder: Annotated[
        Path, typer.Argument(help="A folder that is not there yet, or empty.", file_okay=False)
    ],
    everything: Annotated[
        bool, typer.Option("--all", help="Also calls that nobody corrected, as the model labelled them.")
    ] = False,
    seller: Annotated[str | None, typer.Option(help="Calls of this seller alone.")] = None,
    customer: Annotated[str | None, typer.Option(help="Calls with this customer, as told.")] = None,
    held_from: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="Calls held from this day on.")
    ] = None,
    held_to: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Calls held up to this day.")
    ] = None,
    audio: Annotated[
        bool, typer.Option(help="Also cut out the turns whose words people wrote, for `eval asr`.")
    ] = True,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be written; write nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Write corrected conversations as labelled JSONL for `train nlp`, and their words with audio.

    The texts hold what was said, names and numbers among it: keep the folder as you keep recordings.
    """
    from huaxiang.api.export.run import Wanted, build_exporter
    from huaxiang.ingest.recordings import RecordingFilters

    settings = load_settings()
    zone = ZoneInfo(settings.default_zone)
    filters = RecordingFilters(
        status=RecordingStatus.DONE,
        seller=seller,
        customer_ref=customer,
        started_from=held_from.replace(tzinfo=zone) if held_from else None,
        started_before=held_to.replace(tzinfo=zone) + timedelta(days=1) if held_to else None,
    )
    exporter = build_exporter(bootstrap.build_system(settings))
    with progress_bar("export") as advance:
        exported = exporter.run(
            Wanted(filters, everything=everything, audio=audio), folder, advance, dry_run=dry_run
        )
    if as_json:
        emit_json({"folder": str(folder), "dry_run": dry_run, **exported.document()})
        return
    would = "would write" if dry_run else "wrote"
    emit_text(
        f"{would} {exported.conversations} conversations with {exported.turns} turns "
        f"({exported.corrected_turns} corrected) and {exported.clips} clips "
        f"({exported.clips_ms / 1000:.1f} s) to {folder}"
    )
    if exported.without_consent:
        emit_text(f"{exported.without_consent} left out: the customer did not consent to be recorded")
