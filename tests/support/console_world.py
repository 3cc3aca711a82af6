"""A company at work for the pages: calls of eight weeks with sellers, customers, outcomes and reviews.

Everything is stored by the real stores. An area of the console that needs more adds a function to
``MORE``, which stores it and gives the places of its pages' addresses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from api_world import World, add_bare, add_call, make_world
from coached import add_coached_history
from console_coaching import add_coaching
from console_reviews import add_reviewing
from corrected_calls import corrected_places
from history import add_audio
from invented_call import CUSTOMER_REF
from reviews import LAO, MEI, review_store
from rules_places import rules_places
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.core.database import transaction
from huaxiang.core.types import RecordingStatus
from huaxiang.quality.history.invented import InventedConversation
from huaxiang.quality.review.outcomes import Actor, Judgement, Origin, Outcome
from huaxiang.quality.review.review_store import ReviewStore, StoredCase

CALLS = 96
WITH_AUDIO = 4
SELLER = "he.yun"


@dataclass(frozen=True)
class ConsoleWorld:
    """The application with what is stored in it.

    ``places`` fill the ``{names}`` in the addresses of pages: ``call`` (a recording with all there is),
    ``waiting``, ``failed``, ``customer``, ``seller``, ``team``, ``device``, and a case of review in each
    state: ``case`` (to be reviewed), ``reviewed``, ``appealed``, ``settled``.
    """

    world: World
    conversations: Sequence[InventedConversation]
    places: Mapping[str, str]

    def address(self, path: str) -> str:
        """Return a path with its places filled in."""
        return path.format(**{name: quote(place) for name, place in self.places.items()})


def make_console_world(engine: Engine, sessions: sessionmaker[Session], data_dir: Path) -> ConsoleWorld:
    """Build the application and fill its store; takes some seconds."""
    world = make_world(engine, sessions, data_dir)
    conversations = add_coached_history(sessions, CALLS)
    add_audio(world.services, conversations[:WITH_AUDIO])
    places = {"customer": CUSTOMER_REF, "seller": SELLER, "team": conversations[0].seller.team}
    for step in (_recordings, _reviews, *MORE):
        places |= step(world, conversations)
    return ConsoleWorld(world, conversations, places)


def _recordings(world: World, _: Sequence[InventedConversation]) -> dict[str, str]:
    """Store the invented call, one that is worked on, and one that cannot be used."""
    services = world.services
    failed = add_bare(services)
    with transaction(services.sessions) as session:
        services.recordings.quarantine(session, failed, "not_audio", "the file holds no audio")
    waiting = add_bare(services, status=RecordingStatus.PROCESSING)
    with transaction(services.sessions) as session:
        device, _key = services.devices.add(session, "工牌-021")
    sent = add_call(services, source=device.id)
    return {"call": sent, "waiting": waiting, "failed": failed, "device": device.id}


def _reviews(world: World, conversations: Sequence[InventedConversation]) -> dict[str, str]:
    """Store cases of review in every state; those that were appealed are of the seller who signs in."""
    own = [one for one in conversations if one.seller.key == SELLER]
    others = [one for one in conversations if one.seller.key != SELLER]
    store = review_store()
    seller = Actor(f"user:{SELLER}", SELLER)
    with transaction(world.services.sessions) as session:
        cases = [_opened(world, store, session, one) for one in (*own[:4], *others[:8])]
        settled, appealed, reviewed, *rest = (_reviewed(store, session, case) for case in cases[:8])
        for case in (settled, appealed):
            store.appeal(session, case.id, seller, "这一句我说过，请再听一遍", [_changed(case)])
        item = settled.case.item(_changed(settled))
        back = Judgement(item.automatic.id, item.automatic.outcome, "确实说过")
        store.settle(session, settled.id, LAO, [back], "申诉成立", settled.case.version + 1)
    assert len(rest) == 5
    names = {"case": cases[8], "reviewed": reviewed, "appealed": appealed, "settled": settled}
    return {name: case.id for name, case in names.items()}


def _opened(
    world: World, store: ReviewStore, session: Session, conversation: InventedConversation
) -> StoredCase:
    recording = conversation.recording
    scorecard = world.services.scorecards.latest(session, recording.id)
    return store.open(session, recording.id, scorecard, recording.metadata.seller, MEI, Origin.SAMPLED)


def _reviewed(store: ReviewStore, session: Session, case: StoredCase) -> StoredCase:
    """Hand in a review that agrees with all items but the first that counts."""
    changed = _changed(case)
    judgements = [
        Judgement(one.automatic.id, _other(one.automatic.outcome), "听过录音")
        if one.automatic.id == changed
        else Judgement(one.automatic.id, one.automatic.outcome)
        for one in case.case.items
    ]
    return store.submit(session, case.id, MEI, judgements, case.case.version)


def _changed(case: StoredCase) -> str:
    return next(one.automatic.id for one in case.case.items if one.automatic.possible > 0)


def _other(outcome: Outcome) -> Outcome:
    return Outcome.FAILED if outcome is Outcome.PASSED else Outcome.PASSED


Filler = Callable[[World, Sequence[InventedConversation]], dict[str, str]]
MORE: tuple[Filler, ...] = (
    add_reviewing,
    rules_places,
    add_coaching,
    corrected_places,
)
"""What further areas store for their pages; each gives the places that it made."""
