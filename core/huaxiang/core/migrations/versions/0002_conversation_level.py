"""Findings of the conversation as a whole: courses of objections, stages, who decides and more.

Revision: 0002, after: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BEFORE = ("intent", "objection", "sentiment", "act", "entity", "need", "next_step", "product", "competitor")
ADDED = ("objection_course", "stage", "key_moment", "decision_maker", "person", "budget", "summary")


def upgrade() -> None:
    """Apply."""
    _allow((*BEFORE, *ADDED))


def downgrade() -> None:
    """Take back. Findings of the kinds that were added are removed."""
    findings = sa.table("findings", sa.column("kind", sa.String))
    op.execute(sa.delete(findings).where(findings.c.kind.in_(ADDED)))
    _allow(BEFORE)


def _allow(kinds: tuple[str, ...]) -> None:
    allowed = ", ".join(f"'{kind}'" for kind in kinds)
    with op.batch_alter_table("findings", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_findings_kind"), type_="check")
        batch_op.create_check_constraint(op.f("ck_findings_kind"), f"kind IN ({allowed})")
