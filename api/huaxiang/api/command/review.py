"""``review``: sampling plans (抽检), what they draw, and what waits for review."""

from __future__ import annotations

from datetime import datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from huaxiang.api import bootstrap
from huaxiang.api.command.console import emit_json, emit_table, emit_text
from huaxiang.core.database import now, reading, transaction
from huaxiang.core.settings import load_settings

if TYPE_CHECKING:
    from huaxiang.api.bootstrap import Storage
    from huaxiang.api.reviews.suite import Reviews
    from huaxiang.core.types import Json
    from huaxiang.quality.review.outcomes import Actor
    from huaxiang.quality.review.plan_store import Drawing

app = typer.Typer(help="Reviews (复核): sampling plans and what they draw.", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="JSON on standard output.")]
DAY = "%Y-%m-%d"


@app.command()
def plans(as_json: AsJson = False) -> None:
    """List the sampling plans, the newest version of each."""
    from huaxiang.api.reviews.serialise import plan_json

    storage, reviews = _opened()
    with transaction(storage.sessions) as session:
        found = reviews.plans.list(session)
    if as_json:
        for stored in found:
            emit_json(plan_json(stored))
        return
    table = Table("plan", "title", "version", "period", "active", "reviewers")
    for stored in found:
        plan = stored.plan
        active = "yes" if stored.active else "no"
        table.add_row(
            plan.name, plan.title, str(stored.version), plan.period.value, active, ", ".join(plan.reviewers)
        )
    emit_table(table)


@app.command()
def save(
    file: Annotated[Path, typer.Argument(help="A sampling plan in YAML.", exists=True, dir_okay=False)],
    rest: Annotated[
        bool, typer.Option("--rest", help="Save it at rest: the night does not draw it.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check it only; save nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Add a sampling plan, or a version of one that is there; earlier versions stay."""
    from huaxiang.api.reviews.serialise import plan_json
    from huaxiang.quality.loader import read_text
    from huaxiang.quality.review.plan import load_plan

    text = read_text(file)
    if dry_run:
        plan = load_plan(text)
        document: dict[str, Json] = {"name": plan.name, "title": plan.title, "dry_run": True}
        said = f"{plan.name}: without mistakes; nothing was saved"
    else:
        storage, reviews = _opened()
        with transaction(storage.sessions) as session:
            stored = reviews.plans.save(session, text, _operator(), active=not rest)
        document, said = plan_json(stored), f"{stored.plan.name} @ {stored.version} is saved"
    if as_json:
        emit_json(document)
    else:
        emit_text(said)


@app.command()
def sample(
    plan: Annotated[
        str | None, typer.Option(help="One plan only; without it every plan that is due.")
    ] = None,
    on: Annotated[
        datetime | None,
        typer.Option(formats=[DAY], help="A day of the period; without it the last whole one."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say which calls would be drawn; draw nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Draw calls for review by the sampling plans; a period is drawn once by a plan.

    Without --plan what the night would draw: every period that is over and was not drawn yet.
    """
    from huaxiang.api.reviews.serialise import drawing_json
    from huaxiang.quality.review.plan_store import SAMPLER

    if on is not None and plan is None:
        raise typer.BadParameter("--on needs --plan", param_hint="--on")
    storage, reviews = _opened()
    sampler, moment = reviews.sampler, now()
    with (reading if dry_run else transaction)(storage.sessions) as session:
        if plan is None:
            due = sampler.due(session, moment)
        else:
            stored = reviews.plans.get(session, plan)
            day = None if on is None else datetime.combine(on.date(), time(12), reviews.zone)
            period = sampler.last_period(stored, moment) if day is None else sampler.period(stored, day)
            due = [(stored, period)]
        actor = SAMPLER if plan is None else _operator()
        drawings = [
            sampler.propose(session, stored, period).drawing
            if dry_run
            else sampler.draw(session, stored, period, actor, moment)
            for stored, period in due
        ]
    for drawing in drawings:
        if as_json:
            emit_json(drawing_json(drawing))
        else:
            _show(drawing)
    if not drawings and not as_json:
        emit_text("nothing is due")


def _opened() -> tuple[Storage, Reviews]:
    from huaxiang.api.reviews.suite import reviews_of

    settings = load_settings()
    return bootstrap.open_storage(settings), reviews_of(settings)


def _operator() -> Actor:
    from huaxiang.quality.review.outcomes import Actor

    return Actor("system:command", "command line")


def _show(drawing: Drawing) -> None:
    first, after = drawing.period.start, drawing.period.end
    done = "drawn" if drawing.id else "would be drawn"
    emit_text(
        f"{drawing.plan} @ {drawing.version}, {first:%Y-%m-%d} until before {after:%Y-%m-%d}: "
        f"{len(drawing.sample.picks)} of {drawing.sample.population} calls {done}"
    )
    table = Table("recording", "probability", "reviewer", "under review")
    for pick in drawing.sample.picks:
        known = "yes" if pick.recording_id in drawing.known else ""
        reviewer = drawing.assignees.get(pick.recording_id, "")
        table.add_row(pick.recording_id, f"{pick.probability:.4f}", reviewer, known)
    emit_table(table)
