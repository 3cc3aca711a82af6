"""Looks at a file's first bytes before any decoder does: what can be refused with a better reason."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from huaxiang.core.errors import (
    AudioError,
    EmptyAudio,
    EncryptedAudio,
    NotAudio,
    NotFound,
    StorageError,
    UnsupportedAudio,
)
from huaxiang.ingest import containers

_HEAD_BYTES = 64
_ARCHIVES: Mapping[bytes, str] = {
    b"PK\x03\x04": "a zip archive",
    b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive",
    b"Rar!": "a RAR archive",
    b"\x1f\x8b": "a gzip file",
    b"%PDF": "a PDF document",
    b"#EXTM3U": "a playlist",
    b"ffconcat": "a playlist",
}
_ENCRYPTED: Mapping[bytes, str] = {
    b"Salted__": "encrypted with OpenSSL",
    b"-----BEGIN PGP MESSAGE": "encrypted with PGP",
    b"age-encryption.org/": "encrypted with age",
    b"CTENFDAM": "under the rights management of NetEase Music",
}
_OTHER_AUDIO: Mapping[bytes, str] = {
    b"#!SILK": "SILK",
    b"\x02#!SILK": "SILK",
    b"MAC ": "Monkey's Audio",
    b"wvpk": "WavPack",
    b"caff": "Core Audio",
    b".snd": "Sun audio",
    b"DSD ": "DSD",
    b"MThd": "MIDI",
    b"\x0b\x77": "AC-3",
    b"#!AMR_MC": "multi-channel AMR",
    b"#!AMR-WB_MC": "multi-channel AMR",
}


def refuse_early(path: Path) -> None:
    """Raise what the file's own bytes say about it; return where a decoder should try.

    Raises NotFound, StorageError, EmptyAudio, EncryptedAudio, NotAudio, UnsupportedAudio, and
    AudioError for an MP4 file without its index.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
            if not head:
                raise EmptyAudio(f"{path.name} is empty; record or copy it again")
            _refuse_by_magic(path.name, head)
            if containers.is_encrypted(file):
                raise EncryptedAudio(f"{path.name} is protected by rights management; export it without")
            if containers.lacks_index(file):
                raise AudioError(f"{path.name} was cut off before its index; copy it again from the recorder")
    except FileNotFoundError as error:
        raise NotFound(f"there is no file {path.name}; check the path") from error
    except IsADirectoryError as error:
        raise NotAudio(f"{path.name} is a folder; name a file") from error
    except OSError as error:
        raise StorageError(f"{path.name} cannot be read: {error.strerror}") from error


def _refuse_by_magic(name: str, head: bytes) -> None:
    if head[:4] == b"PK\x03\x04" and len(head) > 6 and head[6] & 1:
        raise EncryptedAudio(f"{name} is an encrypted zip archive; unpack it first")
    for magic, what in _ENCRYPTED.items():
        if head.startswith(magic):
            raise EncryptedAudio(f"{name} is {what}; decrypt it first")
    for magic, what in _ARCHIVES.items():
        if head.startswith(magic):
            raise NotAudio(f"{name} is {what}, not a recording; upload the recording itself")
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        raise UnsupportedAudio(f"{name} is AIFF, which is not supported; convert it to WAV or FLAC")
    for magic, what in _OTHER_AUDIO.items():
        if head.startswith(magic):
            raise UnsupportedAudio(f"{name} is {what}, which is not supported; convert it to WAV or MP3")
