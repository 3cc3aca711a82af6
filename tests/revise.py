"""Writes the next revision from what the tables say: ``python tests/revise.py ID "what it does"``."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
STAGES = ("core", "ingest", "asr", "nlp", "profile", "api", "tests/support")


def main(revision: str, message: str) -> None:
    """Compare the tables with the revisions so far, run on an empty SQLite, and write the difference."""
    from alembic import command
    from all_tables import import_all_tables

    from huaxiang.core.database import make_engine
    from huaxiang.core.migrations import alembic_config

    import_all_tables()
    engine = make_engine("sqlite://")
    with engine.connect() as connection:
        if any((ROOT / "core/huaxiang/core/migrations/versions").glob("[0-9]*.py")):
            command.upgrade(alembic_config(connection), "head")
        command.revision(alembic_config(connection), message, autogenerate=True, rev_id=revision)
    (written,) = (ROOT / "core/huaxiang/core/migrations/versions").glob(f"{revision}_*.py")
    written.write_text(re.sub(r" *# ### .*\n", "", written.read_text()))
    for arguments in (["format"], ["check", "--fix"]):
        subprocess.run([sys.executable, "-m", "ruff", *arguments, written], check=True)


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT / stage) for stage in STAGES]
    main(*sys.argv[1:])
