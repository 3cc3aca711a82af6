"""The table of the full text; each database has an index over it of its own kind (revision 0007)."""

from __future__ import annotations

from sqlalchemy import BigInteger, Connection, ForeignKey, Integer, Table, Text, event
from sqlalchemy.orm import Mapped, mapped_column

from huaxiang.core.database import Base, string_enum
from huaxiang.core.types import Role

SQLITE_INDEX = (
    "CREATE VIRTUAL TABLE search_text USING fts5("
    "tokens, content='search_turns', content_rowid='id', tokenize='unicode61 remove_diacritics 0')",
    "CREATE TRIGGER search_turns_added AFTER INSERT ON search_turns BEGIN"
    " INSERT INTO search_text(rowid, tokens) VALUES (new.id, new.tokens); END",
    "CREATE TRIGGER search_turns_removed AFTER DELETE ON search_turns BEGIN"
    " INSERT INTO search_text(search_text, rowid, tokens) VALUES ('delete', old.id, old.tokens); END",
)
"""FTS5 without a copy of the text; rows are only ever added and removed, so there is no third trigger."""
POSTGRESQL_INDEX = (
    "CREATE INDEX ix_search_turns_text ON search_turns USING gin (to_tsvector('simple', tokens))",
)


class SearchTurnRow(Base):
    """One turn as it is searched: its present text, and that text's tokens apart by spaces."""

    __tablename__ = "search_turns"

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    recording_id: Mapped[str] = mapped_column(ForeignKey("recordings.id", ondelete="CASCADE"), index=True)
    turn_index: Mapped[int]
    role: Mapped[Role] = mapped_column(string_enum(Role, "role"))
    start_ms: Mapped[int]
    end_ms: Mapped[int]
    text: Mapped[str] = mapped_column(Text)
    tokens: Mapped[str] = mapped_column(Text)


@event.listens_for(Base.metadata.tables[SearchTurnRow.__tablename__], "after_create")
def _index_with_table(_table: Table, connection: Connection, **_options: object) -> None:
    """Have the index made with the table where a test makes all tables from the metadata."""
    for statement in SQLITE_INDEX if connection.dialect.name == "sqlite" else POSTGRESQL_INDEX:
        connection.exec_driver_sql(statement)
