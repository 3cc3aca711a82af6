"""``rules index``, ``compare``, ``apply``, ``lab`` and ``floor``: rules over the whole stored history."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from huaxiang.api import bootstrap
from huaxiang.api.command.console import emit_json, emit_table, emit_text, people, progress_bar
from huaxiang.api.serialise import time_json
from huaxiang.core.database import transaction
from huaxiang.core.settings import load_settings
from huaxiang.core.types import Json
from huaxiang.core.zones import zone_of

if TYPE_CHECKING:
    from huaxiang.quality.history.compare import Change, Comparison, Group, Side
    from huaxiang.quality.history.proportions import Proportion

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and change nothing.")]
Since = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d"], help="Only conversations from this day on."),
]
RuleFile = Annotated[Path, typer.Argument(help="A scorecard in YAML.", exists=True, dir_okay=False)]
SHOWN_CHANGES = 20


def register(app: typer.Typer) -> None:
    """Add the commands of this module to ``app``."""
    app.command()(index)
    app.command()(compare)
    app.command()(apply)
    app.command()(lab)
    app.command()(floor)


def index(
    without_vectors: Annotated[
        bool,
        typer.Option("--without-vectors", help="Quicker; rules that compare meanings cannot look at them."),
    ] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Store what rules look at of every recording that has it not yet, or not as it is understood now."""
    from huaxiang.api.history.building import build_writer
    from huaxiang.api.history.features import index_history, missing_features

    settings = load_settings()
    sessions = bootstrap.open_storage(settings).sessions
    writer = build_writer(settings, bootstrap.build_sentence_encoder, vectors=not without_vectors)
    missing = missing_features(sessions, writer.meaning)
    indexed = 0
    if missing and not dry_run:
        with progress_bar("index") as advance:
            indexed = index_history(sessions, writer, missing, advance)
    if as_json:
        emit_json({"missing": len(missing), "indexed": indexed, "dry_run": dry_run})
    elif dry_run:
        emit_text(f"{len(missing)} recordings would be indexed")
    else:
        emit_text(f"{indexed} recordings indexed")


def compare(file: RuleFile, since: Since = None, as_json: AsJson = False) -> None:
    """Show what a scorecard would change over the stored history, by seller and team; nothing is stored."""
    from huaxiang.api.history.building import build_meaning
    from huaxiang.api.history.features import missing_features
    from huaxiang.api.history.in_force import InForce
    from huaxiang.api.history.trying import try_on_history
    from huaxiang.quality.history.comparison_json import change_json, comparison_json
    from huaxiang.quality.loader import read_text
    from huaxiang.quality.rule_store import RuleStore

    settings = load_settings()
    sessions = bootstrap.open_storage(settings).sessions
    missing = len(missing_features(sessions))
    in_force = InForce(RuleStore())
    with transaction(sessions) as session:
        before, after = in_force.compared(session, read_text(file), file.name)
    meaning = build_meaning(settings, bootstrap.build_sentence_encoder)
    with progress_bar("compare") as advance:
        found = try_on_history(
            sessions, before, after, advance, day_of(since, zone_of(settings.default_zone)), meaning
        )
    if as_json:
        changes: list[Json] = [change_json(change) for change in found.changes]
        emit_json({**comparison_json(found), "changes": changes, "not_indexed": missing})
        return
    _show(found)
    if missing:
        people.print(f"{missing} recordings are not indexed and not counted: run `huaxiang rules index`")


def apply(
    since: Since = None,
    again: Annotated[bool, typer.Option("--again", help="Also those scored by these versions.")] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Score the stored history by the scorecards in force now; scores by earlier versions are kept."""
    from huaxiang.api.history.applying import apply_scorecards
    from huaxiang.api.history.building import build_meaning
    from huaxiang.api.history.in_force import InForce
    from huaxiang.quality.rule_store import RuleStore

    settings = load_settings()
    sessions = bootstrap.open_storage(settings).sessions
    with transaction(sessions) as session:
        in_force = InForce(RuleStore())
        definitions = in_force.all(session) if dry_run else in_force.kept(session)
    meaning = build_meaning(settings, bootstrap.build_sentence_encoder)
    with progress_bar("apply") as advance:
        first = day_of(since, zone_of(settings.default_zone))
        applied = apply_scorecards(
            sessions, definitions, advance, meaning, dry_run=dry_run, again=again, since=first
        )
    scorecards: dict[str, Json] = dict(applied.scorecards)
    if as_json:
        emit_json(
            {
                "conversations": applied.conversations,
                "scored": applied.scored,
                "as_before": applied.as_before,
                "scorecards": scorecards,
                "dry_run": dry_run,
            }
        )
        return
    would = "would be scored" if dry_run else "scored"
    emit_text(f"{applied.scored} of {applied.conversations} conversations {would}")
    for reference, count in sorted(applied.scorecards.items()):
        emit_text(f"{reference}\t{count}")


def lab(dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Measure every item in force: how often it fails calls, and how often people agree."""
    from huaxiang.api.history.building import build_meaning
    from huaxiang.api.history.lab import run_stored_lab
    from huaxiang.quality.history.lab_json import figures_json
    from huaxiang.quality.rule_store import RuleStore

    settings = load_settings()
    sessions = bootstrap.open_storage(settings).sessions
    with transaction(sessions) as session:
        definitions = RuleStore().current(session)
    meaning, zone = build_meaning(settings, bootstrap.build_sentence_encoder), zone_of(settings.default_zone)
    with progress_bar("lab") as advance:
        report = run_stored_lab(sessions, definitions, zone, advance, meaning, dry_run=dry_run)
    if as_json:
        for item in report.items:
            emit_json(
                {
                    "definition": item.key.definition,
                    "item": item.key.item,
                    "floor": item.floor,
                    "suggests": item.suggests,
                    "drifts": item.drifts,
                    "figures": figures_json(item.figures),
                }
            )
        return
    table = Table("scorecard", "item", "fails", "precision", "recall", "worth a look")
    for item in report.items:
        figures = item.figures
        marks = (
            ("suggests only", item.suggests),
            ("never fires", figures.never_fires),
            ("always fires", figures.always_fires),
            ("drifts", item.drifts),
        )
        table.add_row(
            item.key.definition,
            item.key.item,
            f"{figures.hits} of {figures.applicable}",
            _share(figures.precision),
            _share(figures.recall),
            ", ".join(name for name, holds in marks if holds),
        )
    emit_table(table)
    for pair in report.alike:
        emit_text(
            f"alike: {pair.first.definition} {pair.first.item} and {pair.second.definition} "
            f"{pair.second.item}: {pair.both} hits in common, {pair.jaccard:.0%} of those of either"
        )


def floor(
    scorecard: Annotated[str, typer.Argument(help="The id of a scorecard.")],
    item: Annotated[str, typer.Argument(help="The id of one of its items.")],
    percent: Annotated[float, typer.Argument(min=0, max=100, help="0 lets it count whatever it is.")],
    by: Annotated[str, typer.Option("--by", help="Who does it, as it is kept with the floor.")] = "cli",
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Set the precision under which an item only suggests; what was set before is kept."""
    from huaxiang.core.errors import NotFound
    from huaxiang.quality.definition import ScorecardDefinition
    from huaxiang.quality.history.lab_store import LabStore, floor_of
    from huaxiang.quality.rule_store import RuleStore

    sessions = bootstrap.open_storage(load_settings()).sessions
    with transaction(sessions) as session:
        definition = RuleStore().get(session, scorecard).definition
        items = definition.items if isinstance(definition, ScorecardDefinition) else ()
        if all(one.id != item for one in items):
            raise NotFound(f"{scorecard} has no item {item}")
        before = floor_of(LabStore().floors(session), scorecard, item)
        if not dry_run:
            LabStore().set_floor(session, scorecard, item, percent / 100, by)
    if as_json:
        emit_json(
            {
                "scorecard": scorecard,
                "item": item,
                "before": before,
                "floor": percent / 100,
                "dry_run": dry_run,
            }
        )
    else:
        would = "would be set" if dry_run else "set"
        emit_text(f"{scorecard} {item}: floor {would} to {percent:g} % (was {100 * before:g} %)")


def day_of(since: datetime | None, zone: tzinfo) -> datetime | None:
    """Return when a day begins where the company is; None for none."""
    return since.replace(tzinfo=zone) if since else None


def _show(found: Comparison) -> None:
    emit_text(f"{found.before or 'new'} > {found.after}")
    emit_text(f"{found.whole.conversations} conversations, {found.whole.changed} change")
    for title, groups in (("team", found.teams), ("seller", found.sellers)):
        emit_table(_groups(title, [*groups, found.whole] if title == "seller" else groups))
    items = Table("item", "status", "passed", "failed", "not applicable")
    for item in found.items:
        counts = (
            f"{item.before.get(outcome, 0)} > {item.after.get(outcome, 0)}"
            for outcome in ("passed", "failed", "not_applicable")
        )
        items.add_row(item.id, item.status, *counts)
    emit_table(items)
    for change in found.changes[:SHOWN_CHANGES]:
        emit_text(_told(change))


def _groups(title: str, groups: Iterable[Group]) -> Table:
    table = Table(title, "conversations", "change", "mean before", "mean after", "一票否决")
    for group in groups:
        table.add_row(
            group.key or "-",
            str(group.conversations),
            str(group.changed),
            _mean(group.before),
            _mean(group.after),
            f"{group.before.auto_failed} > {group.after.auto_failed}",
        )
    return table


def _mean(side: Side) -> str:
    return "-" if side.mean_percent is None else f"{side.mean_percent:.1f}"


def _told(change: Change) -> str:
    scores = [
        "-" if marks is None else f"{marks.score:g}/{marks.possible:g}"
        for marks in (change.before, change.after)
    ]
    items = ", ".join(f"{flip.item}: {flip.before} > {flip.after}" for flip in change.items)
    return "\t".join(
        (change.recording_id, time_json(change.started_at) or "", change.seller or "-", *scores, items)
    )


def _share(share: Proportion | None) -> str:
    return "-" if share is None else f"{share.estimate:.0%} ({share.low:.0%}-{share.high:.0%}, n={share.n})"
