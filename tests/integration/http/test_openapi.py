"""The OpenAPI document says what the routes do."""

from __future__ import annotations

import pytest
from api_world import World
from starlette.testclient import TestClient

from huaxiang.api.http.app import scopes_of_routes

# What is tested here does not depend on the database; the stores are tested on both.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def operations(world: World) -> dict[str, dict[str, object]]:
    document = world.app.openapi()
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_known_callers_read_it(world: World, client: TestClient) -> None:
    response = client.get("/openapi.json", headers=world.headers("device"))
    assert response.status_code == 200
    assert set(response.json()["components"]["securitySchemes"]) == {"token", "session"}


def test_every_operation_has_a_summary_a_description_and_its_scopes(
    world: World, operations: dict[str, dict[str, object]]
) -> None:
    scopes = scopes_of_routes(world.app)
    assert operations
    for name, operation in operations.items():
        method, path = name.split(" ")
        assert operation["summary"], name
        assert operation["description"], name
        needed = scopes[method, path]
        assert operation.get("x-scopes", []) == list(needed or ()), name
        assert bool(operation["security"]) == (needed is not None), name


def test_every_operation_of_v1_shows_its_answer_and_its_errors(
    operations: dict[str, dict[str, object]],
) -> None:
    for name, operation in operations.items():
        responses = operation["responses"]
        assert isinstance(responses, dict)
        assert "application/problem+json" in responses["default"]["content"], name
        assert any(status.startswith("2") for status in responses), name


def test_references_in_the_document_resolve(world: World) -> None:
    document = world.app.openapi()

    def references(node: object) -> list[str]:
        if isinstance(node, dict):
            own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
            return own + [found for part in node.values() for found in references(part)]
        if isinstance(node, list):
            return [found for part in node for found in references(part)]
        return []

    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert set(references(document)) <= known


def test_documents_are_known_by_names_of_their_own(world: World) -> None:
    names = world.app.openapi()["components"]["schemas"]
    assert not [name for name in names if "__" in name], "two documents of one name bear that of their module"
