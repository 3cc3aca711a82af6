"""The port of the full text, and its two implementations: FTS5 of SQLite, ``tsvector`` of PostgreSQL."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Protocol

from sqlalchemy import (
    ColumnElement,
    Select,
    bindparam,
    column,
    delete,
    func,
    insert,
    literal,
    literal_column,
    or_,
    select,
    table,
)
from sqlalchemy.orm import Session

from huaxiang.api.search.tables import SearchTurnRow
from huaxiang.api.search.terms import Term, tokens_of
from huaxiang.core.types import Role, Transcript

HITS_OF_ONE = 3


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for: every term, each anywhere in the conversation, said by ``role`` if given."""

    terms: tuple[Term, ...]
    role: Role | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """A turn in which a term was said."""

    recording_id: str
    turn: int
    role: Role
    start_ms: int
    end_ms: int
    text: str


class SearchIndex(Protocol):
    """Where turns are put to be found. Writes flush, and never commit."""

    def put(self, session: Session, transcript: Transcript) -> None:
        """Make a conversation findable by its present text, in place of what it was found by before."""

    def matching(self, search: Search) -> Sequence[Select[Any]]:
        """Return for each term a query of the ids of the recordings in which it was said."""

    def hits(
        self, session: Session, search: Search, recording_ids: Collection[str]
    ) -> Mapping[str, Sequence[Hit]]:
        """Return the first turns of some recordings that hold a term, in one query."""


class _SqlIndex(ABC):
    """What both databases do alike."""

    def put(self, session: Session, transcript: Transcript) -> None:
        """See ``SearchIndex``."""
        session.execute(delete(SearchTurnRow).where(SearchTurnRow.recording_id == transcript.recording_id))
        rows = [
            {
                "recording_id": transcript.recording_id,
                "turn_index": turn.index,
                "role": turn.role,
                "start_ms": turn.start_ms,
                "end_ms": turn.end_ms,
                "text": turn.text,
                "tokens": " ".join(tokens_of(turn.text)),
            }
            for turn in transcript.turns
        ]
        if rows:
            session.execute(insert(SearchTurnRow), rows)

    def matching(self, search: Search) -> Sequence[Select[Any]]:
        """See ``SearchIndex``."""
        return [
            select(SearchTurnRow.recording_id).where(self._holds(term), *_said_by(search.role))
            for term in search.terms
        ]

    def hits(
        self, session: Session, search: Search, recording_ids: Collection[str]
    ) -> Mapping[str, Sequence[Hit]]:
        """See ``SearchIndex``."""
        if not search.terms or not recording_ids:
            return {}
        place = (
            func.row_number()
            .over(partition_by=SearchTurnRow.recording_id, order_by=SearchTurnRow.turn_index)
            .label("place")
        )
        found = (
            select(SearchTurnRow, place)
            .where(
                SearchTurnRow.recording_id.in_(recording_ids),
                or_(*map(self._holds, search.terms)),
                *_said_by(search.role),
            )
            .subquery()
        )
        rows = session.execute(
            select(found).where(found.c.place <= HITS_OF_ONE).order_by(found.c.recording_id, found.c.place)
        )
        hits = [
            Hit(row.recording_id, row.turn_index, row.role, row.start_ms, row.end_ms, row.text)
            for row in rows
        ]
        return {key: list(group) for key, group in groupby(hits, key=lambda hit: hit.recording_id)}

    @abstractmethod
    def _holds(self, term: Term) -> ColumnElement[bool]:
        """Return whether a row holds a term."""


class SqliteSearch(_SqlIndex):
    """Full text by FTS5."""

    def _holds(self, term: Term) -> ColumnElement[bool]:
        # Tokens are letters and digits only, so nothing in them means anything to FTS5.
        phrase = '"' + " ".join(term.tokens) + '"' + (" *" if term.open_end else "")
        found: Select[Any] = (
            select(column("rowid"))
            .select_from(table("search_text"))
            .where(literal_column("search_text").op("MATCH")(bindparam(None, phrase)))
        )
        return SearchTurnRow.id.in_(found)


class PostgresSearch(_SqlIndex):
    """Full text by ``tsvector``: positions and phrases, no dictionary."""

    def _holds(self, term: Term) -> ColumnElement[bool]:
        phrase = " <-> ".join(f"'{token}'" for token in term.tokens) + (":*" if term.open_end else "")
        vector = func.to_tsvector(literal_column("'simple'"), SearchTurnRow.tokens)
        return vector.op("@@")(func.to_tsquery(literal_column("'simple'"), literal(phrase)))


def search_index(dialect: str) -> SearchIndex:
    """Return the index of a database by the name of its dialect."""
    return SqliteSearch() if dialect == "sqlite" else PostgresSearch()


def _said_by(role: Role | None) -> list[ColumnElement[bool]]:
    return [] if role is None else [SearchTurnRow.role == role]
