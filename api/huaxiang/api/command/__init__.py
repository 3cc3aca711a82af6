"""The command line ``huaxiang``: one module a group of commands, heavy libraries loaded on use."""

from __future__ import annotations

import sys

import typer

from huaxiang.api.command import (
    access,
    bench,
    coaching,
    conversations,
    evaluate,
    export,
    history,
    lexicon,
    models,
    review,
    rules,
    search,
    server,
    speaker,
    train,
)
from huaxiang.api.command.console import people
from huaxiang.core.errors import HuaxiangError

app = typer.Typer(
    name="huaxiang",
    help="话像: sales recordings in; transcripts, findings, scorecards and profiles with evidence out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
conversations.register(app)
server.register(app)
app.add_typer(evaluate.app, name="eval")
bench.register(app)
export.register(app)
app.add_typer(train.app, name="train")
app.add_typer(models.app, name="models")
history.register(rules.app)
app.add_typer(rules.app, name="rules")
app.add_typer(review.app, name="review")
app.add_typer(search.app, name="search")
app.add_typer(lexicon.app, name="lexicon")
app.add_typer(speaker.app, name="speaker")
app.add_typer(access.device_app, name="device")
app.add_typer(access.user_app, name="user")
app.add_typer(access.token_app, name="token")
coaching.register(app)


def main() -> None:
    """Run the command line; a typed error is said in one line and exits 1."""
    try:
        app()
    except HuaxiangError as error:
        people.print(f"error ({error.code}): {error.message}", markup=False)
        sys.exit(1)
