"""The list of known places: provinces, cities, countries."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files


def read_places(lines: Iterable[str]) -> list[str]:
    """Read a list of names separated by blanks; ``#`` begins a comment."""
    return [name for line in lines for name in line.split("#", 1)[0].split()]


@cache
def known_places() -> re.Pattern[str]:
    """Return a pattern that matches the places shipped with the project, longest first."""
    source = files("huaxiang.nlp.entities").joinpath("data", "places.txt")
    names = set(read_places(source.read_text(encoding="utf-8").splitlines()))
    return re.compile("|".join(map(re.escape, sorted(names, key=len, reverse=True))))
