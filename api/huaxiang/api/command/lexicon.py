"""``lexicon check``: what is wrong in a tenant's file of names."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from huaxiang.api.command.console import emit_json, emit_text
from huaxiang.core.lexicon import read_lexicon

app = typer.Typer(help="The tenant's names (hotwords): check their file.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep ``check`` a command of its own while it is the only one."""


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="A lexicon in YAML or CSV.", exists=True, dir_okay=False)],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Name every mistake of a lexicon file with its line; exits 1 where there is one."""
    lexicon, mistakes = read_lexicon(file)
    types = Counter(name.type for name in lexicon.names)
    if as_json:
        emit_json(
            {
                "file": file.name,
                "names": dict(sorted(types.items())),
                "mistakes": [{"line": mistake.line, "message": mistake.message} for mistake in mistakes],
            }
        )
    else:
        for mistake in mistakes:
            emit_text(f"{file}:{mistake.line}: {mistake.message}")
        emit_text(", ".join(f"{count} {kind}" for kind, count in sorted(types.items())) or "no names")
        emit_text(f"{len(mistakes)} mistakes")
    if mistakes:
        raise typer.Exit(1)
