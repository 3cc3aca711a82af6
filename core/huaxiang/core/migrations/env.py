"""Alembic's entry: runs revisions on the connection that it is handed, and on no other."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy.sql.schema import SchemaItem

from huaxiang.core.database import UtcDateTime


def include_object(
    item: SchemaItem, name: str | None, kind: str, reflected: bool, compare_to: SchemaItem | None
) -> bool:
    """Leave out what the database has and the metadata never names: tables of DBOS, indexes of full text.

    Dropping a table or an index is therefore written by hand.
    """
    return not (kind in ("table", "index") and reflected and compare_to is None)


def render_item(kind: str, item: Any, autogenerate: AutogenContext) -> str | Literal[False]:
    """Write our column types as SQLAlchemy's own, so that an old revision never breaks."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=context.config.attributes["metadata"],
    render_as_batch=True,
    include_object=include_object,
    render_item=render_item,
    compare_type=True,
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()
