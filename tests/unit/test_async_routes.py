"""No coroutine asks the database itself: on SQLite all other requests would wait for its lock."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import huaxiang.console

API = Path(huaxiang.console.__file__).parents[1]
OPENS = {"transaction", "reading"}


def own_parts(function: ast.AsyncFunctionDef) -> Iterator[ast.AST]:
    """Give what a coroutine does itself: what it defines inside runs where it is called."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        part = waiting.pop()
        if isinstance(part, ast.FunctionDef | ast.Lambda):
            continue
        yield part
        waiting += ast.iter_child_nodes(part)


def test_no_coroutine_opens_a_transaction() -> None:
    found = []
    for path in sorted(API.rglob("*.py")):
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(function, ast.AsyncFunctionDef):
                continue
            calls = (part for part in own_parts(function) if isinstance(part, ast.Call))
            names = {call.func.id for call in calls if isinstance(call.func, ast.Name)}
            if names & OPENS:
                found.append(f"{path.relative_to(API)}: {function.name}")
    assert found == []
