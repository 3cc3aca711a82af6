"""Finds names of people, companies, products, competitors and places.

Port ``NameFinder`` with a real implementation, a linear-chain conditional random field (Lafferty et
al. 2001, by CRFsuite) over the features of ``name_features``, and a scripted one for tests. What a
sequence model misses it often finds a turn later: a name found once is recognised in the rest of
the conversation, companies also by their first syllables (平野财险 → 平野).
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, Protocol

from huaxiang.core.errors import ModelCorrupt, ModelMissing
from huaxiang.core.types import Role
from huaxiang.nlp.entities.name_features import features
from huaxiang.nlp.entities.words import Words
from huaxiang.nlp.spoken_form import SpokenForm, spoken_form

NAME_TYPES = ("person", "company", "product", "competitor", "place")
_SHORT_FORM_LENGTHS = (2, 3)
_LEAST_LENGTH_TO_SHORTEN = 4
_ORDINARY_SHORT_FORM = 100  # 知己 is a word that people say, 平野 hardly one


@dataclass(frozen=True, slots=True)
class NamedSpan:
    """A name at ``text[start:end]`` of one turn, with the probability that it is one of this type."""

    start: int
    end: int
    type: str
    probability: float


class NameFinder(Protocol):
    """Finds names in a whole conversation."""

    @property
    def source(self) -> str:
        """``model id @ version``."""

    def find(self, texts: Sequence[str], roles: Sequence[Role]) -> list[list[NamedSpan]]:
        """Return the names of every turn."""


class ScriptedNames:
    """Finds the names it was told, wherever they stand: for tests."""

    source = "scripted-names @ 1"

    def __init__(self, names: Mapping[str, str] | None = None) -> None:
        self._names = dict(names or {})

    def find(self, texts: Sequence[str], roles: Sequence[Role]) -> list[list[NamedSpan]]:
        """Return the told names of every turn."""
        return [
            [
                NamedSpan(match.start(), match.end(), kind, 1.0)
                for name, kind in self._names.items()
                for match in re.finditer(re.escape(name), text)
            ]
            for text in texts
        ]


class CrfNames:
    """Finds names with a trained conditional random field.

    Raises ModelMissing or ModelCorrupt for a model file that is not there or no CRFsuite model.
    """

    def __init__(self, model: Path, words: Words) -> None:
        import pycrfsuite

        if not model.is_file():
            raise ModelMissing(f"the name model {model.name} is not there; reinstall the package")
        self._words = words
        # A tagger holds the turn it was given: the marginals are those of the last one.
        self._tagging = threading.Lock()
        self._tagger: Any = pycrfsuite.Tagger()
        try:
            self._tagger.open(str(model))
        except (OSError, ValueError) as error:
            raise ModelCorrupt(
                f"the name model {model.name} cannot be read; reinstall the package"
            ) from error
        self.source = f"entity-names @ {hashlib.sha256(model.read_bytes()).hexdigest()[:12]}"

    def find(self, texts: Sequence[str], roles: Sequence[Role]) -> list[list[NamedSpan]]:
        """Return the names of every turn of one conversation."""
        forms = [spoken_form(text) for text in texts]  # as the text that the model learned from
        spoken = [form.text for form in forms]
        found = [self._tag(turn) for turn in features(spoken, roles, self._words)]
        return [
            [_placed(span, form) for span in spans]
            for spans, form in zip(recognised_again(spoken, found, self._words), forms, strict=True)
        ]

    def _tag(self, turn: list[list[str]]) -> list[NamedSpan]:
        if not turn:
            return []
        with self._tagging:
            labels = self._tagger.tag(turn)
            return [
                NamedSpan(
                    start, end, kind, min(self._tagger.marginal(labels[at], at) for at in range(start, end))
                )
                for start, end, kind in spans_of(labels)
            ]


def _placed(span: NamedSpan, form: SpokenForm) -> NamedSpan:
    start, end = form.written_span(span.start, span.end)
    return replace(span, start=start, end=end)


def packaged_names(words: Words) -> CrfNames:
    """Load the model that is shipped with the package."""
    with as_file(files("huaxiang.nlp.entities").joinpath("data", "names.crfsuite")) as path:
        return CrfNames(path, words)


def spans_of(labels: Sequence[str]) -> list[tuple[int, int, str]]:
    """Return ``(start, end, type)`` of every run of ``B-type I-type …`` labels."""
    spans: list[tuple[int, int, str]] = []
    for at, label in enumerate(labels):
        prefix, _, kind = label.partition("-")
        if prefix == "O":
            continue
        if prefix == "I" and spans and spans[-1][1] == at and spans[-1][2] == kind:
            spans[-1] = (spans[-1][0], at + 1, kind)
        else:
            spans.append((at, at + 1, kind))
    return spans


def recognised_again(
    texts: Sequence[str], found: Sequence[Sequence[NamedSpan]], words: Words
) -> list[list[NamedSpan]]:
    """Add to every turn the names that were found in other turns."""
    votes: dict[str, Counter[str]] = defaultdict(Counter)
    best: dict[str, float] = {}
    for text, spans in zip(texts, found, strict=True):
        for span in spans:
            name = text[span.start : span.end]
            if len(name) > 1:
                votes[name][span.type] += 1
                best[name] = max(best.get(name, 0.0), span.probability)
    kinds = {name: count.most_common(1)[0][0] for name, count in votes.items()}
    for name, kind in list(kinds.items()):
        if kind in ("company", "competitor") and len(name) >= _LEAST_LENGTH_TO_SHORTEN:
            for short in (name[:length] for length in _SHORT_FORM_LENGTHS):
                if not words.is_ordinary(short, least_frequency=_ORDINARY_SHORT_FORM):
                    kinds.setdefault(short, kind)
                    best.setdefault(short, best[name])
    if not kinds:
        return [list(spans) for spans in found]
    pattern = re.compile("|".join(map(re.escape, sorted(kinds, key=len, reverse=True))))
    return [
        sorted(
            [*spans, *_elsewhere(text, spans, pattern, kinds, best)], key=lambda span: (span.start, span.end)
        )
        for text, spans in zip(texts, found, strict=True)
    ]


def _elsewhere(
    text: str,
    spans: Sequence[NamedSpan],
    pattern: re.Pattern[str],
    kinds: Mapping[str, str],
    best: Mapping[str, float],
) -> list[NamedSpan]:
    return [
        NamedSpan(match.start(), match.end(), kinds[match.group()], best[match.group()])
        for match in pattern.finditer(text)
        if all(match.end() <= span.start or match.start() >= span.end for span in spans)
    ]
