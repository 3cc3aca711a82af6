"""Who acts in a review, and which cases a caller sees."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from huaxiang.api.access.callers import Caller, CallerKind
from huaxiang.api.reviews.suite import Reviews
from huaxiang.core.errors import Forbidden, NotFound
from huaxiang.profile.coaching.sellers import SellerStore
from huaxiang.quality.review.case import Case, replay
from huaxiang.quality.review.outcomes import ActKind, Actor, CaseState
from huaxiang.quality.review.review_store import StoredCase


def actor_of(caller: Caller) -> Actor:
    """Return a caller as the reviews know them: a seller by the name that recordings have.

    Reviewers and sellers are known by name, and a token may be called anything: what is no person bears its
    kind before its name, with a colon, which no name to sign in by has.
    """
    if caller.kind is not CallerKind.USER:
        return Actor(caller.key, f"{caller.kind.value}:{caller.name}")
    return Actor(caller.key, caller.only_seller or caller.name)


def need_person(caller: Caller) -> None:
    """Raise Forbidden unless somebody signed in: who judges, and who settles, is a person.

    Nobody knows whose hands a token is in, so by one a reviewer could settle the appeal against the own
    review.
    """
    if caller.kind is not CallerKind.USER:
        raise Forbidden("only people judge and settle, signed in; a token opens, assigns and reads")


def acting_on(session: Session, caller: Caller, stored: StoredCase) -> Actor:
    """Return who acts on a case: a manager whose sign-in is linked to its seller acts as that seller.

    So nobody reviews or settles an own call under another name.
    """
    actor, seller = actor_of(caller), stored.case.seller
    if seller is None or caller.kind is not CallerKind.USER:
        return actor
    stands_for = SellerStore().key_of_user(session, caller.name)
    return Actor(actor.key, seller) if stands_for == seller else actor


def visible_case(session: Session, reviews: Reviews, caller: Caller, case_id: str) -> StoredCase:
    """Return a case that the caller may see; raises NotFound for another seller's as for none.

    A seller sees what was judged when it is handed in, not before.
    """
    stored = reviews.cases.get(session, case_id)
    seller = caller.only_seller
    if seller is None:
        return stored
    if stored.case.seller != seller:
        raise NotFound("there is no such case of review")
    return handed_in(stored)


def handed_in(stored: StoredCase) -> StoredCase:
    """Return a case without the judgements that nobody handed in yet; its version stays."""
    done = max(
        (act.sequence for act in stored.acts if act.kind in (ActKind.REVIEWED, ActKind.SETTLED)), default=0
    )
    acts = tuple(act for act in stored.acts if act.kind is not ActKind.JUDGED or act.sequence < done)
    if len(acts) == len(stored.acts):
        return stored
    return replace(stored, case=replace(replay(acts), version=stored.case.version), acts=acts)


class Mode(StrEnum):
    """What somebody may do with a case on its page, beside reading it."""

    READ = "read"
    REVIEW = "review"
    REOPEN = "reopen"
    APPEAL = "appeal"
    SETTLE = "settle"


class Hindrance(StrEnum):
    """Why a case that waits is not for this person."""

    OWN_CALL = "own_call"
    OWN_REVIEW = "own_review"
    ASSIGNED = "assigned"


@dataclass(frozen=True, slots=True)
class Ability:
    """What a person may do with a case, or what hinders it; the case itself refuses the same."""

    mode: Mode
    hindrance: Hindrance | None = None


def ability(case: Case, actor: Actor, moment: datetime, *, manages: bool) -> Ability:
    """Return what somebody may do with a case at a moment; ``manages`` tells whether it is a manager."""
    own = case.seller is not None and actor.name == case.seller
    if case.state is CaseState.REVIEWED and own and case.may_appeal(moment):
        return Ability(Mode.APPEAL)
    if not manages or case.state is CaseState.FINAL:
        return Ability(Mode.READ)
    if own:
        return Ability(Mode.READ, Hindrance.OWN_CALL)
    if case.state is CaseState.REVIEWED:
        return Ability(Mode.REOPEN)
    if case.state is CaseState.APPEALED and actor.key in case.judges:
        return Ability(Mode.READ, Hindrance.OWN_REVIEW)
    if case.assignee not in (None, actor.name):
        return Ability(Mode.READ, Hindrance.ASSIGNED)
    return Ability(Mode.REVIEW if case.state is CaseState.TO_REVIEW else Mode.SETTLE)
