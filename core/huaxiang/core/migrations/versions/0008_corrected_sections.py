"""Sections and grade of the corrected form.

Revision: 0008, after: 0007

Rows of before tell none; a call's next correction or processing writes a row that does.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("corrected_scores") as table:
        table.add_column(sa.Column("sections", sa.JSON(), nullable=False, server_default="[]"))
        table.add_column(sa.Column("grade_id", sa.String(length=64), nullable=False, server_default=""))
        table.add_column(sa.Column("grade", sa.String(length=200), nullable=False, server_default=""))
        table.add_column(sa.Column("grade_en", sa.String(length=200), nullable=False, server_default=""))
    # The defaults were for the rows that there are.
    with op.batch_alter_table("corrected_scores") as table:
        for name in ("sections", "grade_id", "grade", "grade_en"):
            table.alter_column(name, server_default=None)


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("corrected_scores") as table:
        for name in ("grade_en", "grade", "grade_id", "sections"):
            table.drop_column(name)
