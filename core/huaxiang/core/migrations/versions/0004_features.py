"""Stored features of conversations, tried scorecards, and what the rule lab found.

Revision: 0004, after: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "rule_comparisons",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("definition", sa.String(length=200), nullable=False),
        sa.Column("against", sa.String(length=200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("done_share", sa.Double(), nullable=False),
        sa.Column("error", sa.String(length=500), nullable=True),
        sa.Column("result", sa.JSON(), nullable=True),
        sa.CheckConstraint("state IN ('running', 'done', 'failed')", name=op.f("ck_rule_comparisons_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_comparisons")),
    )
    with op.batch_alter_table("rule_comparisons", schema=None) as batch_op:
        batch_op.create_index("ix_rule_comparisons_created_at", ["created_at"], unique=False)

    op.create_table(
        "rule_floors",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("scorecard", sa.String(length=64), nullable=False),
        sa.Column("item_id", sa.String(length=64), nullable=False),
        sa.Column("floor", sa.Double(), nullable=False),
        sa.Column("set_by", sa.String(length=200), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("floor >= 0 AND floor <= 1", name=op.f("ck_rule_floors_floor")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_floors")),
    )
    with op.batch_alter_table("rule_floors", schema=None) as batch_op:
        batch_op.create_index(
            "ix_rule_floors_scorecard_item_id_set_at", ["scorecard", "item_id", "set_at"], unique=False
        )

    op.create_table(
        "rule_lab",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("definition", sa.String(length=200), nullable=False),
        sa.Column("item_id", sa.String(length=64), nullable=False),
        sa.Column("computed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("suggests", sa.Boolean(), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_lab")),
    )
    with op.batch_alter_table("rule_lab", schema=None) as batch_op:
        batch_op.create_index(
            "ix_rule_lab_definition_item_id_computed_at",
            ["definition", "item_id", "computed_at"],
            unique=False,
        )

    op.create_table(
        "features",
        sa.Column("recording_id", sa.String(length=36), nullable=False),
        sa.Column("encoding", sa.Integer(), nullable=False),
        sa.Column("seller", sa.String(length=200), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        # Before the payload: SQLite would read all of a long row to come to what stands behind.
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["recording_id"],
            ["insights.recording_id"],
            name=op.f("fk_features_recording_id_insights"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("recording_id", name=op.f("pk_features")),
    )
    with op.batch_alter_table("features", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_features_seller"), ["seller"], unique=False)
        batch_op.create_index(
            "ix_features_started_at_recording_id", ["started_at", "recording_id"], unique=False
        )

    op.create_table(
        "rule_comparison_changes",
        sa.Column("comparison_id", sa.String(length=36), nullable=False),
        sa.Column("recording_id", sa.String(length=36), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("seller", sa.String(length=200), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("before", sa.JSON(), nullable=True),
        sa.Column("after", sa.JSON(), nullable=True),
        sa.Column("items", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["comparison_id"],
            ["rule_comparisons.id"],
            name=op.f("fk_rule_comparison_changes_comparison_id_rule_comparisons"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["recording_id"],
            ["insights.recording_id"],
            name=op.f("fk_rule_comparison_changes_recording_id_insights"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("comparison_id", "recording_id", name=op.f("pk_rule_comparison_changes")),
    )
    op.create_table(
        "turn_vectors",
        sa.Column("recording_id", sa.String(length=36), nullable=False),
        sa.Column("encoder", sa.String(length=200), nullable=False),
        sa.Column("dimension", sa.Integer(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["recording_id"],
            ["features.recording_id"],
            name=op.f("fk_turn_vectors_recording_id_features"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("recording_id", name=op.f("pk_turn_vectors")),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("turn_vectors")
    op.drop_table("rule_comparison_changes")
    with op.batch_alter_table("features", schema=None) as batch_op:
        batch_op.drop_index("ix_features_started_at_recording_id")
        batch_op.drop_index(batch_op.f("ix_features_seller"))

    op.drop_table("features")
    with op.batch_alter_table("rule_lab", schema=None) as batch_op:
        batch_op.drop_index("ix_rule_lab_definition_item_id_computed_at")

    op.drop_table("rule_lab")
    with op.batch_alter_table("rule_floors", schema=None) as batch_op:
        batch_op.drop_index("ix_rule_floors_scorecard_item_id_set_at")

    op.drop_table("rule_floors")
    with op.batch_alter_table("rule_comparisons", schema=None) as batch_op:
        batch_op.drop_index("ix_rule_comparisons_created_at")

    op.drop_table("rule_comparisons")
