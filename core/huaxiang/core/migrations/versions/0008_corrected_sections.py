"""Sections and grade of the corrected form.

Revision: 0008, after: 0007

Rows of before tell none; a call's next correction or processing writes a row that does. The columns are
added in place: a table that SQLite makes anew would lose the trigger that keeps its rows.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_TABLE = "corrected_scores"


def upgrade() -> None:
    """Apply."""
    op.add_column(_TABLE, sa.Column("sections", sa.JSON(), nullable=True))
    op.add_column(_TABLE, sa.Column("grade_id", sa.String(length=64), nullable=True))
    op.add_column(_TABLE, sa.Column("grade", sa.String(length=200), nullable=True))
    op.add_column(_TABLE, sa.Column("grade_en", sa.String(length=200), nullable=True))


def downgrade() -> None:
    """Take back."""
    for name in ("grade_en", "grade", "grade_id", "sections"):
        op.drop_column(_TABLE, name)
