"""``seller``, ``outcome`` and ``digest``: who sells, how cases ended, and the week in one page."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.table import Table

from huaxiang.api import bootstrap
from huaxiang.api.command.console import emit_json, emit_table, emit_text, people, progress_bar
from huaxiang.api.serialise import time_json
from huaxiang.core.database import now, reading
from huaxiang.core.settings import load_settings
from huaxiang.core.types import Json
from huaxiang.profile.coaching.sellers import KEEP, Seller, SellerValues

if TYPE_CHECKING:
    from huaxiang.profile.coaching.digest import Digest

seller_app = typer.Typer(help="Sellers: names, teams, sign-ins, consent.", no_args_is_help=True)
outcome_app = typer.Typer(help="How customers' cases ended.", no_args_is_help=True)
BY = "command line"

AsJson = Annotated[bool, typer.Option("--json", help="JSON on standard output.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]
Key = Annotated[str, typer.Argument(help="The key by which recordings name the seller.")]
Name = Annotated[str | None, typer.Option(help="The name that pages show.")]
Team = Annotated[str | None, typer.Option(help="The team; empty for none.")]
User = Annotated[
    str | None, typer.Option("--user", help="The user who signs in as this seller; empty for none.")
]
Active = Annotated[bool | None, typer.Option("--active/--inactive", help="Whether the seller still sells.")]
Consent = Annotated[
    bool | None, typer.Option("--consent/--no-consent", help="Whether others may learn from their words.")
]
CsvFile = Annotated[Path, typer.Argument(help="A CSV file, a header first.", exists=True, dir_okay=False)]


@seller_app.command("add")
def add_seller(
    key: Key,
    name: Name = None,
    team: Team = None,
    user: User = None,
    active: Active = None,
    consent: Consent = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Register a seller, or change one who is registered; what is not given stays as it is."""
    from huaxiang.profile.coaching.registration import write_seller

    values = SellerValues(
        name=KEEP if name is None else name,
        team=KEEP if team is None else team or None,
        user_name=KEEP if user is None else user or None,
        active=KEEP if active is None else active,
        library_consent=KEEP if consent is None else consent,
    )
    storage = bootstrap.open_storage(load_settings())
    with storage.sessions() as session, session.begin() as work:
        seller = write_seller(session, key, values, by=BY)
        if dry_run:
            work.rollback()
    if dry_run:
        people.print("nothing was written", markup=False)
    _show([seller], as_json)


@seller_app.command("list")
def list_sellers(
    team: Annotated[str | None, typer.Option(help="Only those of a team.")] = None, as_json: AsJson = False
) -> None:
    """List the sellers, those known from recordings only among them."""
    from huaxiang.api.coaching.suite import open_coaching

    settings = load_settings()
    storage = bootstrap.open_storage(settings)
    with reading(storage.sessions) as session:
        found = open_coaching(settings).records.all_sellers(session)
    _show([seller for seller in found if team is None or seller.team == team], as_json)


@seller_app.command("import")
def import_seller_file(file: CsvFile, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Register sellers of a CSV: key, name, team, user, active, consent; exits 1 for a wrong row."""
    from huaxiang.profile.coaching.seller_import import import_sellers

    storage = bootstrap.open_storage(load_settings())
    report = import_sellers(storage.sessions, file, by=BY, dry_run=dry_run)
    _report(asdict(report), as_json)


@outcome_app.command("import")
def import_outcomes(
    file: CsvFile,
    customer: Annotated[str, typer.Option(help="The column with the CRM id.")] = "customer",
    outcome: Annotated[
        str, typer.Option(help="The column: won, lost, open, 成交, 丢单, 进行中.")
    ] = "outcome",
    day: Annotated[str, typer.Option(help="The column with the day on which it was closed.")] = "day",
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Note how customers' cases ended, a row a customer; exits 1 where a row was left out."""
    from huaxiang.profile.crm_import import import_csv
    from huaxiang.profile.field_mapping import ColumnMapping, FieldMapping

    words = {"won": "won", "成交": "won", "赢单": "won", "lost": "lost", "丢单": "lost", "输单": "lost"}
    still_open = {"open": "open", "进行中": "open", "跟进中": "open"}
    mapping = FieldMapping(
        id=customer,
        columns={
            outcome: ColumnMapping(field="deal_status", values={**words, **still_open}),
            day: ColumnMapping(field="deal_closed_at"),
        },
    )
    settings = load_settings()
    storage = bootstrap.open_storage(settings)
    with progress_bar(file.name) as done:
        total = max(file.read_bytes().count(b"\n"), 1)
        report = import_csv(
            storage.sessions,
            file,
            mapping,
            dry_run=dry_run,
            country=settings.default_country,
            progress=lambda rows: done(min(rows / total, 1.0)),
        )
    _report(asdict(report), as_json)


def digest(
    week: Annotated[
        str | None, typer.Option(help="An ISO week like 2026-W47; else the last whole one.")
    ] = None,
    team: Annotated[str | None, typer.Option(help="Only one team.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print the week: what changed, whom to coach on what, the best answers, what is due."""
    from huaxiang.api.coaching.suite import open_coaching
    from huaxiang.profile.coaching.digest import week_of

    settings = load_settings()
    storage = bootstrap.open_storage(settings)
    moment = now()
    wanted = week or week_of(moment.astimezone(ZoneInfo(settings.default_zone)).date() - timedelta(days=7))
    with reading(storage.sessions) as session:
        found = open_coaching(settings).digests.digest(session, wanted, team, moment)
    if as_json:
        from huaxiang.api.http.answer_schemas import Digest as DigestDocument
        from huaxiang.api.http.coaching_schemas import document_of

        emit_json(document_of(DigestDocument, found))
    else:
        _print(found)


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.add_typer(seller_app, name="seller")
    app.add_typer(outcome_app, name="outcome")
    app.command()(digest)


def _show(sellers: list[Seller], as_json: bool) -> None:
    for seller in sellers:
        row: dict[str, Json] = {
            **asdict(seller),
            "library_consent_at": time_json(seller.library_consent_at),
        }
        if as_json:
            emit_json(row)
        else:
            emit_text("\t".join("-" if value is None else str(value) for value in row.values()))


def _report(report: dict[str, Any], as_json: bool) -> None:
    if as_json:
        emit_json({**report, "ignored_columns": list(report["ignored_columns"])})
    else:
        for error in report["errors"]:
            emit_text(f"row {error['row']}, {error['column']}: {error['message']}")
        counts = ("rows", "created", "updated", "unchanged", "rejected")
        said = ", ".join(f"{report[name]} {name}" for name in counts)
        emit_text(said + (" (nothing was written)" if report["dry_run"] else ""))
    if report["rejected"]:
        raise typer.Exit(1)


def _print(found: Digest) -> None:
    emit_text(f"{found.week}  {found.period.first} – {found.period.last}")
    table = Table("team", "conversations", "week before", "score", "interval", "change")
    for week in found.teams:
        own, change = week.score.own, week.score.change
        table.add_row(
            week.team or found.team or "all",
            str(week.conversations),
            str(week.conversations_before),
            "-" if own is None else f"{own.value:.1f}",
            "-" if own is None or own.low is None else f"{own.low:.1f}–{own.high:.1f}",
            "-" if change is None else f"{change.value:+.1f}",
        )
    emit_table(table)
    for moved in found.changes:
        own, before = moved.figure.own, moved.figure.before
        if own is not None and before is not None:
            emit_text(
                f"changed: {moved.team or 'all'} {moved.figure.key} {before.value:.2f} → {own.value:.2f} "
                f"(n={before.n}, {own.n}; q={moved.q:.3f})"
            )
    for one in found.coaching:
        for advice in one.suggestions:
            emit_text(
                f"coach: {one.seller} on {advice.topic} ({advice.own.value:.2f}, n={advice.own.n}; "
                f"others {advice.others.value:.2f}, n={advice.others.n})"
            )
    for practice in found.due:
        emit_text(f"due: {practice.seller} {practice.topic} on {practice.follow_up_on}")
    emit_text(
        f"best answers: {len(found.best_answers)}, adopted: {len(found.adopted)}, "
        f"appeals: {len(found.appeals)}"
    )
    emit_text("outcomes: " + ", ".join(f"{count} {name}" for name, count in found.outcomes.items()))
