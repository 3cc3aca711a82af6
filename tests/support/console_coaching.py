"""What the pages of coaching show: a seller who is advised and practises, an adopted answer, a cell."""

from __future__ import annotations

from collections.abc import Sequence

from api_world import World

from huaxiang.core.database import now, transaction
from huaxiang.profile.coaching.library import passage_of
from huaxiang.profile.coaching.practices import Step
from huaxiang.quality.history.invented import InventedConversation

DAYS = 28


def add_coaching(world: World, _: Sequence[InventedConversation]) -> dict[str, str]:
    """Adopt an answer and assign a practice; give the places ``advised``, ``objection`` and ``answer``."""
    coaching, moment = world.services.coaching, now()
    with transaction(world.services.sessions) as session:
        found, _courses = coaching.answers.objections(session, moment)
        consenting = [one for one in coaching.answers.candidates(session, moment) if one.consents]
        for one, title in zip(consenting, ("先认同再算账", "用同行的例子回答"), strict=False):
            coaching.records.library.adopt(session, passage_of(one.course), title, ["示范"], by="mei")
        views = [
            coaching.desk.seller(session, key.key, moment, DAYS)
            for key in coaching.records.all_sellers(session)
        ]
        view = max(views, key=lambda one: len(one.advice))
        topic = view.advice[-1].suggestion.topic
        coaching.desk.take_up(
            session, view.seller.key, topic, Step.ASSIGNED, "先听三段录音", by="mei", as_of=moment
        )
    cell = max(found.cells, key=lambda one: one.n)
    return {"advised": view.seller.key, "objection": cell.objection, "answer": cell.answer}
