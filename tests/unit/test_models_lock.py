"""models.lock is read strictly, identifies what the models are, and takes a user's additions."""

from __future__ import annotations

import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.core import lock as lock_module
from huaxiang.core.errors import ConfigurationError, InvalidInput, ModelCorrupt, ModelMissing, ModelNotLocked
from huaxiang.core.lock import FileState, ModelLock, add_model, describe_folder, shipped_lock
from huaxiang.core.lock_format import LockedFile, LockedModel, UnpackedSource, parse_lock, write_models

CONTENT = b"weights"


def entry(content: bytes = CONTENT, path: str = "model.bin", extra: str = "") -> str:
    return f"""
version = 1
[models.tiny]
task = "asr"
licence = "MIT"
{extra}
[[models.tiny.files]]
path = "{path}"
size_bytes = {len(content)}
sha256 = "{sha256(content).hexdigest()}"
"""


def lock_from(folder: Path, text: str) -> ModelLock:
    path = folder / "models.lock"
    path.write_text(text, encoding="utf-8")
    return ModelLock.load(path=path)


@pytest.fixture
def tiny(tmp_path: Path) -> tuple[ModelLock, Path, Path]:
    """A lock of one model of one file, the models folder, and the file in its place."""
    file = tmp_path / "models" / "tiny" / "model.bin"
    file.parent.mkdir(parents=True)
    file.write_bytes(CONTENT)
    return lock_from(tmp_path, entry()), tmp_path / "models", file


def test_the_shipped_lock_names_every_model_of_the_design() -> None:
    assert {"whisper-base", "multilingual-e5-small", "ge2e-speaker", "silero-vad"} <= set(
        ModelLock.load().models
    )


def test_every_shipped_file_has_a_source_and_every_model_a_licence_and_an_upstream() -> None:
    for model in ModelLock.load().models.values():
        assert model.licence, model.name
        assert model.repository or model.made_from, model.name
        assert all(file.sources for file in model.files), model.name


def test_the_shipped_lock_names_no_registry() -> None:
    assert "://" not in shipped_lock().read_text(encoding="utf-8")


def test_the_lock_is_found_in_a_wheel_before_a_checkout(tmp_path: Path) -> None:
    package = tmp_path / "core" / "huaxiang" / "core"
    package.mkdir(parents=True)
    (tmp_path / "models.lock").touch()
    assert shipped_lock(package) == tmp_path / "models.lock"
    (package / "models.lock").touch()
    assert shipped_lock(package) == package / "models.lock"


def test_an_installation_without_a_lock_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"models\.lock"):
        shipped_lock(tmp_path / "huaxiang" / "core")


def test_ensure_gives_the_folder_of_a_model_that_is_as_locked(tiny: tuple[ModelLock, Path, Path]) -> None:
    lock, models_dir, file = tiny
    assert lock.ensure("tiny", models_dir) == file.parent


def test_a_missing_file_is_named_with_its_cure(tiny: tuple[ModelLock, Path, Path]) -> None:
    lock, models_dir, file = tiny
    file.unlink()
    with pytest.raises(ModelMissing, match=r"model\.bin of model tiny .*huaxiang models pull tiny") as caught:
        lock.ensure("tiny", models_dir)
    assert str(models_dir) not in caught.value.message  # callers of the API read it too


def test_a_changed_file_is_refused_also_after_it_was_found_right(tiny: tuple[ModelLock, Path, Path]) -> None:
    lock, models_dir, file = tiny
    lock.ensure("tiny", models_dir)
    file.write_bytes(b"WEIGHTS")
    with pytest.raises(ModelCorrupt, match=r"model\.bin .*sha256") as caught:
        lock.ensure("tiny", models_dir)
    assert str(models_dir) not in caught.value.message


def test_a_file_of_another_size_is_refused(tiny: tuple[ModelLock, Path, Path]) -> None:
    lock, models_dir, file = tiny
    file.write_bytes(CONTENT[:-1])
    with pytest.raises(ModelCorrupt, match="size"):
        lock.ensure("tiny", models_dir)


def test_an_unknown_model_is_refused_with_the_names_that_are_locked(
    tiny: tuple[ModelLock, Path, Path],
) -> None:
    lock, models_dir, _ = tiny
    with pytest.raises(ModelNotLocked, match=r"'large'.*tiny.*huaxiang models add large"):
        lock.ensure("large", models_dir)


def test_a_file_is_hashed_once_and_again_only_when_it_changed(tiny: tuple[ModelLock, Path, Path]) -> None:
    lock, models_dir, _ = tiny
    hashed: list[int] = []
    for _ in range(2):
        lock.verify(models_dir, always_hash=False, progress=hashed.append)
    assert sum(hashed) == len(CONTENT)


def test_verify_sees_bytes_that_rot_under_an_unchanged_time(tiny: tuple[ModelLock, Path, Path]) -> None:
    lock, models_dir, file = tiny
    lock.ensure("tiny", models_dir)
    before = file.stat()
    file.write_bytes(b"wEights")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert [status.state for status in lock.verify(models_dir)] == [FileState.WRONG_SUM]
    with pytest.raises(ModelCorrupt):
        lock.ensure("tiny", models_dir)


def test_what_was_hashed_is_remembered_where_the_cache_is_moved_to(
    tiny: tuple[ModelLock, Path, Path],
) -> None:
    lock, models_dir, _ = tiny
    lock.ensure("tiny", models_dir)
    moved = models_dir.rename(models_dir.with_name("elsewhere"))
    hashed: list[int] = []
    (status,) = lock.verify(moved, always_hash=False, progress=hashed.append)
    assert (status.state, hashed) == (FileState.OK, [])
    assert lock.ensure("tiny", moved) == moved / "tiny"


def test_a_damaged_memory_of_hashes_only_costs_the_hash(tiny: tuple[ModelLock, Path, Path]) -> None:
    lock, models_dir, _ = tiny
    lock.ensure("tiny", models_dir)
    (models_dir / ".verified" / "tiny.json").write_text("{", encoding="utf-8")
    assert lock.ensure("tiny", models_dir) == models_dir / "tiny"


def test_a_file_of_an_installed_package_is_checked_in_place(tmp_path: Path) -> None:
    lock = ModelLock.load()
    folder = lock.ensure("silero-vad", tmp_path)
    assert folder.parts[-2:] == ("faster_whisper", "assets")


def test_a_file_inside_this_project_is_found_below_its_package(tmp_path: Path) -> None:
    source = Path(lock_module.__file__)
    text = entry(source.read_bytes(), "lock.py", 'made_from = { "data.jsonl" = "' + "0" * 64 + '" }')
    lock = lock_from(tmp_path, text + '\nsources = [{ kind = "package", root = "core" }]\n')
    assert lock.ensure("tiny", tmp_path) / "lock.py" == source


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ("# a comment", True),
        ('repository = "somebody/else"', False),
        (f'made_from = {{ "data.jsonl" = "{"0" * 64}" }}', False),
    ],
)
def test_the_digest_follows_what_the_models_are(tmp_path: Path, change: str, same: bool) -> None:
    before = lock_from(tmp_path, entry()).digest
    assert (lock_from(tmp_path, entry(extra=change)).digest == before) is same


def test_the_digest_does_not_depend_on_where_files_are_fetched(tmp_path: Path) -> None:
    upstream = 'repository = "owner/name"\nrevision = "1"'
    before = lock_from(tmp_path, entry(extra=upstream)).digest
    other = entry(extra=upstream) + '\nsources = [{ kind = "hub", filename = "elsewhere.bin" }]\n'
    assert lock_from(tmp_path, other).digest == before


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("version = 1\n[models", "not TOML"),
        (entry().replace("version = 1", "version = 2"), "version"),
        (entry(path="../outside"), "relative path"),
        (entry(path="/etc/passwd"), "relative path"),
        (entry().replace("sha256", "sha1"), "sha256"),
        (entry() + '\nsources = [{ kind = "magic" }]', "kind"),
        (entry() + '\nsources = [{ kind = "hub", filename = "x" }]', "repository and revision"),
        (entry() + '\nsources = [{ kind = "unpacked", source = "x", unpacker = "y" }]', "unpacks x"),
        (
            entry() + '\nsources = [{ kind = "wheel", parts = [{ package = "gone", member = "x" }] }]',
            "unlisted wheel gone",
        ),
        (entry() + entry().split("\n", 6)[6], "listed twice"),
    ],
)
def test_a_lock_with_a_mistake_is_refused_and_the_mistake_named(text: str, complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        parse_lock(text, "models.lock")


def test_a_users_model_stays_where_it_is_and_is_checked(tmp_path: Path) -> None:
    folder = tmp_path / "my model"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "model.bin").write_bytes(b"x" * 10)
    (folder / "config.json").write_bytes(b"{}")
    (folder / ".cache").mkdir()
    (folder / ".cache" / "junk").write_bytes(b"junk")
    user_lock = tmp_path / "data" / "models.lock"
    shipped = lock_from(tmp_path, entry())
    add_model(shipped, user_lock, describe_folder("big", folder, "asr", licence="MIT"))

    merged = ModelLock.load(user_lock, tmp_path / "models.lock")
    assert set(merged.models) == {"tiny", "big"}
    assert [file.path for file in merged.models["big"].files] == ["config.json", "deep/model.bin"]
    assert merged.ensure("big", tmp_path / "models") == folder
    assert merged.digest != shipped.digest

    (folder / "config.json").write_bytes(b"[]")
    with pytest.raises(ModelCorrupt, match="huaxiang models add --replace big"):
        merged.ensure("big", tmp_path / "models")


def test_a_second_addition_keeps_the_first_and_replaces_only_on_request(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "a").write_bytes(b"1")
    user_lock = tmp_path / "user.lock"
    lock_from(tmp_path, entry())
    for name in ("one", "two"):
        lock = ModelLock.load(user_lock, tmp_path / "models.lock")
        add_model(lock, user_lock, describe_folder(name, folder, "asr"))
    lock = ModelLock.load(user_lock, tmp_path / "models.lock")
    assert set(lock.models) == {"tiny", "one", "two"}
    with pytest.raises(InvalidInput, match="--replace"):
        add_model(lock, user_lock, describe_folder("tiny", folder, "asr"))
    add_model(lock, user_lock, describe_folder("tiny", folder, "asr"), replace=True)
    replaced = ModelLock.load(user_lock, tmp_path / "models.lock")
    assert replaced.ensure("tiny", tmp_path) == folder


def test_a_folder_that_cannot_be_locked_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="not a folder"):
        describe_folder("x", tmp_path / "nowhere", "asr")
    with pytest.raises(InvalidInput, match="no files"):
        describe_folder("x", tmp_path, "asr")
    (tmp_path / "a").write_bytes(b"")
    with pytest.raises(InvalidInput, match="cannot be locked"):
        describe_folder("../x", tmp_path, "asr")


names = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,12}\Z")
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@given(name=names, licence=texts, folder=texts.filter(lambda t: "\x00" not in t), size=st.integers(0, 2**40))
def test_what_is_written_is_read_back_as_it_was(name: str, licence: str, folder: str, size: int) -> None:
    file = LockedFile(path="a b/模型.bin", size_bytes=size, sha256="0" * 64)
    model = LockedModel(
        name=name, task="asr", licence=licence, folder=Path("/models") / folder.lstrip("/"), files=(file,)
    )
    assert dict(parse_lock(write_models({name: model}), "user lock").models) == {name: model}


def test_unpacked_files_name_the_file_they_are_made_from() -> None:
    model = ModelLock.load().models["multilingual-e5-small"]
    sources = {
        source for file in model.files for source in file.sources if isinstance(source, UnpackedSource)
    }
    assert {source.source for source in sources} == {"e5-small-q4.bin"}


def test_offline_is_pinned_before_any_hub_client_is_imported() -> None:
    code = (
        "import sys\nfrom huaxiang.core.lock import offline_environment\noffline_environment()\n"
        "assert not {'huggingface_hub', 'transformers', 'torch'} & set(sys.modules)\n"
        "from huggingface_hub import constants\nassert constants.HF_HUB_OFFLINE\n"
    )
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("HF_", "TRANSFORMERS_"))
    }
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
