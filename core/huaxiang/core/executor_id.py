"""A name for each worker that is unique among all and stays when the worker is started again."""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from huaxiang.core.errors import ConfigurationError
from huaxiang.core.types import new_id

_MAX_WORKERS = 64


@contextmanager
def executor_id(folder: Path) -> Iterator[str]:
    """Give this process the first name in ``folder`` that no living process holds.

    The name is held by a lock that the system gives back however the process ends, so a worker that was
    killed comes back under its name. A folder copied to another machine yields new names. Raises
    ConfigurationError where the folder cannot be written or all names are held.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(_MAX_WORKERS):
            descriptor = os.open(folder / f"worker-{number}", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                continue
            name = _name_in(descriptor)
            break
        else:
            raise ConfigurationError(f"{folder} holds the names of {_MAX_WORKERS} workers, all running")
    except OSError as error:
        raise ConfigurationError(
            f"the folder {folder} for workers' names cannot be used ({error.strerror}); set HUAXIANG_DATA_DIR"
        ) from error
    try:
        yield name
    finally:
        os.close(descriptor)


def _name_in(descriptor: int) -> str:
    """Return the name in the locked file; write a new one where it holds none of this machine."""
    host = socket.gethostname()
    name, _, written_on = os.read(descriptor, 500).decode("utf-8", errors="replace").partition(" ")
    if name and written_on == host:
        return name
    name = new_id()
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.truncate(descriptor, 0)
    os.write(descriptor, f"{name} {host}".encode())
    os.fsync(descriptor)
    return name
