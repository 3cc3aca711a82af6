"""Which files something was made from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from huaxiang.core.errors import InvalidConversation


def sums_by_name(paths: Iterable[Path]) -> dict[str, str]:
    """Return the sha256 of each file by its name.

    Raises InvalidConversation for two files of one name: one of them would not be told, and what changes
    in it would go unseen. OSError where a file cannot be read.
    """
    sums: dict[str, str] = {}
    for path in paths:
        if path.name in sums:
            raise InvalidConversation(f"two files are called {path.name}; give each once, or rename one")
        sums[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return sums
