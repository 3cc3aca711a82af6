"""Every blob store keeps one contract: in memory, in a folder, in S3."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.core.blobs import BlobStore, MemoryBlobs, checked_key, make_blob_store
from huaxiang.core.blobs_obstore import FolderBlobs
from huaxiang.core.errors import BlobMissing, ConfigurationError, StorageError

BIG = bytes(range(256)) * (9 * 4096)  # 9 MiB: more than one part of an S3 upload


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """An S3 server of the test run's own on loopback."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3_store(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> BlobStore:
    """A store in a bucket of its own."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": s3_endpoint,
    }.items():
        monkeypatch.setenv(name, value)
    bucket = f"blobs-{uuid4().hex}"
    httpx.put(f"{s3_endpoint}/{bucket}").raise_for_status()
    return make_blob_store(f"s3://{bucket}/some/prefix")


@pytest.fixture(params=["memory", "folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    if request.param == "memory":
        return MemoryBlobs()
    if request.param == "folder":
        return make_blob_store((tmp_path / "a folder" / "blobs").as_uri())
    found: BlobStore = request.getfixturevalue("s3_store")
    return found


def _read(store: BlobStore, key: str, start: int = 0, end: int | None = None) -> bytes:
    return b"".join(store.read(key, start, end))


def test_what_was_put_is_read_back(store: BlobStore) -> None:
    assert store.put("recordings/a.wav", [b"RI", b"", b"FF"]) == 4
    assert _read(store, "recordings/a.wav") == b"RIFF"
    assert store.size("recordings/a.wav") == 4
    assert store.exists("recordings/a.wav")


def test_a_blob_may_be_empty(store: BlobStore) -> None:
    assert store.put("empty", []) == 0
    assert _read(store, "empty") == b""
    assert _read(store, "empty", 0, 10) == b""
    assert store.size("empty") == 0


def test_a_blob_of_many_parts_is_whole(store: BlobStore) -> None:
    chunks = [BIG[at : at + 1_000_003] for at in range(0, len(BIG), 1_000_003)]
    assert store.put("big", iter(chunks)) == len(BIG)
    pieces = list(store.read("big"))
    assert b"".join(pieces) == BIG
    assert len(pieces) > 1


@pytest.mark.parametrize(
    ("start", "end"), [(0, None), (3, None), (3, 7), (3, 3), (9, None), (10, None), (40, None), (5, 400)]
)
def test_a_range_is_read_as_a_slice(store: BlobStore, start: int, end: int | None) -> None:
    store.put("digits", [b"0123456789"])
    assert _read(store, "digits", start, end) == b"0123456789"[start:end]


def test_a_range_that_runs_backwards_is_refused(store: BlobStore) -> None:
    store.put("digits", [b"0123456789"])
    for start, end in [(-1, None), (5, 4)]:
        with pytest.raises(ValueError, match="byte range"):
            store.read("digits", start, end)


def test_putting_again_replaces(store: BlobStore) -> None:
    store.put("a", [b"first and long"])
    store.put("a", [b"second"])
    assert _read(store, "a") == b"second"


class Torn(OSError):
    """The source of a blob broke."""


def _torn(good: bytes) -> Iterator[bytes]:
    yield good
    raise Torn


def test_blobs_may_be_the_source_of_another(store: BlobStore) -> None:
    store.put("parts/1", [BIG])
    store.put("parts/2", [b"and the rest"])
    store.put("whole", (chunk for part in ("parts/1", "parts/2") for chunk in store.read(part)))

    assert b"".join(store.read("whole")) == BIG + b"and the rest"


@pytest.mark.parametrize("good", [b"x", BIG], ids=["one part", "many parts"])
def test_a_source_that_breaks_leaves_what_was_there(store: BlobStore, good: bytes) -> None:
    store.put("a", [b"before"])
    with pytest.raises(Torn):
        store.put("a", _torn(good))
    assert _read(store, "a") == b"before"
    with pytest.raises(Torn):
        store.put("new", _torn(good))
    assert not store.exists("new")
    assert store.list() == ["a"]


def test_a_missing_blob_is_told_at_once(store: BlobStore) -> None:
    assert not store.exists("nothing")
    for ask in (store.read, store.size):
        with pytest.raises(BlobMissing, match="nothing"):
            ask("nothing")
    with pytest.raises(BlobMissing), store.local_path("nothing"):
        pass


def test_a_folder_is_no_blob(store: BlobStore) -> None:
    store.put("a/b", [b"x"])
    assert not store.exists("a")
    with pytest.raises(BlobMissing):
        store.size("a")


def test_deleting_removes_and_is_fine_twice(store: BlobStore) -> None:
    store.put("a/b", [b"x"])
    store.delete("a/b")
    assert not store.exists("a/b")
    store.delete("a/b")


def test_listing_gives_the_keys_of_a_folder_in_order(store: BlobStore) -> None:
    for key in ("uploads/2/0", "uploads/10/0", "uploads/1/0", "uploads1", "other"):
        store.put(key, [b"x"])
    assert store.list() == ["other", "uploads/1/0", "uploads/10/0", "uploads/2/0", "uploads1"]
    assert store.list("uploads") == store.list("uploads/") == ["uploads/1/0", "uploads/10/0", "uploads/2/0"]
    assert store.list("uploads/1") == ["uploads/1/0"]
    assert store.list("nothing") == []


def test_a_local_path_holds_the_blob_and_its_ending(store: BlobStore) -> None:
    store.put("decoded/a.wav", [BIG])
    with store.local_path("decoded/a.wav") as path:
        assert path.read_bytes() == BIG
        assert path.suffix == ".wav"
    assert store.exists("decoded/a.wav")


BAD_KEYS = [
    "", ".", "..", "/etc/passwd", "a/../b", "../a", "a//b", "a/", ".hidden", "a/.b", "a\\b", "a b",
    "_incoming/x", "录音", "a\n", "a?b", "x" * 501, "a\0b",
]  # fmt: skip


@pytest.mark.parametrize("key", BAD_KEYS)
def test_a_key_that_could_leave_its_place_is_refused(store: BlobStore, key: str) -> None:
    for use in (store.size, store.exists, store.delete, store.read, lambda key: store.put(key, [b"x"])):
        with pytest.raises(StorageError, match="a blob key is"):
            use(key)


@given(st.text(max_size=30) | st.from_regex(r"[.a-z0-9/_-]{1,12}", fullmatch=True))
def test_an_accepted_key_stays_below_its_root(key: str) -> None:
    try:
        checked_key(key)
    except StorageError:
        return
    path = Path("/root/of/blobs") / key
    assert os.path.normpath(path) == str(path)
    assert path.parts[:4] == ("/", "root", "of", "blobs")
    assert len(path.parts) == 4 + 1 + key.count("/")


def test_a_folder_store_flushes_the_file_before_it_has_its_name_and_the_folders_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FolderBlobs(tmp_path)
    flushed: list[tuple[str, bool]] = []
    fsync = os.fsync

    def watched(descriptor: int) -> None:
        path = os.path.relpath(os.readlink(f"/proc/self/fd/{descriptor}"), tmp_path)
        flushed.append((path, (tmp_path / "a" / "b").exists()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    store.put("a/b", [b"x"])
    (file, named), *folders = flushed
    assert file.startswith("_incoming/")
    assert not named
    assert folders == [("a", True), (".", True)]


def test_a_folder_store_removes_what_killed_writers_left(tmp_path: Path) -> None:
    FolderBlobs(tmp_path)
    old, young = tmp_path / "_incoming" / "old", tmp_path / "_incoming" / "young"
    for path in (old, young):
        path.write_bytes(b"x")
    os.utime(old, (0, 0))
    assert FolderBlobs(tmp_path).list() == []
    assert not old.exists()
    assert young.exists()


def test_blobs_in_a_folder_are_read_in_place(tmp_path: Path) -> None:
    store = FolderBlobs(tmp_path)
    store.put("a/b", [b"x"])
    with store.local_path("a/b") as path:
        assert path == tmp_path / "a" / "b"


@pytest.mark.parametrize("url", ["", "blobs", "http://host/x", "file://host/x", "s3://", "file://"])
def test_a_url_that_is_no_store_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="HUAXIANG_BLOB_URL"):
        make_blob_store(url)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ConfigurationError, match="cannot be made"):
        make_blob_store((tmp_path / "file" / "blobs").as_uri())


@pytest.mark.usefixtures("s3_store")
def test_a_store_that_fails_is_told_apart_from_a_missing_blob() -> None:
    nowhere = make_blob_store(f"s3://no-such-bucket-{uuid4().hex}")
    with pytest.raises(StorageError) as caught:
        nowhere.put("a", [b"x"])
    assert not isinstance(caught.value, BlobMissing)
