"""Writes decoded audio: a 16 kHz 16-bit WAV file that appears whole or not at all."""

from __future__ import annotations

import os
import tempfile
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from huaxiang.core.audio import SAMPLE_RATE
from huaxiang.core.errors import StorageError

MAX_DATA_BYTES = 0xFFFFFFFF - 36
"""What the 32-bit sizes of a WAV header can count."""

_COPY_FRAMES = 60 * SAMPLE_RATE

Write = Callable[[NDArray[np.int16]], None]


@contextmanager
def atomic_file(target: Path) -> Iterator[BinaryIO]:
    """Give a file to write that takes the place of ``target`` at the end, or vanishes on an error.

    Raises StorageError where the folder cannot be written.
    """
    temporary = target.with_name(f".{target.name}.{uuid4().hex}.part")
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except OSError as error:
        raise _cannot_write(target, error) from error
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def scratch_folder(target: Path) -> Iterator[Path]:
    """Give a folder beside ``target`` that is gone afterwards. Raises StorageError."""
    try:
        folder = tempfile.TemporaryDirectory(dir=target.parent, prefix=".decoding-")
    except OSError as error:
        raise _cannot_write(target, error) from error
    with folder as path:
        yield Path(path)


@contextmanager
def wav_writer(target: Path, channels: int) -> Iterator[Write]:
    """Give a function that appends samples of shape ``(frames, channels)`` to ``target``.

    Raises StorageError where the folder cannot be written.
    """
    with atomic_file(target) as file, wave.open(file, "wb") as wav:
        wav.setnchannels(channels)
        wav.setsampwidth(2)
        wav.setframerate(SAMPLE_RATE)
        wav.writeframes(b"")  # the header, also of a file without a sample
        yield lambda samples: wav.writeframesraw(samples.astype("<i2", copy=False).tobytes())


def move(source: Path, target: Path) -> None:
    """Put a finished file in the place of ``target``. Raises StorageError."""
    try:
        source.replace(target)
    except OSError as error:
        raise _cannot_write(target, error) from error


def keep_channel(source: Path, target: Path, kept: int) -> None:
    """Copy one channel of a WAV file made by ``wav_writer`` into another, a minute at a time.

    Raises StorageError where the folder cannot be written.
    """
    with wav_writer(target, 1) as write, wave.open(str(source), "rb") as wav:
        while data := wav.readframes(_COPY_FRAMES):
            write(np.frombuffer(data, dtype="<i2").reshape(-1, wav.getnchannels())[:, kept])


def _cannot_write(target: Path, error: OSError) -> StorageError:
    return StorageError(f"cannot write {target.name}: {error.strerror}; free or fix the disk")
