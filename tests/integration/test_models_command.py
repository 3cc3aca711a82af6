"""``huaxiang models`` as its user runs it, on wheels in a folder."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from fake_wheels import TOKENIZER, WEIGHTS, Registry, make_registry
from typer.testing import CliRunner, Result

from huaxiang.api.command.models import app
from huaxiang.core.errors import InvalidInput, ModelNotLocked, ModelUnavailable
from huaxiang.core.lock import ModelLock


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Wheels of a model ``tiny``, whose entry stands in the user's lock; pip knows nothing else."""
    made = make_registry(tmp_path)
    # The command knows the real unpackers only: leave the file that a test's one makes out.
    kept = made.lock_path.read_text(encoding="utf-8").split('[[models.tiny.files]]\npath = "unpacked.bin"')[0]
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "models.lock").write_text(kept, encoding="utf-8")
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    for name, value in {
        "HUAXIANG_DATA_DIR": str(tmp_path / "data"),
        "HUAXIANG_CACHE_DIR": str(tmp_path / "cache"),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_NO_CACHE_DIR": "1",
        "PIP_FIND_LINKS": str(made.folder),
    }.items():
        monkeypatch.setenv(name, value)
    return made


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def output_of(*arguments: str) -> dict[str, object]:
    result = run(*arguments)
    assert result.exit_code == 0, result.stderr
    document: dict[str, object] = json.loads(result.stdout)
    return document


def state_of(name: str) -> str:
    models = output_of("list", "--json")["models"]
    assert isinstance(models, list)
    return next(str(model["state"]) for model in models if model["name"] == name)


@pytest.mark.parametrize("command", ["pull", "list", "verify", "add"])
def test_every_command_has_help(command: str) -> None:
    result = run(command, "--help")
    assert result.exit_code == 0
    assert "--json" in result.stdout


def test_a_model_goes_from_missing_to_ready_by_pull(registry: Registry, tmp_path: Path) -> None:
    assert state_of("tiny") == "missing"
    pulled = output_of("pull", "tiny", "--json")
    assert pulled["models_dir"] == str(tmp_path / "cache" / "models")
    assert [file["file"] for file in pulled["pulled"]] == ["model.bin", "tokenizer.json"]  # type: ignore[attr-defined]
    assert state_of("tiny") == "ready"
    assert output_of("pull", "tiny", "--json")["pulled"] == []


def test_a_pull_says_what_it_does_where_there_is_no_terminal(registry: Registry) -> None:
    result = run("pull", "tiny")
    assert "fetching half-one 1.0" in result.stderr
    assert "writing tiny/model.bin" in result.stderr
    assert "the model is ready" in result.stdout


def test_verify_exits_0_only_if_every_file_is_right(registry: Registry, tmp_path: Path) -> None:
    assert run("verify", "tiny").exit_code == 1
    run("pull", "tiny")
    verified = output_of("verify", "tiny", "--json")
    assert verified["ok"] is True
    (tmp_path / "cache" / "models" / "tiny" / "tokenizer.json").write_bytes(TOKENIZER[::-1])
    result = run("verify", "tiny", "--json")
    assert result.exit_code == 1
    states = {file["file"]: file["state"] for file in json.loads(result.stdout)["files"]}
    assert states == {"model.bin": "ok", "tokenizer.json": "wrong_sum"}
    assert state_of("tiny") == "corrupt"


def test_a_pull_without_a_source_fails_with_a_typed_error(registry: Registry) -> None:
    registry.first.unlink()
    result = run("pull", "tiny")
    assert isinstance(result.exception, ModelUnavailable)
    assert result.exit_code == 1


def test_an_unknown_name_fails_with_a_typed_error(registry: Registry) -> None:
    for command in ("pull", "verify"):
        assert isinstance(run(command, "other").exception, ModelNotLocked)


def test_a_folder_of_ones_own_is_locked_and_listed(registry: Registry, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "model.bin").write_bytes(WEIGHTS)
    incomplete = run("add", "mine", str(folder)).exception
    assert isinstance(incomplete, InvalidInput)
    assert "config.json, tokenizer.json" in incomplete.message
    for needed in ("config.json", "tokenizer.json"):
        (folder / needed).write_text("{}", encoding="utf-8")
    before = output_of("list", "--json")["digest"]
    added = output_of("add", "mine", str(folder), "--licence", "MIT", "--json")
    assert added["digest"] != before
    assert state_of("mine") == "ready"
    lock = ModelLock.load(tmp_path / "data" / "models.lock")
    assert lock.ensure("mine", tmp_path / "cache" / "models") == folder
    assert isinstance(run("add", "mine", str(folder)).exception, InvalidInput)
    assert run("add", "mine", str(folder), "--replace").exit_code == 0


def test_the_list_for_people_names_every_model_and_its_state(registry: Registry) -> None:
    lines = run("list").stdout.splitlines()
    assert any(line.split()[0] == "tiny" and line.split()[-1] == "missing" for line in lines[1:])
    assert any(line.startswith("whisper-base") for line in lines)
