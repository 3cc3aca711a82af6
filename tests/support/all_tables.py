"""Lets every stage put its tables into the one metadata, for tests that compare, create or use them."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[2]
STAGES = ("core", "ingest", "asr", "nlp", "profile", "api")


def import_all_tables() -> None:
    """Import every module of tables, in whatever folder of a stage it stands."""
    for stage in STAGES:
        for path in sorted((ROOT / stage).rglob("*tables.py")):
            if "versions" not in path.parts:
                import_module(".".join(path.relative_to(ROOT / stage).with_suffix("").parts))
