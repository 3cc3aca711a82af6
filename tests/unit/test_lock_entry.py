"""The trained weights' entry in models.lock."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from huaxiang.core.errors import ConfigurationError
from huaxiang.core.lock import ModelLock
from huaxiang.nlp.lock_entry import update_lock
from huaxiang.nlp.training_run import Trained

LOCK = """version = 1

# Another model.

[models.other]
task = "asr"
licence = "MIT"

[[models.other.files]]
path = "a.bin"
size_bytes = 1
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
"""
DATA = {"calls.jsonl": "1" * 64}


def _trained(digit: str = "a") -> Trained:
    return Trained(Path("weights/nlp-heads.safetensors"), digit * 64, 1234, None)  # type: ignore[arg-type]


def test_a_new_entry_stands_beside_the_others(tmp_path: Path) -> None:
    path = tmp_path / "models.lock"
    path.write_text(LOCK)
    update_lock(path, _trained(), DATA)
    lock = ModelLock.load(path=path)
    assert set(lock.models) == {"other", "nlp-heads"}
    model = lock.model("nlp-heads")
    assert model.made_from == DATA
    assert (model.files[0].sha256, model.files[0].size_bytes) == ("a" * 64, 1234)


def test_training_again_replaces_the_entry_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "models.lock"
    path.write_text(LOCK)
    update_lock(path, _trained("a"), DATA)
    path.write_text(
        path.read_text() + "\n# A third model.\n\n" + LOCK.split("\n\n", 2)[2].replace("other", "third")
    )
    update_lock(path, _trained("b"), DATA)
    lock = ModelLock.load(path=path)
    assert set(lock.models) == {"other", "nlp-heads", "third"}
    assert lock.model("nlp-heads").files[0].sha256 == "b" * 64
    once = path.read_text()
    update_lock(path, replace(_trained("b")), DATA)
    assert path.read_text() == once


def test_a_missing_lock_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere\.lock cannot be updated"):
        update_lock(tmp_path / "nowhere.lock", _trained(), DATA)
