"""What a person may do with a case, and what a seller sees of it before it is handed in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import reduce

import pytest

from huaxiang.api.access.callers import Caller, CallerKind
from huaxiang.api.access.scopes import ROLE_SCOPES
from huaxiang.api.reviews.access import Ability, Hindrance, Mode, ability, actor_of, handed_in
from huaxiang.core.errors import Forbidden
from huaxiang.core.types import Json
from huaxiang.quality.review.case import Case, advance, replay
from huaxiang.quality.review.outcomes import Act, ActKind, Actor, Origin, Outcome
from huaxiang.quality.review.review_store import StoredCase

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
SELLER = "he.yun"
ITEM: dict[str, Json] = {
    "id": "greeting",
    "title": "问候",
    "outcome": "passed",
    "points": 5.0,
    "possible": 5.0,
    "confidence": 0.9,
    "auto_fail": False,
    "for_review": False,
}


def person(name: str, role: str = "manager") -> Caller:
    return Caller(CallerKind.USER, name, ROLE_SCOPES[role], name)


def actor(name: str) -> Actor:
    return actor_of(person(name))


OPENED = Act(1, ActKind.OPENED, actor("root"), NOW, payload={
    "definition": "d @ 1", "seller": SELLER, "origin": Origin.CHOSEN.value, "items": [ITEM],
})  # fmt: skip
JUDGED = Act(2, ActKind.JUDGED, actor("mei"), NOW, "greeting", Outcome.FAILED, "没说")
REVIEWED = Act(
    3, ActKind.REVIEWED, actor("mei"), NOW, payload={"appeal_until": (NOW + timedelta(days=7)).isoformat()}
)
APPEALED = Act(4, ActKind.APPEALED, Actor(f"user:{SELLER}", SELLER), NOW, reason="我说了")
SETTLED = Act(5, ActKind.SETTLED, actor("root"), NOW, reason="成立")
ASSIGNED = Act(2, ActKind.ASSIGNED, actor("root"), NOW, payload={"assignee": "mei"})


def case(*acts: Act) -> Case:
    found = reduce(advance, acts, None)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("acts", "who", "expected"),
    [
        ((OPENED,), person("mei"), Ability(Mode.REVIEW)),
        ((OPENED,), person(SELLER), Ability(Mode.READ, Hindrance.OWN_CALL)),
        ((OPENED, ASSIGNED), person("mei"), Ability(Mode.REVIEW)),
        ((OPENED, ASSIGNED), person("root"), Ability(Mode.READ, Hindrance.ASSIGNED)),
        ((OPENED, JUDGED, REVIEWED), person("root"), Ability(Mode.REOPEN)),
        ((OPENED, JUDGED, REVIEWED, APPEALED), person("root"), Ability(Mode.SETTLE)),
        ((OPENED, JUDGED, REVIEWED, APPEALED), person("mei"), Ability(Mode.READ, Hindrance.OWN_REVIEW)),
        ((OPENED, JUDGED, REVIEWED, APPEALED, SETTLED), person("root"), Ability(Mode.READ)),
    ],
)
def test_who_may_do_what(acts: tuple[Act, ...], who: Caller, expected: Ability) -> None:
    assert ability(case(*acts), actor_of(who), NOW, manages=True) == expected


def test_what_a_person_may_do_is_what_the_case_lets_them_do() -> None:
    """The page's offer and the case's own refusal are the same rule."""
    waiting = case(OPENED, JUDGED, REVIEWED, APPEALED)
    assert ability(waiting, actor("root"), NOW, manages=True).mode is Mode.SETTLE
    advance(waiting, SETTLED)
    with pytest.raises(Forbidden, match="another person than the reviewer"):
        advance(waiting, replace(SETTLED, actor=actor("mei")))


def test_a_seller_appeals_while_there_is_time_and_reads_otherwise() -> None:
    reviewed, seller = case(OPENED, JUDGED, REVIEWED), Actor("user:1", SELLER)
    assert ability(reviewed, seller, NOW, manages=False) == Ability(Mode.APPEAL)
    assert ability(reviewed, seller, NOW + timedelta(days=8), manages=False) == Ability(Mode.READ)
    assert ability(case(OPENED), seller, NOW, manages=False) == Ability(Mode.READ)


def test_a_seller_sees_judgements_when_they_are_handed_in() -> None:
    def seen(*acts: Act) -> list[ActKind]:
        stored = StoredCase("c", "r", replay(acts), acts)
        shown = handed_in(stored)
        assert shown.case.version == stored.case.version
        return [act.kind for act in shown.acts]

    again = Act(4, ActKind.REOPENED, actor("root"), NOW, reason="再听")
    kept = replace(JUDGED, sequence=5, reason="秘密")
    final = replace(JUDGED, sequence=5, actor=actor("root"), outcome=Outcome.PASSED)
    assert seen(OPENED, JUDGED) == [ActKind.OPENED]
    assert seen(OPENED, JUDGED, REVIEWED) == [ActKind.OPENED, ActKind.JUDGED, ActKind.REVIEWED]
    assert seen(OPENED, JUDGED, REVIEWED, again, kept)[-1] is ActKind.REOPENED
    assert seen(OPENED, JUDGED, REVIEWED, APPEALED, final)[-1] is ActKind.APPEALED
    assert (
        seen(OPENED, JUDGED, REVIEWED, APPEALED, final, replace(SETTLED, sequence=6))[-1] is ActKind.SETTLED
    )
