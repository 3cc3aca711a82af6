"""A SQLite file with the coached history in it, made once and copied for each test of a module."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from coached import add_coached_history

from huaxiang.core.database import make_engine, session_factory
from huaxiang.quality.history.invented import InventedConversation


@dataclass(frozen=True)
class CoachedFile:
    """The file, and the conversations that stand in it."""

    path: Path
    conversations: list[InventedConversation]


def coached_file(template: Path, folder: Path, count: int = 90) -> CoachedFile:
    """Return a copy of an empty migrated file, filled with eight weeks of twelve sellers."""
    path = folder / "coached.db"
    shutil.copyfile(template, path)
    engine = make_engine(f"sqlite:///{path}")
    conversations = add_coached_history(session_factory(engine), count)
    engine.dispose()  # its last connection writes everything back into the file
    return CoachedFile(path, conversations)
