"""A tenant's names: products, competitors, companies, people and places that a grammar cannot know.

YAML, every key optional::

    products: [云帆CRM, {name: 智能录音工牌, aliases: [录音工牌, 工牌]}]
    competitors: [金谷云]
    companies: []
    people: []
    places: []
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from huaxiang.core.errors import InvalidRules

_SECTIONS = {
    "products": "product", "competitors": "competitor", "companies": "company", "people": "person",
    "places": "place",
}  # fmt: skip
_KEYS = {"name", "aliases"}


@dataclass(frozen=True, slots=True)
class Name:
    """One name of a lexicon: its entity type and the forms it is said in."""

    type: str
    name: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The names of one tenant."""

    names: tuple[Name, ...] = ()

    @classmethod
    def load(cls, path: Path) -> Lexicon:
        """Read a lexicon file. Raises InvalidRules with the file and what is wrong in it."""
        try:
            document = yaml.safe_load(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise InvalidRules(f"{path}: cannot be read ({error.strerror})") from error
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise InvalidRules(f"{path}: is not YAML in UTF-8 ({type(error).__name__})") from error
        if document is None:
            return cls()
        if not isinstance(document, dict) or not set(document) <= set(_SECTIONS):
            raise InvalidRules(f"{path}: has to map {', '.join(_SECTIONS)} to lists of names")
        return cls(
            tuple(
                _name(path, _SECTIONS[section], entry)
                for section, entries in document.items()
                for entry in _list(path, section, entries)
            )
        )

    def compiled(self) -> CompiledLexicon:
        """Return the lexicon in the form that finds its names in text."""
        return CompiledLexicon(self)


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
        self._forms = {form.casefold(): name for name in lexicon.names for form in (name.name, *name.aliases)}
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


def _list(path: Path, section: str, entries: Any) -> list[Any]:
    if entries is None:
        return []
    if not isinstance(entries, list):
        raise InvalidRules(f"{path}: `{section}` has to be a list")
    return entries


def _name(path: Path, kind: str, entry: Any) -> Name:
    if isinstance(entry, str) and entry.strip():
        return Name(kind, entry.strip())
    if isinstance(entry, dict) and set(entry) <= _KEYS and isinstance(entry.get("name"), str):
        aliases = entry.get("aliases") or []
        if isinstance(aliases, list) and all(isinstance(alias, str) and alias for alias in aliases):
            return Name(kind, entry["name"], tuple(aliases))
    raise InvalidRules(f"{path}: a name is a text, or a mapping with `name` and a list `aliases`")
