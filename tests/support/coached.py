"""A store in which sellers have teams and the CRM says how each customer's case went."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from history import add_history
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.core.database import transaction
from huaxiang.core.types import Json
from huaxiang.profile.coaching.sellers import SellerStore, SellerValues
from huaxiang.profile.crm import put_customer
from huaxiang.quality.history.invented import SELLERS, InventedConversation

WEEKS = 8
CONSENTING = ("he.yun", "gu.lan", "tang.wei", "qin.mu")


def add_coached_history(
    sessions: sessionmaker[Session], count: int = 60, *, seed: int = 1, weeks: int = WEEKS
) -> list[InventedConversation]:
    """Store conversations of the last weeks with their sellers, customers and outcomes, and return them."""
    monday = datetime.now(UTC).replace(hour=1, minute=0, second=0, microsecond=0)
    first_day = monday - timedelta(days=monday.weekday() + 7 * (weeks - 1))
    conversations = add_history(sessions, count, seed=seed, weeks=weeks, first_day=first_day, merged=True)
    with transaction(sessions) as session:
        add_sellers(session)
        tell_outcomes(session, conversations)
    return conversations


def add_sellers(session: Session, consenting: Iterable[str] = CONSENTING) -> None:
    """Register the invented sellers with their teams; some consent to the library."""
    agreed = frozenset(consenting)
    for seller in SELLERS:
        values = SellerValues(name=seller.name, team=seller.team, library_consent=seller.key in agreed)
        SellerStore().add(session, seller.key, values, by="test")


def tell_outcomes(session: Session, conversations: Iterable[InventedConversation]) -> None:
    """Let the CRM say how each customer's last conversation ended."""
    last = {str(c.recording.metadata.customer_ref): c for c in conversations}
    for reference, conversation in last.items():
        held_at = conversation.recording.metadata.started_at
        assert held_at is not None
        day = (held_at + timedelta(days=2)).date().isoformat()
        fields: dict[str, Json] = {"name": "示例客户", "deal_status": conversation.outcome}
        if conversation.outcome == "won":
            fields |= {"first_purchase_at": day, "last_purchase_at": day, "deal_closed_at": day}
        elif conversation.outcome == "lost":
            fields["deal_closed_at"] = day
        put_customer(session, reference, {"fields": fields})
