"""What all commands print through: JSON on standard output, progress for people on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from huaxiang.core.types import Json

people = Console(stderr=True, highlight=False)


def emit_json(value: Json) -> None:
    """Write one JSON value on one line of standard output, UTF-8 as it is."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def emit_text(text: str) -> None:
    """Write one line for people (or a shell) on standard output."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def emit_table(table: Table) -> None:
    """Write a table for people on standard output."""
    Console(highlight=False).print(table)


@contextmanager
def progress_bar(description: str) -> Iterator[Callable[[float], None]]:
    """Show a progress bar on standard error; the yielded function takes the share done, 0–1."""
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=people,
        transient=not people.is_terminal,
        disable=not people.is_terminal,
    ) as progress:
        task = progress.add_task(description, total=1.0)
        yield lambda done: progress.update(task, completed=done)
        progress.update(task, completed=1.0)
