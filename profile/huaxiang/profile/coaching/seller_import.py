"""Registers sellers from a CSV file with the columns key, name, team, user, active, consent.

A row with a mistake is left out and reported by number and column; the others are written. A seller who
is registered already is changed; an empty cell leaves what is known as it is.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from sqlalchemy.orm import Session, sessionmaker

from huaxiang.core.errors import Conflict, InvalidInput
from huaxiang.profile.coaching.registration import write_seller
from huaxiang.profile.coaching.sellers import KEEP, SellerStore, SellerValues
from huaxiang.profile.crm_import import MAX_ERRORS, ROWS_A_TRANSACTION, RowError, detect_encoding

COLUMNS = ("key", "name", "team", "user", "active", "consent")
_YES = frozenset({"yes", "true", "1", "是"})
_NO = frozenset({"no", "false", "0", "否"})


@dataclass(slots=True)
class SellerImport:
    """What an import did, or would do."""

    dry_run: bool
    encoding: str
    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    errors: list[RowError] = field(default_factory=list)
    ignored_columns: tuple[str, ...] = ()


class _BadCell(Exception):
    """A cell that cannot be taken."""

    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column, self.message = column, message


def import_sellers(
    sessions: sessionmaker[Session],
    path: Path,
    *,
    by: str,
    dry_run: bool = False,
    progress: Callable[[int], None] | None = None,
) -> SellerImport:
    """Write the sellers of a CSV file, a few hundred in a transaction, and report what was done.

    ``dry_run`` does the same and takes it back. ``progress`` is told the number of rows so far. Raises
    InvalidInput for a file without the column ``key`` or in an unknown encoding.
    """
    report = SellerImport(dry_run, detect_encoding(path))
    with path.open(encoding=report.encoding, newline="") as file:
        rows = csv.DictReader(file)
        head = tuple(rows.fieldnames or ())
        if "key" not in head:
            raise InvalidInput(f"{path.name} has no column key; a file has {', '.join(COLUMNS)}")
        report.ignored_columns = tuple(name for name in head if name not in COLUMNS)
        numbered = enumerate(rows, start=2)
        while chunk := list(islice(numbered, ROWS_A_TRANSACTION)):
            with sessions() as session, session.begin() as transaction:
                for number, row in chunk:
                    _write(session, number, row, report, by)
                if dry_run:
                    transaction.rollback()
            if progress is not None:
                progress(report.rows)
    return report


def _write(
    session: Session, number: int, row: Mapping[str, str | None], report: SellerImport, by: str
) -> None:
    report.rows += 1
    store, key = SellerStore(), (row.get("key") or "").strip()
    try:
        values = _values(row)
        with session.begin_nested():
            before = store.get(session, key)
            after = write_seller(session, key, values, by=by)
    except _BadCell as error:
        _reject(report, number, error.column, error.message)
    except (InvalidInput, Conflict) as error:
        _reject(report, number, "user" if isinstance(error, Conflict) else "key", error.message)
    else:
        if not before.registered:
            report.created += 1
        elif before == after:
            report.unchanged += 1
        else:
            report.updated += 1


def _reject(report: SellerImport, number: int, column: str, message: str) -> None:
    report.rejected += 1
    if len(report.errors) < MAX_ERRORS:
        report.errors.append(RowError(number, column, message))


def _values(row: Mapping[str, str | None]) -> SellerValues:
    def cell(name: str) -> str | None:
        return (row.get(name) or "").strip() or None

    def choice(name: str) -> bool | None:
        given = cell(name)
        if given is None:
            return None
        if given.lower() not in _YES | _NO:
            raise _BadCell(name, "write yes or no")
        return given.lower() in _YES

    active, consent = choice("active"), choice("consent")
    return SellerValues(
        name=cell("name") or KEEP,
        team=cell("team") or KEEP,
        user_name=cell("user") or KEEP,
        active=KEEP if active is None else active,
        library_consent=KEEP if consent is None else consent,
    )
