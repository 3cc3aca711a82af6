"""``search``: the full text of the conversations that are stored."""

from __future__ import annotations

from typing import Annotated

import typer

from huaxiang.api import bootstrap
from huaxiang.api.command.console import emit_json, emit_text, progress_bar
from huaxiang.core.settings import load_settings

app = typer.Typer(help="The full text (全文检索) of stored conversations.", no_args_is_help=True)
BATCH = 50


@app.callback()
def _group() -> None:
    """Keep ``index`` a command of its own, though it is the only one."""


@app.command("index")
def index(
    everything: Annotated[
        bool, typer.Option("--all", help="Also what can be found already, by its present text.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say how many would be indexed; index none.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Make stored conversations findable that are not; may be broken off and run again."""
    from huaxiang.api.search.suite import reindex, unindexed
    from huaxiang.core.database import reading, transaction

    system = bootstrap.build_system(load_settings())
    sessions = system.storage.sessions
    with reading(sessions) as session:
        waiting = unindexed(session, everything=everything)
    indexed = 0
    if not dry_run:
        with progress_bar("indexing") as advance:
            for start in range(0, len(waiting), BATCH):
                batch = waiting[start : start + BATCH]
                with transaction(sessions) as session:
                    for recording_id in batch:
                        reindex(session, system.stores, recording_id)
                indexed += len(batch)
                advance(indexed / len(waiting))
    if as_json:
        emit_json({"dry_run": dry_run, "waiting": len(waiting), "indexed": indexed})
    else:
        emit_text(f"{len(waiting)} conversations to index, {indexed} indexed")
