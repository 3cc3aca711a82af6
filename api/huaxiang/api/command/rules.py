"""``rules``: check scorecards and rule sets, run their own examples, publish and retire them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from huaxiang.api import bootstrap
from huaxiang.api.command.console import emit_json, emit_table, emit_text
from huaxiang.api.rule_documents import (
    examples_json,
    file_json,
    mistakes_json,
    publication_json,
    version_json,
)
from huaxiang.core.database import transaction
from huaxiang.core.settings import load_settings

if TYPE_CHECKING:
    from huaxiang.quality.mistakes import Mistake

app = typer.Typer(
    help="Scorecards (质检): check them, run their examples, publish and retire them.", no_args_is_help=True
)
RuleFile = Annotated[
    Path, typer.Argument(help="A scorecard or rule set in YAML.", exists=True, dir_okay=False)
]
RuleId = Annotated[str, typer.Argument(help="The id of a scorecard or rule set.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON on standard output.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]
By = Annotated[str, typer.Option("--by", help="Who does it, as it is kept with the version.")]
Note = Annotated[str, typer.Option("--note", help="Why, in a sentence; kept with the version.")]


@app.command()
def check(file: RuleFile, as_json: AsJson = False) -> None:
    """Name every mistake of a file with its line; exits 1 where there is one."""
    from huaxiang.quality.check import check_rules

    mistakes = check_rules(file)
    _tell_mistakes(file, mistakes, as_json)
    if mistakes:
        raise typer.Exit(1)


@app.command("test")
def run_own_examples(file: RuleFile, as_json: AsJson = False) -> None:
    """Run each item's own examples through the shipped model; exits 1 where one disagrees."""
    from huaxiang.quality.check import run_examples

    settings = load_settings()
    analysis = bootstrap.build_analysis(settings)
    results = run_examples(file, analysis.language, analysis.inspection.heard)
    wrong = [result for result in results if not result.agrees]
    if as_json:
        emit_json({"file": file.name, "examples": examples_json(results)})
    else:
        for result in wrong:
            why = f" ({result.reason})" if result.reason else ""
            emit_text(
                f"{file}:{result.line}: {result.item}: "
                f"expected {_said(result.expected)}, found {_said(result.found)}{why}"
            )
        emit_text(f"{len(results) - len(wrong)} of {len(results)} examples agree")
    if wrong:
        raise typer.Exit(1)


@app.command()
def publish(
    file: RuleFile, note: Note = "", by: By = "cli", dry_run: DryRun = False, as_json: AsJson = False
) -> None:
    """Judge conversations by this file from now on, in place of an earlier version of its id.

    Earlier versions and the scores by them stay. A file that refers to rules of other files goes on with
    them as they are today.
    """
    from huaxiang.quality.loader import read_text

    text = read_text(file)
    rules, sessions = bootstrap.open_rules(load_settings())
    with transaction(sessions) as session:
        if mistakes := rules.check(session, text):
            _tell_mistakes(file, mistakes, as_json)
            raise typer.Exit(1)
        act = rules.plan if dry_run else rules.publish
        done = act(session, text, by=by, note=note)
    if as_json:
        emit_json({**publication_json(done), "dry_run": dry_run})
        return
    if not done.changed:
        emit_text(f"{done.version.reference} is in use already, word for word")
        return
    verb = "would be published" if dry_run else "published"
    instead = f", in place of {done.before.reference}" if done.before else ""
    emit_text(f"{done.version.reference} {verb}{instead}")


@app.command("list")
def list_rules(as_json: AsJson = False) -> None:
    """List all scorecards and rule sets with the version that is in use."""
    rules, sessions = bootstrap.open_rules(load_settings())
    with transaction(sessions) as session:
        files = rules.list(session)
    if as_json:
        emit_json([file_json(file) for file in files])
        return
    table = Table("id", "version", "kind", "title", "from", "in use")
    for file in files:
        newest = file.newest
        table.add_row(
            file.id,
            str(newest.version),
            newest.kind.value,
            file.definition.title_zh,
            "package" if newest.shipped else f"{newest.published_by} {newest.published_at:%Y-%m-%d}",
            "yes" if file.in_use else "retired",
        )
    emit_table(table)


@app.command()
def show(
    rule_id: RuleId,
    version: Annotated[int | None, typer.Option("--version", min=1, help="The newest if not given.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print a scorecard or rule set as it was written; with --json also all its versions."""
    rules, sessions = bootstrap.open_rules(load_settings())
    with transaction(sessions) as session:
        shown, text = rules.show(session, rule_id, version)
        versions = rules.versions(session, rule_id)
    if as_json:
        emit_json({**version_json(shown), "text": text, "versions": [version_json(one) for one in versions]})
    else:
        emit_text(text.rstrip("\n"))


@app.command()
def retire(
    rule_id: RuleId, note: Note = "", by: By = "cli", dry_run: DryRun = False, as_json: AsJson = False
) -> None:
    """Take a scorecard or rule set out of use; its versions and the scores by them stay."""
    rules, sessions = bootstrap.open_rules(load_settings())
    with transaction(sessions) as session:
        file = (
            rules.plan_retirement(session, rule_id)
            if dry_run
            else rules.retire(session, rule_id, by=by, note=note)
        )
    if as_json:
        emit_json({**file_json(file), "dry_run": dry_run})
    else:
        emit_text(f"{file.newest.reference} {'would be' if dry_run else 'is'} out of use")


def _tell_mistakes(file: Path, mistakes: Sequence[Mistake], as_json: bool) -> None:
    if as_json:
        emit_json({"file": file.name, "mistakes": mistakes_json(mistakes)})
        return
    for mistake in mistakes:
        emit_text(f"{file}:{mistake.line}:{mistake.column}: {mistake.message}: {mistake.cure}")
    emit_text(f"{len(mistakes)} mistakes")


def _said(outcome: bool | None) -> str:
    """Return an outcome in the words of the examples."""
    return "na" if outcome is None else str(outcome).lower()
