"""Published rules and scorecards; several scorecards a recording, with sections and grades.

Revision: 0003, after: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_EMPTY = sa.text("''")
_SCORECARD_COLUMNS = (
    ("position", sa.Integer(), sa.text("0")),
    ("is_current", sa.Boolean(), sa.text("true")),
    ("title", sa.String(length=200), _EMPTY),
    ("title_en", sa.String(length=200), _EMPTY),
    ("sections", sa.JSON(), None),
    ("grade_id", sa.String(length=64), _EMPTY),
    ("grade", sa.String(length=200), _EMPTY),
    ("grade_en", sa.String(length=200), _EMPTY),
)
_ITEM_COLUMNS = (
    ("title_en", sa.String(length=200), _EMPTY),
    ("section", sa.String(length=64), _EMPTY),
    ("reason_code", sa.String(length=64), _EMPTY),
    ("reason_detail", sa.String(length=200), _EMPTY),
    ("suggest_only", sa.Boolean(), sa.text("false")),
)
_ADDED = (("scorecards", _SCORECARD_COLUMNS), ("scorecard_items", _ITEM_COLUMNS))


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "rule_versions",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "scorecard", "ruleset", name="kind", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("pins", sa.JSON(), nullable=False),
        sa.Column("note", sa.String(length=2000), nullable=False),
        sa.Column("published_by", sa.String(length=200), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_shipped", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", "version", name=op.f("pk_rule_versions")),
    )
    op.create_index("ix_rule_versions_published_at", "rule_versions", ["published_at"])
    op.create_table(
        "rule_retirements",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("rule_id", sa.String(length=64), nullable=False),
        sa.Column("note", sa.String(length=2000), nullable=False),
        sa.Column("retired_by", sa.String(length=200), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_retirements")),
    )
    op.create_index("ix_rule_retirements_rule_id_retired_at", "rule_retirements", ["rule_id", "retired_at"])
    for table, columns in _ADDED:
        for name, kind, default in columns:
            op.add_column(table, sa.Column(name, kind, nullable=default is None, server_default=default))


def downgrade() -> None:
    """Take back."""
    for table, columns in _ADDED:
        for name, _, _ in columns:
            op.drop_column(table, name)
    op.drop_table("rule_retirements")
    op.drop_table("rule_versions")
