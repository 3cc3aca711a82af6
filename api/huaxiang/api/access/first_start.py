"""What the first start makes for itself, so that there is no default secret: a key and an admin."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.api.access.passwords import Passwords, make_password
from huaxiang.api.access.secret_values import make_secret
from huaxiang.api.access.users import add_user
from huaxiang.api.tables import UserRow
from huaxiang.core.database import transaction
from huaxiang.core.errors import ConfigurationError
from huaxiang.core.settings import Settings

MIN_KEY_BYTES = 32
FIRST_ADMIN = "admin"


def server_key(settings: Settings) -> bytes:
    """Return the server's key: ``HUAXIANG_SECRET_KEY``, or ``secret.key`` in the data folder.

    The file is made at the first start, readable by its owner only. Several machines on one
    database need the setting, or each counts failed sign-ins for itself. Raises
    ConfigurationError for a key under 32 bytes or a file that cannot be used.
    """
    if settings.secret_key is not None:
        return _checked(settings.secret_key.get_secret_value().encode(), "HUAXIANG_SECRET_KEY")
    path = settings.data_dir / "secret.key"
    try:
        if not path.exists():
            _write_private(path, make_secret() + "\n", replace=False)
        return _checked(path.read_text().strip().encode(), str(path))
    except OSError as error:
        raise ConfigurationError(f"the server's key in {path} cannot be made or read") from error


def ensure_first_admin(sessions: sessionmaker[Session], passwords: Passwords, data_dir: Path) -> Path | None:
    """Where there is no user yet, add ``admin`` with a random password and return the file that holds it.

    Returns None where there are users. Raises ConfigurationError where the file cannot be written.
    """
    path = data_dir / "first-sign-in.txt"
    try:
        with transaction(sessions) as session:
            if session.scalar(select(func.count()).select_from(UserRow)):
                return None
            password = make_password()
            add_user(session, passwords, FIRST_ADMIN, password, "admin")
            _write_private(path, f"name: {FIRST_ADMIN}\npassword: {password}\n", replace=True)
    except IntegrityError:
        return None  # another process started at the same moment and was first
    except OSError as error:
        raise ConfigurationError(f"the first password cannot be written to {path}") from error
    return path


def _checked(key: bytes, where: str) -> bytes:
    if len(key) < MIN_KEY_BYTES:
        raise ConfigurationError(f"the key in {where} needs {MIN_KEY_BYTES} bytes or more")
    return key


def _write_private(path: Path, text: str, *, replace: bool) -> None:
    """Write a file of mode 0600 in one step; without ``replace`` an existing one stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".private-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            os.replace(temporary, path)
            return
        try:
            os.link(temporary, path)
        except FileExistsError:
            return
    finally:
        Path(temporary).unlink(missing_ok=True)
