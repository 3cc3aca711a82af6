"""Writes what was trained into models.lock: its sums, and those of the data it came from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from huaxiang.core.errors import ConfigurationError
from huaxiang.nlp.training_run import Trained

NAME = "nlp-heads"
ROOT = "nlp/weights"
HEADING = "# What customers and agents say: heads on the encoder, trained by `huaxiang train nlp`."


def entry(trained: Trained, made_from: Mapping[str, str]) -> str:
    """Return the entry of the trained weights as TOML, under its heading."""
    sources = ", ".join(f'"{name}" = "{digest}"' for name, digest in sorted(made_from.items()))
    return f"""{HEADING}

[models.{NAME}]
task = "turn-labels"
licence = "Apache-2.0"
repository = "huaxiang"
revision = "{trained.sha256[:8]}"
made_from = {{ {sources} }}

[[models.{NAME}.files]]
path = "{trained.path.name}"
size_bytes = {trained.size_bytes}
sha256 = "{trained.sha256}"
sources = [{{ kind = "package", root = "{ROOT}" }}]
"""


def update_lock(lock: Path, trained: Trained, made_from: Mapping[str, str]) -> None:
    """Put the entry into the lock file, in place of an older one (heading to the next heading).

    Raises ConfigurationError where the lock cannot be read or written.
    """
    try:
        text = lock.read_text(encoding="utf-8")
        before, heading, after = text.partition(HEADING)
        _, next_heading, rest = after.partition("\n# ") if heading else ("", "", "")
        parts = [before.rstrip(), entry(trained, made_from).rstrip()]
        if next_heading:
            parts.append(f"# {rest}".rstrip())
        lock.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{lock} cannot be updated ({error.strerror})") from error
