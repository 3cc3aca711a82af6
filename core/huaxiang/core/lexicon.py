"""A tenant's names: products, competitors, companies, people and places that no model can know.

Recognition listens for them and the language stage finds them, from one file. YAML, every key optional::

    products: [云帆CRM, {name: 智能录音工牌, aliases: [录音工牌, 工牌]}]
    competitors: [金谷云]
    companies: []
    people: []
    places: []

or CSV with the columns ``type,name,aliases``, several aliases separated by ``|`` or ``、``; ``type`` is
one of product, competitor, company, person, place.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml
from yaml import MappingNode, Node, ScalarNode, SequenceNode

from huaxiang.core.errors import InvalidRules

_SECTIONS = {
    "products": "product", "competitors": "competitor", "companies": "company", "people": "person",
    "places": "place",
}  # fmt: skip
_TYPES = frozenset(_SECTIONS.values())
_COLUMNS = ("type", "name", "aliases")
_KEYS = {"name", "aliases"}
_LONGEST = 40
_MOST_BYTES = 4 * 1024**2
_SAYABLE = re.compile(r"[\w\u3400-\u9fff]", re.UNICODE)


@dataclass(frozen=True, slots=True)
class Name:
    """One name of a lexicon: its entity type and the forms it is said in."""

    type: str
    name: str
    aliases: tuple[str, ...] = ()

    @property
    def forms(self) -> tuple[str, ...]:
        """The name and its aliases."""
        return (self.name, *self.aliases)


@dataclass(frozen=True, slots=True, order=True)
class LexiconMistake:
    """What is wrong in a lexicon file, and in which line (from 1)."""

    line: int
    message: str


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The names of one tenant."""

    names: tuple[Name, ...] = ()

    @classmethod
    def load(cls, path: Path) -> Lexicon:
        """Read a lexicon file. Raises InvalidRules with the file's name and the line of the first mistake.

        Callers of the API read that error too, so it holds neither the names nor where the file is.
        """
        lexicon, mistakes = read_lexicon(path)
        if mistakes:
            raise InvalidRules(
                f"{path.name}:{mistakes[0].line}: the lexicon has mistakes ({len(mistakes)}): "
                "`huaxiang lexicon check` tells them"
            )
        return lexicon

    @property
    def forms(self) -> tuple[str, ...]:
        """Every form of every name, in the order of the file."""
        return tuple(form for name in self.names for form in name.forms)


def read_lexicon(path: Path) -> tuple[Lexicon, list[LexiconMistake]]:
    """Return the good names of a lexicon file (CSV by its suffix, else YAML) and all its mistakes.

    Raises InvalidRules only for a file that cannot be read as UTF-8 text of at most 4 MiB.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InvalidRules(f"{path.name} is larger than {_MOST_BYTES // 1024**2} MiB")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InvalidRules(f"{path.name} cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise InvalidRules(f"{path.name} is not text in UTF-8") from error
    reader = _Reader()
    found = reader.csv(text) if path.suffix.lower() == ".csv" else reader.yaml(text)
    names = tuple(name for line, name in found if reader.is_new(line, name))
    return Lexicon(names), sorted(reader.mistakes)


class _Reader:
    """Collects names and mistakes."""

    def __init__(self) -> None:
        self.mistakes: list[LexiconMistake] = []
        self._said: dict[str, tuple[int, Name]] = {}

    def wrong(self, line: int, message: str) -> None:
        self.mistakes.append(LexiconMistake(line, message))

    def is_new(self, line: int, name: Name) -> bool:
        """Note each form that an earlier name has; a name with one of them is left out."""
        new = True
        for form in name.forms:
            earlier, owner = self._said.setdefault(form.casefold(), (line, name))
            if owner is not name or name.forms.count(form) > 1:
                self.wrong(line, f"{form!r} stands in line {earlier} already")
                new = False
        return new

    def csv(self, text: str) -> Iterator[tuple[int, Name]]:
        rows = csv.DictReader(io.StringIO(text), strict=True)
        try:
            header = tuple(column.strip() for column in rows.fieldnames or ())
            if not set(header) <= set(_COLUMNS) or not {"type", "name"} <= set(header):
                self.wrong(1, f"the columns have to be {','.join(_COLUMNS)}")
                return
            rows.fieldnames = header
            for row in rows:
                yield from self._row(rows.line_num, row)
        except csv.Error as error:
            self.wrong(rows.line_num, f"this is not CSV: {error}")

    def _row(self, line: int, row: dict[str | None, str | list[str] | None]) -> Iterator[tuple[int, Name]]:
        if None in row:
            self.wrong(line, f"more than {len(_COLUMNS)} columns: separate aliases by | or 、")
            return
        kind, name, aliases = (str(row.get(column) or "").strip() for column in _COLUMNS)
        if kind not in _TYPES:
            self.wrong(line, f"`type` has to be one of {', '.join(sorted(_TYPES))}")
            return
        forms = [alias.strip() for alias in re.split(r"[|、]", aliases) if alias.strip()]
        if self._all_sayable(line, (name, *forms)):
            yield line, Name(kind, name, tuple(forms))

    def yaml(self, text: str) -> Iterator[tuple[int, Name]]:
        try:
            root = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            self.wrong(mark.line + 1 if mark else 1, f"this is not YAML: {error.problem or error.context}")
            return
        except (yaml.YAMLError, RecursionError) as error:
            self.wrong(1, f"this is not YAML ({type(error).__name__})")
            return
        if root is None:
            return
        if not isinstance(root, MappingNode):
            self.wrong(_line(root), f"has to map {', '.join(_SECTIONS)} to lists of names")
            return
        for key, entries in root.value:
            yield from self._section(key, entries)

    def _section(self, key: Node, entries: Node) -> Iterator[tuple[int, Name]]:
        kind = _SECTIONS.get(key.value) if isinstance(key, ScalarNode) else None
        if kind is None:
            self.wrong(_line(key), f"unknown key: it has to be one of {', '.join(_SECTIONS)}")
        elif isinstance(entries, SequenceNode):
            for entry in entries.value:
                forms = self._forms(entry)
                if forms and self._all_sayable(_line(entry), forms):
                    yield _line(entry), Name(kind, forms[0], tuple(forms[1:]))
        elif not _is_null(entries):
            self.wrong(_line(entries), f"`{key.value}` has to be a list")

    def _forms(self, entry: Node) -> list[str]:
        """Return the name and the aliases of an entry; nothing where it has another shape."""
        if (text := _text(entry)) is not None:
            return [text]
        if isinstance(entry, MappingNode):
            parts = {key.value: value for key, value in entry.value if isinstance(key, ScalarNode)}
            name, aliases = _text(parts.get("name")), parts.get("aliases")
            listed = aliases.value if isinstance(aliases, SequenceNode) else []
            others = [_text(alias) for alias in listed]
            fits = aliases is None or _is_null(aliases) or isinstance(aliases, SequenceNode)
            if set(parts) <= _KEYS and name is not None and fits and None not in others:
                return [name, *(other for other in others if other is not None)]
        self.wrong(
            _line(entry),
            "a name is a text (a number in quotes), or a mapping with `name` and a list `aliases`",
        )
        return []

    def _all_sayable(self, line: int, forms: Iterable[str]) -> bool:
        """Note what is wrong with each form, not with the first alone."""
        fits = [self._sayable(line, form) for form in forms]
        return all(fits)

    def _sayable(self, line: int, form: str) -> bool:
        if not _SAYABLE.search(form):
            self.wrong(line, "a name needs a letter, a digit or a character")
        elif len(form) > _LONGEST:
            self.wrong(line, f"a name has at most {_LONGEST} characters")
        elif re.search(r"[\n\t，。？！；]", form):
            self.wrong(line, "a name holds no punctuation: write each into an entry of its own")
        else:
            return True
        return False


def _line(node: Node) -> int:
    line: int = node.start_mark.line
    return line + 1


def _is_null(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.tag == "tag:yaml.org,2002:null"


def _text(node: Node | None) -> str | None:
    """Return the text of a node that is one; a number, a date or a truth value is none without quotes."""
    if not isinstance(node, ScalarNode) or not node.tag.endswith(":str"):
        return None
    value: str = node.value
    return value.strip()
