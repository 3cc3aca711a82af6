"""Customers come in from CSV files as CRMs write them: mapped, streamed, repeatable, tried out first."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.core.database import now, transaction
from huaxiang.core.errors import InvalidInput
from huaxiang.core.types import Json
from huaxiang.profile.catalogue import load_catalogue
from huaxiang.profile.crm_import import ROWS_A_TRANSACTION, ImportReport, RowError, import_csv
from huaxiang.profile.customers import CustomerStore
from huaxiang.profile.field_mapping import FieldMapping, parse_mapping
from huaxiang.profile.tables import CustomerRow, FieldValueRow
from huaxiang.profile.view import customer

MAPPING = """
id: 客户编号
zone: Asia/Shanghai
columns:
  姓名: {field: name}
  性别: {field: sex, values: {先生: male, 女士: female}}
  手机: {field: phone}
  生日: {field: birthday, format: "%Y/%m/%d"}
  品类: {field: favourite_categories, split: "、"}
  门店: {field: 门店编号, type: integer}
"""
HEADER = "客户编号,姓名,性别,手机,生日,品类,门店,备注"
ROWS = [
    'C-1,王小明,先生,138 0013 8000,1990/2/3,男装、"鞋",7,',
    "C-2,李雷,女士,13900139000,,,,随便",
]


def mapping(text: str = MAPPING) -> FieldMapping:
    return parse_mapping(text, load_catalogue())


def written(tmp_path: Path, *rows: str, encoding: str = "utf-8", header: str = HEADER) -> Path:
    path = tmp_path / "customers.csv"
    path.write_text("\r\n".join((header, *rows)) + "\r\n", encoding=encoding)
    return path


def counts(report: ImportReport) -> tuple[int, int, int, int, int]:
    return report.rows, report.created, report.updated, report.unchanged, report.rejected


def customer_fields(sessions: sessionmaker[Session], external_id: str) -> dict[str, Json]:
    with transaction(sessions) as session:
        found = customer(session, CustomerStore().find(session, external_id), now())
    return {field.name: field.value for field in found.fields}


def stored(sessions: sessionmaker[Session]) -> int:
    with transaction(sessions) as session:
        return session.scalar(select(func.count()).select_from(CustomerRow)) or 0


@pytest.mark.parametrize(
    ("encoding", "found"), [("utf-8", "utf-8-sig"), ("utf-8-sig", "utf-8-sig"), ("gb18030", "gb18030")]
)
def test_a_file_is_read_in_the_encoding_it_is_written_in(
    sessions: sessionmaker[Session], tmp_path: Path, encoding: str, found: str
) -> None:
    report = import_csv(sessions, written(tmp_path, *ROWS, encoding=encoding), mapping())
    assert report.encoding == found
    assert counts(report) == (2, 2, 0, 0, 0)
    assert report.ignored_columns == ("备注",)
    assert customer_fields(sessions, "C-1") == {
        "name": "王小明",
        "sex": "male",
        "phone": "+8613800138000",
        "birthday": "1990-02-03",
        "favourite_categories": ["男装", '"鞋"'],
        "custom.门店编号": 7,
    }
    assert customer_fields(sessions, "13900139000") == {
        "name": "李雷",
        "sex": "female",
        "phone": "+8613900139000",
    }


def test_importing_again_changes_nothing_and_a_changed_row_is_an_update(
    sessions: sessionmaker[Session], tmp_path: Path
) -> None:
    import_csv(sessions, written(tmp_path, *ROWS), mapping())
    assert counts(import_csv(sessions, written(tmp_path, *ROWS), mapping())) == (2, 0, 0, 2, 0)
    changed = written(tmp_path, ROWS[0].replace("王小明", "王大明"), ROWS[1])
    assert counts(import_csv(sessions, changed, mapping())) == (2, 0, 1, 1, 0)


def test_a_dry_run_counts_what_the_import_would_do_and_writes_nothing(
    sessions: sessionmaker[Session], tmp_path: Path
) -> None:
    import_csv(sessions, written(tmp_path, ROWS[0]), mapping())
    many = [f"N-{number},客{number},先生,,,,," for number in range(2 * ROWS_A_TRANSACTION)]
    path = written(tmp_path, ROWS[0].replace("王小明", "王大明"), *many, "N-5,又来,,,,,,", "坏,,?,,,,,")
    tried = import_csv(sessions, path, mapping(), dry_run=True)
    assert stored(sessions) == 1
    done = import_csv(sessions, path, mapping())
    assert counts(tried) == counts(done) == (403, 400, 1, 0, 2)
    assert tried.errors == done.errors
    assert stored(sessions) == 401


def test_a_row_with_mistakes_is_left_out_and_told_by_row_and_column_without_its_values(
    sessions: sessionmaker[Session], tmp_path: Path
) -> None:
    path = written(
        tmp_path,
        ROWS[0],
        "C-2,李雷,阿姨,12345,1990-02-03,,七,",
        ",无名,,,,,,",
        "C-3,短",
        "",
        "C-1,又是,,,,,,",
        "C-4,韩梅梅,女士,,,,8,",
    )
    report = import_csv(sessions, path, mapping())
    assert counts(report) == (6, 2, 0, 0, 4)
    assert [(error.row, error.column) for error in report.errors] == [
        (3, "性别"),
        (3, "手机"),
        (3, "生日"),
        (3, "门店"),
        (4, "客户编号"),
        (5, ""),
        (7, "客户编号"),
    ]
    told = " ".join(error.message for error in report.errors)
    assert not any(value in told for value in ("李雷", "阿姨", "12345", "1990", "七", "C-1"))


def test_a_column_can_say_when_a_row_was_true(sessions: sessionmaker[Session], tmp_path: Path) -> None:
    dated = mapping("id: id\nzone: Asia/Shanghai\nobserved_at: at\ncolumns: {city: {field: city}}")
    import_csv(sessions, written(tmp_path, "C-1,杭州,2026-11-02 08:00", header="id,city,at"), dated)
    late = import_csv(sessions, written(tmp_path, "C-1,上海,2026-11-01 08:00", header="id,city,at"), dated)
    assert counts(late) == (1, 0, 1, 0, 0)
    assert customer_fields(sessions, "C-1") == {"city": "杭州"}
    undated = import_csv(sessions, written(tmp_path, "C-1,上海,", header="id,city,at"), dated)
    assert [error.column for error in undated.errors] == ["at"]


@pytest.mark.parametrize(("empty", "left"), [("keep", {"city": "上海"}), ("clear", {})])
def test_an_empty_cell_keeps_or_clears_as_the_mapping_says(
    sessions: sessionmaker[Session], tmp_path: Path, empty: str, left: dict[str, Json]
) -> None:
    plain = mapping(f"id: id\nempty: {empty}\ncolumns: {{city: {{field: city}}}}")
    for cell in ("上海", ""):
        import_csv(sessions, written(tmp_path, f"C-1,{cell}", header="id,city"), plain)
    assert customer_fields(sessions, "C-1") == left


def test_rows_with_one_phone_are_customers_in_conflict(
    sessions: sessionmaker[Session], tmp_path: Path
) -> None:
    path = written(tmp_path, "C-1,王,,13800138000,,,,", "C-2,李,,13800138000,,,,")
    report = import_csv(sessions, path, mapping())
    assert (report.created, report.conflicts) == (2, 1)


def test_progress_is_told_and_many_rows_are_few_transactions(
    sessions: sessionmaker[Session], tmp_path: Path
) -> None:
    steps: list[int] = []
    rows = [f"N-{number},客,先生,,,,," for number in range(ROWS_A_TRANSACTION + 5)]
    import_csv(sessions, written(tmp_path, *rows), mapping(), progress=steps.append)
    assert steps == [ROWS_A_TRANSACTION, ROWS_A_TRANSACTION + 5]
    with transaction(sessions) as session:
        assert session.scalar(select(func.count()).select_from(FieldValueRow)) == 2 * len(rows)


def test_more_mistakes_than_a_report_holds_are_still_counted(
    sessions: sessionmaker[Session], tmp_path: Path
) -> None:
    report = import_csv(sessions, written(tmp_path, *[",无名,,,,,,"] * 1200), mapping())
    assert (report.rejected, len(report.errors)) == (1200, 1000)
    assert report.errors[-1] == RowError(1001, "客户编号", report.errors[0].message)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"\xff\xfe\x00\x01", "UTF-8"),
        ("客户编号;姓名".encode(), "lacks the columns"),
        (b"", "lacks the columns"),
        (f"{HEADER},姓名\r\n".encode(), "twice"),
        (f'{HEADER}\r\nC-1,"王'.encode(), "broken CSV"),
        (b"PK\x03\x04\x00\x00", "not a text file"),
    ],
)
def test_a_file_that_is_not_as_the_mapping_says_is_refused_with_its_cure(
    tmp_path: Path, content: bytes, told: str
) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match=told):
        import_csv(sessionmaker(), path, mapping())


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be opened"):
        import_csv(sessionmaker(), tmp_path / "none.csv", mapping())


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "id: id",
        "id: id\ncolumns: {a: {field: next_step}}",
        "id: id\ncolumns: {a: {field: city, type: integer}}",
        "id: id\ncolumns: {a: {field: 门店, type: choice}}",
        "id: id\ncolumns: {a: {field: city, split: '、', format: '%Y'}}",
        "id: id\nzone: Mars/Base\ncolumns: {a: {field: city}}",
        "id: id\ndelimiter: '||'\ncolumns: {a: {field: city}}",
        "id: id\nwhat: 1\ncolumns: {a: {field: city}}",
    ],
)
def test_a_mapping_with_a_mistake_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        mapping(text)
