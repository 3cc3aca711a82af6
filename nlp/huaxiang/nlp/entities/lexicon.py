"""Finds a tenant's names (``huaxiang.core.lexicon``) in text."""

from __future__ import annotations

import re
from dataclasses import dataclass

from huaxiang.core.lexicon import Lexicon


@dataclass(frozen=True, slots=True)
class LexiconHit:
    """A known name at ``text[start:end]``."""

    start: int
    end: int
    type: str
    name: str


class CompiledLexicon:
    """Finds the names of a lexicon in text, longest first, Latin letters in either case."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._forms = {form.casefold(): name for name in lexicon.names for form in name.forms}
        ordered = sorted(self._forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, ordered)), re.IGNORECASE) if ordered else None

    def find(self, text: str) -> list[LexiconHit]:
        """Return the known names of ``text`` from left to right."""
        if self._pattern is None:
            return []
        return [
            LexiconHit(*match.span(), name.type, name.name)
            for match in self._pattern.finditer(text)
            for name in (self._forms[match.group().casefold()],)
        ]
