"""What the CRM pushes and pulls over HTTP."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from api_world import World, add_call
from invented_call import CUSTOMER_REF
from starlette.testclient import TestClient
from tus_server import PATH, serving

from huaxiang.api.http import schemas

DOCUMENT = {"fields": {"name": "示例烘焙", "city": "佛山"}, "phones": ["13800138000"]}
CSV = "客户编号,姓名,城市,备注\nC-1,示例一,杭州,x\nC-2,示例二,苏州,y\n,无编号,苏州,z\n"
MAPPING = "id: 客户编号\ncolumns:\n  姓名: {field: name}\n  城市: {field: city}\n"


@pytest.fixture
def crm(world: World) -> dict[str, str]:
    return world.headers("crm")


def test_a_customer_is_made_then_changed_and_read_as_written(client: TestClient, crm: dict[str, str]) -> None:
    made = client.put("/v1/customers/C-1", json=DOCUMENT, headers=crm)
    assert made.status_code == 201
    schemas.Customer.model_validate(made.json())
    changed = client.put("/v1/customers/C-1", json={"fields": {"city": "广州"}}, headers=crm)
    assert changed.status_code == 200
    assert changed.json()["fields"] == {**made.json()["fields"], "city": "广州"}
    read = client.get("/v1/customers/C-1", headers=crm)
    assert read.json() == changed.json()
    assert read.headers["etag"] == changed.headers["etag"]
    assert client.get("/v1/customers/+8613800138000", headers=crm).json() == read.json()


def test_null_clears_a_field_and_absence_does_not(client: TestClient, crm: dict[str, str]) -> None:
    client.put("/v1/customers/C-1", json=DOCUMENT, headers=crm)
    kept = client.put("/v1/customers/C-1", json={"fields": {}}, headers=crm)
    assert kept.json()["fields"]["city"] == "佛山"
    cleared = client.put("/v1/customers/C-1", json={"fields": {"city": None}}, headers=crm)
    assert "city" not in cleared.json()["fields"]


def test_if_match_keeps_one_writer_from_overwriting_another(client: TestClient, crm: dict[str, str]) -> None:
    first = client.put("/v1/customers/C-1", json=DOCUMENT, headers=crm).headers["etag"]
    second = client.put(
        "/v1/customers/C-1", json={"fields": {"city": "广州"}}, headers={**crm, "If-Match": first}
    )
    assert second.status_code == 200
    late = client.put(
        "/v1/customers/C-1", json={"fields": {"city": "深圳"}}, headers={**crm, "If-Match": first}
    )
    assert late.status_code == 412
    assert late.json()["code"] == "precondition_failed"
    assert client.get("/v1/customers/C-1", headers=crm).json()["fields"]["city"] == "广州"


def test_of_writers_at_the_same_time_one_wins_and_the_others_are_told(
    world: World, client: TestClient, crm: dict[str, str]
) -> None:
    etag = client.put("/v1/customers/C-1", json=DOCUMENT, headers=crm).headers["etag"]
    with serving(world.app) as uploads, ThreadPoolExecutor(6) as pool:
        address = uploads.removesuffix(PATH) + "/v1/customers/C-1"

        def write(city: str) -> int:
            headers = {**crm, "If-Match": etag}
            return httpx.put(
                address, json={"fields": {"city": city}}, headers=headers, timeout=30
            ).status_code

        statuses = sorted(pool.map(write, ["广州", "深圳", "杭州", "苏州", "宁波", "无锡"]))
    assert statuses == [200, 412, 412, 412, 412, 412]


def test_if_none_match_makes_without_overwriting(client: TestClient, crm: dict[str, str]) -> None:
    once = {**crm, "If-None-Match": "*"}
    assert client.put("/v1/customers/C-1", json=DOCUMENT, headers=once).status_code == 201
    assert client.put("/v1/customers/C-1", json=DOCUMENT, headers=once).status_code == 412
    assert client.put("/v1/customers/C-2", json={}, headers={**crm, "If-Match": "*"}).status_code == 412
    assert client.get("/v1/customers/C-2", headers=crm).status_code == 404


def test_a_crm_id_is_not_taken_for_another_customers_phone(client: TestClient, crm: dict[str, str]) -> None:
    client.put("/v1/customers/C-1", json=DOCUMENT, headers=crm)
    other = client.put("/v1/customers/13800138000", json={"fields": {"name": "示例二"}}, headers=crm)
    assert other.status_code == 201
    assert other.json()["external_id"] == "13800138000"


def test_a_repeated_put_with_its_key_gets_the_first_answer(client: TestClient, crm: dict[str, str]) -> None:
    keyed = {**crm, "Idempotency-Key": "k-1"}
    first = client.put("/v1/customers/C-1", json=DOCUMENT, headers=keyed)
    again = client.put("/v1/customers/C-1", json=DOCUMENT, headers=keyed)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    other = client.put("/v1/customers/C-1", json={"fields": {"city": "广州"}}, headers=keyed)
    assert (other.status_code, other.json()["code"]) == (409, "conflict")
    elsewhere = client.put("/v1/customers/C-2", json=DOCUMENT, headers=keyed)
    assert elsewhere.status_code == 409


@pytest.mark.parametrize(
    ("document", "status", "path"),
    [
        ({"fields": {"birthday": "tomorrow"}}, 400, "birthday"),
        ({"fields": {"phone": "12"}}, 400, "phone"),
        ({"phones": ["12"]}, 400, "phones"),
        ({"fields": []}, 422, "body.fields"),
        ({"colour": "red"}, 422, "body.colour"),
        ({"13800138000": "red"}, 422, "body.…"),
        ([], 422, "body"),
    ],
)
def test_a_wrong_document_names_its_field_and_not_its_value(
    client: TestClient, crm: dict[str, str], document: Any, status: int, path: str
) -> None:
    response = client.put("/v1/customers/C-1", json=document, headers=crm)
    assert response.status_code == status
    problem = schemas.Problem.model_validate(response.json())
    assert problem.errors is not None
    assert problem.errors[0].path == path
    assert not any(value in response.text for value in ("tomorrow", "13800138000", "red"))
    assert client.get("/v1/customers/C-1", headers=crm).status_code == 404


def test_customers_are_listed_page_by_page(client: TestClient, crm: dict[str, str]) -> None:
    made = [f"C-{number}" for number in range(5)]
    for identifier in made:
        client.put(f"/v1/customers/{identifier}", json={"fields": {"city": "佛山"}}, headers=crm)
    seen: list[str] = []
    query: dict[str, str] = {"limit": "2"}
    while True:
        page = client.get("/v1/customers", params=query, headers=crm).json()
        schemas.CustomerPage.model_validate(page)
        seen += [item["external_id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert seen == made[::-1]


def test_a_profile_leads_every_tag_to_its_quote_and_second(
    world: World, client: TestClient, crm: dict[str, str]
) -> None:
    call = add_call(world.services)
    response = client.get(f"/v1/customers/{CUSTOMER_REF}/profile", headers=crm)
    document = response.json()
    schemas.Profile.model_validate(document)
    assert document["tags"]
    assert document["next_step"]["evidence"]
    turns = client.get(f"/v1/recordings/{call}/transcript", headers=world.headers("manager")).json()["turns"]
    for tag in document["tags"]:
        for evidence in tag["evidence"]:
            turn = turns[evidence["turn"]]
            assert evidence["recording_id"] == call
            assert evidence["quote"] == turn["text"][evidence["char_start"] : evidence["char_end"]]
            assert turn["start_ms"] <= evidence["start_ms"] < evidence["end_ms"] <= turn["end_ms"]
    again = client.get(
        f"/v1/customers/{CUSTOMER_REF}/profile",
        headers={**crm, "If-None-Match": response.headers["etag"]},
    )
    assert again.status_code == 304


def send_csv(client: TestClient, headers: dict[str, str], **fields: str) -> Any:
    form = {"mapping": MAPPING, **fields}
    return client.post(
        "/v1/customers/import", data=form, files={"file": ("a.csv", CSV.encode())}, headers=headers
    )


def test_a_dry_run_reports_and_writes_nothing(client: TestClient, crm: dict[str, str]) -> None:
    report = send_csv(client, crm, dry_run="true").json()
    schemas.ImportReport.model_validate(report)
    assert (report["dry_run"], report["rows"], report["created"], report["rejected"]) == (True, 3, 2, 1)
    assert report["ignored_columns"] == ["备注"]
    assert [error["row"] for error in report["errors"]] == [4]
    assert client.get("/v1/customers", headers=crm).json()["items"] == []


def test_an_import_is_repeated_without_harm_and_with_its_key_not_at_all(
    client: TestClient, crm: dict[str, str]
) -> None:
    keyed = {**crm, "Idempotency-Key": "import-1"}
    first = send_csv(client, keyed)
    assert (first.status_code, first.json()["created"]) == (200, 2)
    assert send_csv(client, keyed).json() == first.json()
    assert send_csv(client, crm).json()["unchanged"] == 2
    assert client.get("/v1/customers/C-2", headers=crm).json()["fields"]["city"] == "苏州"


@pytest.mark.parametrize(
    "fields", [{"mapping": "no: mapping"}, {"dry_run": "perhaps"}, {"mapping": MAPPING, "other": "x"}]
)
def test_an_odd_import_is_refused(client: TestClient, crm: dict[str, str], fields: dict[str, str]) -> None:
    assert send_csv(client, crm, **fields).status_code == 400


def test_an_import_without_a_mapping_is_refused(client: TestClient, crm: dict[str, str]) -> None:
    response = client.post("/v1/customers/import", files={"file": ("a.csv", CSV.encode())}, headers=crm)
    assert response.status_code == 400
