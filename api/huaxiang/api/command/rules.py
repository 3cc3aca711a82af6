"""``rules``: check a scorecard file, and run its own examples."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from huaxiang.api import bootstrap
from huaxiang.api.command.console import emit_json, emit_text
from huaxiang.core.settings import load_settings

app = typer.Typer(help="Scorecards (质检): check them and run their examples.", no_args_is_help=True)
RuleFile = Annotated[Path, typer.Argument(help="A scorecard in YAML.", exists=True, dir_okay=False)]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]


@app.command()
def check(file: RuleFile, as_json: AsJson = False) -> None:
    """Name every mistake of a scorecard file with its line; exits 1 where there is one."""
    from huaxiang.quality.check import check_rules

    mistakes = check_rules(file)
    if as_json:
        emit_json(
            {
                "file": file.name,
                "mistakes": [
                    {"line": m.line, "column": m.column, "message": m.message, "cure": m.cure}
                    for m in mistakes
                ],
            }
        )
    else:
        for mistake in mistakes:
            emit_text(f"{file}:{mistake.line}:{mistake.column}: {mistake.message}: {mistake.cure}")
        emit_text(f"{len(mistakes)} mistakes")
    if mistakes:
        raise typer.Exit(1)


@app.command("test")
def run_own_examples(file: RuleFile, as_json: AsJson = False) -> None:
    """Run each item's own examples through the shipped model; exits 1 where one disagrees."""
    from huaxiang.quality.check import run_examples

    results = run_examples(file, bootstrap.build_language(load_settings()))
    wrong = [result for result in results if not result.agrees]
    if as_json:
        emit_json(
            {
                "file": file.name,
                "examples": [
                    {"item": r.item, "line": r.line, "expected": r.expected, "found": r.found}
                    for r in results
                ],
            }
        )
    else:
        for result in wrong:
            emit_text(
                f"{file}:{result.line}: {result.item}: expected {result.expected}, found {result.found}"
            )
        emit_text(f"{len(results) - len(wrong)} of {len(results)} examples agree")
    if wrong:
        raise typer.Exit(1)
