"""Sellers, teams and coaching.

Revision: 0006, after: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# What people did is only ever added to: the database refuses to change a row of these.
APPEND_ONLY = ("seller_changes", "library_entries", "library_events", "practices", "practice_events")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "practices",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("seller_key", sa.String(length=200), nullable=False),
        sa.Column("topic", sa.String(length=100), nullable=False),
        sa.Column("baseline", sa.JSON(), nullable=False),
        sa.Column("follow_up_on", sa.Date(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_by", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_practices")),
    )
    with op.batch_alter_table("practices", schema=None) as batch_op:
        batch_op.create_index("ix_practices_seller_key_opened_at", ["seller_key", "opened_at"], unique=False)

    op.create_table(
        "sellers",
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("team", sa.String(length=100), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("user_name", sa.String(length=100), nullable=True),
        sa.Column("library_consent", sa.Boolean(), nullable=False),
        sa.Column("library_consent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_sellers")),
        sa.UniqueConstraint("user_name", name=op.f("uq_sellers_user_name")),
    )
    with op.batch_alter_table("sellers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sellers_team"), ["team"], unique=False)

    op.create_table(
        "library_entries",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("recording_id", sa.String(length=36), nullable=False),
        sa.Column("seller_key", sa.String(length=200), nullable=False),
        sa.Column("topic", sa.String(length=100), nullable=False),
        sa.Column("answer", sa.String(length=32), nullable=True),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("json_array_length(evidence) > 0", name=op.f("ck_library_entries_has_evidence")),
        sa.ForeignKeyConstraint(
            ["recording_id"],
            ["recordings.id"],
            name=op.f("fk_library_entries_recording_id_recordings"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["seller_key"], ["sellers.key"], name=op.f("fk_library_entries_seller_key_sellers")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_library_entries")),
        sa.UniqueConstraint(
            "recording_id", "topic", "turn", name=op.f("uq_library_entries_recording_id_topic_turn")
        ),
    )
    with op.batch_alter_table("library_entries", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_library_entries_seller_key"), ["seller_key"], unique=False)

    op.create_table(
        "practice_events",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("practice_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("note", sa.String(length=1000), nullable=False),
        sa.Column("figures", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_by", sa.String(length=200), nullable=False),
        sa.CheckConstraint(
            "kind IN ('assigned', 'acknowledged', 'followed_up', 'closed')",
            name=op.f("ck_practice_events_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["practice_id"],
            ["practices.id"],
            name=op.f("fk_practice_events_practice_id_practices"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_practice_events")),
    )
    with op.batch_alter_table("practice_events", schema=None) as batch_op:
        batch_op.create_index("ix_practice_events_practice_id_id", ["practice_id", "id"], unique=False)

    op.create_table(
        "seller_changes",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("seller_key", sa.String(length=200), nullable=False),
        sa.Column("field", sa.String(length=32), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["seller_key"],
            ["sellers.key"],
            name=op.f("fk_seller_changes_seller_key_sellers"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seller_changes")),
    )
    with op.batch_alter_table("seller_changes", schema=None) as batch_op:
        batch_op.create_index(
            "ix_seller_changes_seller_key_changed_at", ["seller_key", "changed_at"], unique=False
        )

    op.create_table(
        "library_events",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("entry_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=True),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_by", sa.String(length=200), nullable=False),
        sa.CheckConstraint(
            "kind = 'withdrawn' OR title IS NOT NULL", name=op.f("ck_library_events_has_title")
        ),
        sa.CheckConstraint("kind IN ('adopted', 'edited', 'withdrawn')", name=op.f("ck_library_events_kind")),
        sa.ForeignKeyConstraint(
            ["entry_id"],
            ["library_entries.id"],
            name=op.f("fk_library_events_entry_id_library_entries"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_library_events")),
    )
    with op.batch_alter_table("library_events", schema=None) as batch_op:
        batch_op.create_index("ix_library_events_entry_id_id", ["entry_id", "id"], unique=False)

    postgresql = op.get_bind().dialect.name == "postgresql"
    for table in APPEND_ONLY:
        refuse = (
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"  # made by revision 0005
            if postgresql
            else f"BEGIN SELECT RAISE(ABORT, 'rows of {table} are only ever added'); END"
        )
        op.execute(f"CREATE TRIGGER {table}_append_only BEFORE UPDATE ON {table} {refuse}")


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("library_events", schema=None) as batch_op:
        batch_op.drop_index("ix_library_events_entry_id_id")

    op.drop_table("library_events")
    with op.batch_alter_table("seller_changes", schema=None) as batch_op:
        batch_op.drop_index("ix_seller_changes_seller_key_changed_at")

    op.drop_table("seller_changes")
    with op.batch_alter_table("practice_events", schema=None) as batch_op:
        batch_op.drop_index("ix_practice_events_practice_id_id")

    op.drop_table("practice_events")
    with op.batch_alter_table("library_entries", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_library_entries_seller_key"))

    op.drop_table("library_entries")
    with op.batch_alter_table("sellers", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sellers_team"))

    op.drop_table("sellers")
    with op.batch_alter_table("practices", schema=None) as batch_op:
        batch_op.drop_index("ix_practices_seller_key_opened_at")

    op.drop_table("practices")
