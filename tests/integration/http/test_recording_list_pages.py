"""The page of the list: search with quotes to hear, filters in the address, kept views, rows on demand."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

import pytest
from api_world import World, add_bare, add_call, sign_in
from history import add_history
from sqlalchemy import ColumnElement, event, insert, literal_column, select
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from huaxiang.api.console_tables import ProgressRow
from huaxiang.api.search.tables import SearchTurnRow
from huaxiang.asr.tables import TranscriptRow
from huaxiang.core.database import Base, now, transaction
from huaxiang.core.types import RecordingStatus
from huaxiang.ingest.tables import RecordingRow
from huaxiang.nlp.tables import InsightsRow, ScorecardItemRow, ScorecardRow

# What is tested here does not depend on the database; the list is tested on both.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
PAGE = {"Accept": "text/html"}
ROW = '<tr id="row-'


@pytest.fixture
def browser(client: TestClient) -> TestClient:
    """A browser in which the manager is signed in."""
    sign_in(client, "mei")
    return client


def page(browser: TestClient, path: str, status: int = 200) -> str:
    response = browser.get(path, headers=PAGE)
    assert response.status_code == status
    return response.text


def csrf_of(browser: TestClient) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page(browser, "/recordings"))
    assert found is not None
    return found[1]


def test_a_search_shows_the_words_marked_and_where_to_hear_them(world: World, browser: TestClient) -> None:
    call = add_call(world.services)
    add_bare(world.services)
    html = page(browser, "/recordings?q=爱人商量&role=customer")
    assert html.count(ROW) == 1
    assert "<mark>爱人商量</mark>" in html
    assert re.search(rf'data-clip-start="\d+" data-clip-end="\d+" data-clip-recording="{call}"', html)
    assert "没有符合条件的录音" in page(browser, "/recordings?q=爱人商量&role=agent")


def test_the_address_holds_the_filters_and_what_makes_no_sense_narrows_nothing(
    world: World, browser: TestClient
) -> None:
    add_history(world.services.sessions, 6)
    html = page(browser, "/recordings?status=done&label=objection.any&from=2026-01-01&to=2036-01-01")
    assert 0 < html.count(ROW) <= 6
    assert re.search(r'<option value="done" selected>', html)
    assert re.search(r'<option value="objection.any" selected>', html)
    assert '<details class="filters__more" open>' in html
    sort = re.search(r'<a href="(/recordings\?[^"]*sort=-score[^"]*)"', html)
    assert sort is not None
    kept = parse_qs(urlsplit(sort[1].replace("&amp;", "&")).query)
    assert kept["label"] == ["objection.any"]
    assert kept["to"] == ["2036-01-01"]
    odd = "status=x&score=7&label=x&from=2026-13-45&sort=secret&review=x&setting=x&inspected=soon&role=x&q=。"
    assert page(browser, f"/recordings?{odd}").count(ROW) == 6


def test_rows_come_on_demand_and_without_a_script_as_pages(world: World, browser: TestClient) -> None:
    for _ in range(53):
        add_bare(world.services)
    html = page(browser, "/recordings?status=received")
    assert html.count(ROW) == 50
    fetched = re.search(r'hx-get="(/recordings/rows\?[^"]+)" hx-trigger="intersect once"', html)
    linked = re.search(r'rel="next" href="(/recordings\?[^"]+)"', html)
    assert fetched is not None
    assert linked is not None
    rest = page(browser, fetched[1].replace("&amp;", "&"))
    assert rest.count(ROW) == 3
    assert "<html" not in rest
    assert "more-rows" not in rest
    second = page(browser, linked[1].replace("&amp;", "&"))
    assert second.count(ROW) == 3
    first = set(re.findall(r'id="row-([^"]+)"', html))
    assert first.isdisjoint(re.findall(r'id="row-([^"]+)"', rest))


def test_a_row_that_is_worked_on_tells_how_far_it_is_and_asks_again_until_it_is_done(
    world: World, browser: TestClient
) -> None:
    busy = add_bare(world.services, status=RecordingStatus.PROCESSING)
    with transaction(world.services.sessions) as session:
        session.add(ProgressRow(recording_id=busy, stage="transcribe", share=0.5, updated_at=now()))
    html = page(browser, "/recordings")
    assert f'hx-get="/recordings/{busy}/row" hx-trigger="every 4s"' in html
    assert "30%" in html, "one of five stages is done, and half of the second"
    with transaction(world.services.sessions) as session:
        world.services.recordings.set_status(session, busy, RecordingStatus.DONE)
    row = page(browser, f"/recordings/{busy}/row")
    assert row.count(ROW) == 1
    assert "every 4s" not in row
    assert "<html" not in row


def test_a_seller_sees_own_rows_only(world: World, client: TestClient) -> None:
    history = add_history(world.services.sessions, 12)
    sign_in(client, "he.yun")
    html = page(client, "/recordings")
    own = {one.recording.id for one in history if one.seller.key == "he.yun"}
    assert set(re.findall(r'id="row-([^"]+)"', html)) == own
    assert 'name="seller"' not in html
    other = next(one.recording.id for one in history if one.seller.key == "lu.qiao")
    assert client.get(f"/recordings/{other}/row").status_code == 404
    assert client.get("/recordings/rows?seller=lu.qiao").status_code == 404


def test_a_view_is_kept_shared_and_removed(world: World, client: TestClient) -> None:
    sign_in(client, "mei")
    form = {
        "csrf": csrf_of(client),
        "name": "贵的",
        "query": "q=太贵&nonsense=1&sort=-score",
        "shared": "true",
    }
    assert client.post("/recordings/views", data={**form, "csrf": "x"}).status_code == 403
    kept = client.post("/recordings/views", data=form)
    assert kept.status_code == 303
    target = kept.headers["location"]
    assert parse_qs(urlsplit(target).query) == {"q": ["太贵"], "sort": ["-score"]}
    html = page(client, target)
    assert re.search(r'class="choice" href="/recordings\?q=[^"]+" aria-current="page">贵的', html)
    remove = re.search(r'action="(/recordings/views/[^"]+/remove)"', html)
    assert remove is not None

    sign_in(client, "he.yun")
    assert "贵的" not in page(client, "/recordings")
    csrf = csrf_of(client)
    assert client.post(remove[1], data={"csrf": csrf}).status_code == 404
    refused = client.post("/recordings/views", data={**form, "csrf": csrf})
    assert refused.status_code == 403, "sharing is for managers"

    sign_in(client, "mei")
    assert client.post(remove[1], data={"csrf": csrf_of(client)}).status_code == 303
    assert "贵的" not in page(client, "/recordings")


def test_a_thousand_recordings_are_listed_as_quickly_as_ten(world: World, browser: TestClient) -> None:
    add_history(world.services.sessions, 90)
    few = _cost(world, browser)
    with transaction(world.services.sessions) as session:
        for copy in range(10):
            _copy_all(session, copy, 90)
    many = _cost(world, browser)
    assert "共 990 条" in page(browser, "/recordings")
    assert many.statements == few.statements
    assert many.size_bytes < 1.1 * few.size_bytes
    assert many.seconds < 4 * few.seconds + 0.1


class Cost:
    """What a page took: statements, bytes, and the quickest of some times."""

    def __init__(self, statements: int, size_bytes: int, seconds: float) -> None:
        self.statements = statements
        self.size_bytes = size_bytes
        self.seconds = seconds


def _cost(world: World, browser: TestClient) -> Cost:
    times = []
    for _ in range(4):
        start = time.perf_counter()
        with _counted(world) as statements:
            html = page(browser, "/recordings?q=您好&sort=-score")
        times.append(time.perf_counter() - start)
    assert html.count(ROW) == 50
    return Cost(len(statements), len(html.encode()), min(times))


@contextmanager
def _counted(world: World) -> Iterator[list[str]]:
    """Collect the statements that are run."""
    with transaction(world.services.sessions) as session:
        engine = session.get_bind().engine
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)


def _copy_all(session: Session, copy: int, count: int) -> None:
    """Store the first ``count`` recordings once more, under other ids, as SQL copies rows."""
    tables = (RecordingRow, TranscriptRow, InsightsRow, ScorecardRow, ScorecardItemRow, SearchTurnRow)
    originals = list(session.scalars(select(RecordingRow.id).where(~RecordingRow.id.like("c%")).limit(count)))
    for row in tables:
        table = Base.metadata.tables[row.__tablename__]
        key = "id" if row is RecordingRow else "recording_id"
        columns = [c for c in table.columns if not (row is SearchTurnRow and c.name == "id")]
        changed: dict[str, ColumnElement[str]] = {
            key: literal_column(f"'c{copy}-' || substr({key}, 5)"),
            "sha256": literal_column(f"'{copy:04}' || substr(sha256, 5)"),
        }
        values = [changed.get(column.name, column) for column in columns]
        query = select(*values).where(table.c[key].in_(originals))
        session.execute(insert(row).from_select([column.name for column in columns], query))
