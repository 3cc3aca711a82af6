"""Imports customers from a CSV file: streamed, repeatable, and first as a dry run if one likes.

One row is one customer. A row with a mistake is left out and reported by row number and column, never
by what it holds; the others are written, a few hundred in a transaction, so that an import that was
broken off is simply started again.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from sqlalchemy.orm import Session, sessionmaker

from huaxiang.core.errors import InvalidInput
from huaxiang.profile.catalogue import Catalogue, FieldType, load_catalogue
from huaxiang.profile.crm import CrmIntake, Told, ToldField
from huaxiang.profile.customers import CustomerStore
from huaxiang.profile.field_mapping import FieldMapping, read_cell
from huaxiang.profile.identity import clean_crm_id
from huaxiang.profile.values import BadValue, Locale, read_time

ENCODINGS = ("utf-8-sig", "gb18030")
ROWS_A_TRANSACTION = 200
MAX_ERRORS = 1000
_BLOCK_CHARS = 1 << 20


@dataclass(frozen=True, slots=True)
class RowError:
    """A row that was left out: its number (the header is row 1), the column, and what would do."""

    row: int
    column: str
    message: str


@dataclass(slots=True)
class ImportReport:
    """What an import did, or would do.

    ``rejected`` counts rows; ``errors`` holds the first thousand mistakes. ``ignored_columns`` are
    those of the file that the mapping leaves out.
    """

    dry_run: bool
    encoding: str
    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    conflicts: int = 0
    errors: list[RowError] = field(default_factory=list)
    ignored_columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Row:
    number: int
    external_id: str
    told: Told


def import_csv(
    sessions: sessionmaker[Session],
    path: Path,
    mapping: FieldMapping,
    *,
    dry_run: bool = False,
    country: str = "CN",
    progress: Callable[[int], None] | None = None,
) -> ImportReport:
    """Write the customers of a CSV file, and report what was done.

    ``dry_run`` does the same and takes it back, a few hundred rows at a time; its counts are those
    of the import, but for identity conflicts between rows of the file itself. ``progress`` is told
    the number of rows so far. Raises InvalidInput for a file that cannot be read as the mapping
    says: missing columns, unknown encoding, broken quotes.
    """
    catalogue = load_catalogue()
    locale = mapping.locale(country)
    intake = CrmIntake(CustomerStore(country), catalogue, locale)
    report = ImportReport(dry_run, mapping.encoding or detect_encoding(path))
    rows = _rows(path, mapping, catalogue, locale, report)
    while chunk := list(islice(rows, ROWS_A_TRANSACTION)):
        with sessions() as session, session.begin() as transaction:
            for row in chunk:
                _write(session, intake, row, report)
            if dry_run:
                transaction.rollback()
        if progress is not None:
            progress(report.rows)
    return report


def detect_encoding(path: Path) -> str:
    """Return ``utf-8-sig`` or ``gb18030``, whichever the whole file can be read in, UTF-8 first.

    Raises InvalidInput for neither.
    """
    for encoding in ENCODINGS:
        try:
            with path.open(encoding=encoding, newline="") as file:
                while block := file.read(_BLOCK_CHARS):
                    if "\0" in block:
                        raise InvalidInput(f"{path.name} is not a text file: export it as CSV in UTF-8")
            return encoding
        except UnicodeDecodeError:
            continue
        except OSError as error:
            raise InvalidInput(f"{path.name} cannot be opened: {error.strerror}") from error
    raise InvalidInput(f"{path.name} is neither UTF-8 nor GB18030: export it as CSV in UTF-8")


def _write(session: Session, intake: CrmIntake, row: _Row, report: ImportReport) -> None:
    written = intake.write(session, row.external_id, row.told)
    report.conflicts += len(written.conflicts)
    if written.created:
        report.created += 1
    elif written.changed:
        report.updated += 1
    else:
        report.unchanged += 1


def _rows(
    path: Path, mapping: FieldMapping, catalogue: Catalogue, locale: Locale, report: ImportReport
) -> Iterator[_Row]:
    """Give the rows without mistakes, and count and note the others."""
    seen: dict[str, int] = {}
    for number, cells in _cells(path, mapping, report):
        report.rows += 1
        errors: list[RowError] = []
        row = _read_row(number, cells, mapping, catalogue, locale, errors)
        if row is not None and row.external_id in seen:
            errors.append(RowError(number, mapping.id, f"the customer of row {seen[row.external_id]} again"))
        if row is None or errors:
            report.rejected += 1
            report.errors.extend(errors[: MAX_ERRORS - len(report.errors)])
            continue
        seen[row.external_id] = number
        yield row


def _cells(
    path: Path, mapping: FieldMapping, report: ImportReport
) -> Iterator[tuple[int, Mapping[str, str] | None]]:
    """Give each row's number with its cells by column, None for a row with too many or too few."""
    try:
        with path.open(encoding=report.encoding, newline="") as file:
            reader = csv.reader(file, delimiter=mapping.delimiter, strict=True)
            header = [name.strip() for name in next(reader, [])]
            _check_header(path, header, mapping)
            report.ignored_columns = tuple(name for name in header if name not in mapping.wanted)
            for number, cells in enumerate(reader, start=2):
                if any(cell.strip() for cell in cells):
                    yield number, dict(zip(header, cells, strict=True)) if len(cells) == len(header) else None
    except csv.Error as error:
        raise InvalidInput(f"{path.name}, after line {reader.line_num}: broken CSV ({error})") from error
    except (UnicodeDecodeError, LookupError) as error:
        raise InvalidInput(f"{path.name} is not in the encoding {report.encoding}") from error


def _check_header(path: Path, header: Sequence[str], mapping: FieldMapping) -> None:
    missing = [name for name in mapping.wanted if name not in header]
    if missing:
        raise InvalidInput(
            f"{path.name} lacks the columns {', '.join(missing)}; check the delimiter and names"
        )
    if any(header.count(name) > 1 for name in mapping.wanted):
        raise InvalidInput(f"{path.name} has a column of the mapping twice")


def _read_row(
    number: int,
    cells: Mapping[str, str] | None,
    mapping: FieldMapping,
    catalogue: Catalogue,
    locale: Locale,
    errors: list[RowError],
) -> _Row | None:
    if cells is None:
        errors.append(RowError(number, "", "not as many cells as the header has"))
        return None
    try:
        external_id = clean_crm_id(cells[mapping.id])
    except InvalidInput as error:
        errors.append(RowError(number, mapping.id, error.message))
        return None
    observed_at = None
    if mapping.observed_at:
        try:
            observed_at = read_time(cells[mapping.observed_at].strip(), locale)
        except BadValue as error:
            errors.append(RowError(number, mapping.observed_at, str(error)))
    told: list[ToldField] = []
    phones: list[str] = []
    for name, column in mapping.columns.items():
        definition = catalogue.field(column.field)
        try:
            value = read_cell(column, definition, cells[name], locale)
        except BadValue as error:
            errors.append(RowError(number, name, str(error)))
            continue
        if value is None and mapping.empty == "keep":
            continue
        told.append(ToldField(definition, value, observed_at))
        if definition.name == "phone" and definition.type is FieldType.PHONE and isinstance(value, str):
            phones.append(value)
    return _Row(number, external_id, Told(tuple(told), tuple(phones)))
