"""Guards of the layout: who may import whom, what an import may cost, and that roots stay roots."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STAGES = {
    "core": ["core"],
    "ingest": ["ingest"],
    "asr": ["asr"],
    "nlp": ["nlp", "quality"],
    "profile": ["profile"],
    "api": ["api", "console"],
}
MAY_IMPORT = {
    "core": {"core"},
    "ingest": {"core", "ingest"},
    "asr": {"core", "asr"},
    "nlp": {"core", "nlp", "quality"},
    "profile": {"core", "profile"},
    "api": {"core", "ingest", "asr", "nlp", "quality", "profile", "api", "console"},
}
# Methods of the worker loop and the ASGI edge: the only places that may catch everything.
BROAD_CATCH_ALLOWED = {"core/huaxiang/core/stages.py", "api/huaxiang/api/http/edge.py"}


def modules(stage: str) -> Iterator[Path]:
    """All of a stage but the revisions of the schema, which are generated."""
    found = (ROOT / stage / "huaxiang").rglob("*.py")
    return (module for module in found if module.parent.name != "versions")


def imported_packages(module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
            if node.module == "huaxiang":
                names = [f"huaxiang.{alias.name}" for alias in node.names]
        yield from (name.split(".")[1] for name in names if name.startswith("huaxiang."))


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_imports_core_and_itself_only(stage: str) -> None:
    strangers = {
        f"{module.relative_to(ROOT)} imports huaxiang.{package}"
        for module in modules(stage)
        for package in imported_packages(module)
        if package not in MAY_IMPORT[stage]
    }
    assert not strangers


@pytest.mark.parametrize("stage", STAGES)
def test_no_init_file_hides_the_other_source_roots(stage: str) -> None:
    assert not (ROOT / stage / "__init__.py").exists()
    assert not (ROOT / stage / "huaxiang" / "__init__.py").exists()


def test_import_profile_from_the_repository_root_is_the_standard_library() -> None:
    found = subprocess.run(
        [sys.executable, "-c", "import profile; print(profile.__file__)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert Path(found.strip()).name == "profile.py"


def test_importing_the_api_and_its_commands_imports_nothing_heavy() -> None:
    program = (
        "import sys, huaxiang.api, huaxiang.api.command\n"
        "heavy = {'torch', 'transformers', 'faster_whisper', 'ctranslate2', 'av', 'scipy'}\n"
        "sys.exit(','.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr[-2000:]


@pytest.mark.parametrize("stage", STAGES)
def test_modules_stay_small(stage: str) -> None:
    long = {str(m.relative_to(ROOT)) for m in modules(stage) if len(m.read_text().splitlines()) > 400}
    assert not long


@pytest.mark.parametrize("stage", STAGES)
def test_functions_stay_small(stage: str) -> None:
    long = {
        f"{module.relative_to(ROOT)}:{node.name}"
        for module in modules(stage)
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno >= 60
    }
    assert not long


def test_only_the_worker_loop_and_the_asgi_edge_catch_everything() -> None:
    broad = {
        str(module.relative_to(ROOT))
        for stage in STAGES
        for module in modules(stage)
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or (isinstance(node.type, ast.Name) and node.type.id in _BROAD))
    }
    assert broad <= BROAD_CATCH_ALLOWED


_BROAD = {"Exception", "BaseException"}


def test_every_dependency_is_explained() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lists = [project["dependencies"], *project["optional-dependencies"].values()]
    names = {_name(line) for lines in lists for line in lines} - {"huaxiang"}
    explained = (ROOT / "docs" / "dependencies.md").read_text().lower()
    assert not {name for name in names if name.lower() not in explained}


def _name(requirement: str) -> str:
    for mark in "[<>=!~ ;":
        requirement = requirement.split(mark)[0]
    return requirement
