"""References to versions of rule files, ``id @ version``: every score, review and comparison names one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from huaxiang.core.errors import NotFound

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import InstrumentedAttribute

_BETWEEN = " @ "
_REFERENCE = re.compile(r"(.+) @ ([0-9]{1,9})", re.DOTALL)


def reference_to(identifier: str, version: int) -> str:
    """Return the reference to a version of a file."""
    return f"{identifier}{_BETWEEN}{version}"


def parts_of(reference: str) -> tuple[str, int]:
    """Return the id and the version that a reference names. Raises NotFound for what is no reference."""
    found = _REFERENCE.fullmatch(reference)
    if found is None:
        raise NotFound("there is no such version: a reference is written id @ version")
    return found[1], int(found[2])


def id_of(reference: str) -> str:
    """Return the id that a reference names; what is no reference is an id itself."""
    return reference.rsplit(_BETWEEN, 1)[0]


def refers_to(column: InstrumentedAttribute[str], identifier: str) -> ColumnElement[bool]:
    """Return the condition that a column names some version of a file."""
    return column.startswith(f"{identifier}{_BETWEEN}", autoescape=True)
