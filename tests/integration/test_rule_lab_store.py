"""The lab over stored conversations and reviews: an item under its floor only suggests, and all is kept."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from reviews import LAO, MEI, review_store
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker
from tried import SHANGHAI, add_indexed_history
from typer.testing import CliRunner

from huaxiang.api.command import app
from huaxiang.api.history.in_force import InForce
from huaxiang.api.history.lab import run_stored_lab
from huaxiang.core.database import transaction
from huaxiang.core.errors import InvalidInput
from huaxiang.quality import Inspector, default_scorecard
from huaxiang.quality.definition import FindingCondition, ScorecardDefinition
from huaxiang.quality.history.invented import InventedConversation
from huaxiang.quality.history.lab_store import LabStore, floored
from huaxiang.quality.history.tables import LabRow
from huaxiang.quality.review.outcomes import Judgement, Origin, Outcome
from huaxiang.quality.rule_store import RuleStore
from huaxiang.quality.scorecard_store import ScorecardStore

DEFINITION = default_scorecard()
LAB = LabStore()
sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def most_failed(conversations: list[InventedConversation]) -> str:
    """Return the item that most of the conversations fail, and not all."""
    counts: Counter[str] = Counter()
    inspector = Inspector(DEFINITION)
    for conversation in conversations:
        scorecard = inspector.inspect(conversation.transcript, conversation.insights)
        counts.update(item.id for item in scorecard.items if item.passed is False)
    return next(item for item, count in counts.most_common() if count < len(conversations))


def overturn(sessions: sessionmaker[Session], conversations: list[InventedConversation], item: str) -> int:
    """Review every call that fails an item, and say each time that it passes; return how many."""
    store, count = review_store(), 0
    with transaction(sessions) as session:
        for conversation in conversations:
            identifier = conversation.recording.id
            scorecard = ScorecardStore().latest(session, identifier)
            if next(one.passed for one in scorecard.items if one.id == item) is not False:
                continue
            case = store.open(session, identifier, scorecard, conversation.seller.key, MEI, Origin.CHOSEN)
            store.submit(session, case.id, LAO, [Judgement(item, Outcome.PASSED, "说过")], case.case.version)
            count += 1
    return count


def test_an_item_whose_hits_people_overturn_only_suggests_until_its_floor_is_lowered(
    sessions: sessionmaker[Session],
) -> None:
    conversations = add_indexed_history(sessions, 30)
    item = most_failed(conversations)
    hits = overturn(sessions, conversations, item)
    run_stored_lab(sessions, [DEFINITION], SHANGHAI)
    key = (DEFINITION.reference, item)
    with transaction(sessions) as session:
        found = LAB.found(session, [DEFINITION.reference])
        in_force = InForce(RuleStore()).get(session, DEFINITION.id)
        assert LAB.suggesting(session) == {key}
    figures = found[key].figures
    assert len(found) == len(DEFINITION.items)
    assert (figures.hits, figures.reviewed_hits, figures.overturned) == (hits, hits, hits)
    assert figures.precision is not None
    assert (figures.precision.estimate, found[key].suggests) == (0.0, True)
    assert in_force is not None
    assert [one.id for one in in_force.items if one.suggest_only] == [item]
    with transaction(sessions) as session:
        LAB.set_floor(session, DEFINITION.id, item, 0.0, "mei")
        assert LAB.suggesting(session) == frozenset()
        (entry,) = LAB.floor_log(session, DEFINITION.id)
        rows = session.scalar(select(func.count()).select_from(LabRow).where(LabRow.item_id == item))
        with pytest.raises(InvalidInput):
            LAB.set_floor(session, DEFINITION.id, item, 1.5, "mei")
    assert (entry.item_id, entry.floor, entry.set_by) == (item, 0.0, "mei")
    assert rows == 2, "what was found before is kept"
    run_stored_lab(sessions, [DEFINITION], SHANGHAI)
    with transaction(sessions) as session:
        assert LAB.suggesting(session) == frozenset(), "the floor that was set holds"


def test_what_only_suggests_is_shown_and_counts_nowhere(sessions: sessionmaker[Session]) -> None:
    conversations = add_indexed_history(sessions, 12)
    item = most_failed(conversations)
    under = floored(DEFINITION, {(DEFINITION.reference, item)})
    for conversation in conversations:
        heard = (conversation.transcript, conversation.insights)
        counted, suggested = Inspector(DEFINITION).inspect(*heard), Inspector(under).inspect(*heard)
        was, now = (next(one for one in card.items if one.id == item) for card in (counted, suggested))
        assert (now.passed, now.evidence, now.suggest_only) == (was.passed, was.evidence, True)
        assert now.possible == 0
        assert now.for_review is (was.passed is False or was.for_review)
        assert suggested.possible == counted.possible - was.possible


def test_a_review_adds_up_by_the_score_as_it_was_given(sessions: sessionmaker[Session]) -> None:
    (conversation,) = add_indexed_history(sessions, 1)
    identifier, store = conversation.recording.id, review_store()
    under = floored(DEFINITION, {(DEFINITION.reference, "polite_close")})
    scorecard = Inspector(under).inspect(conversation.transcript, conversation.insights)
    with transaction(sessions) as session:
        ScorecardStore().save(session, identifier, scorecard)
        case = store.open(session, identifier, scorecard, "he.yun", MEI, Origin.CHOSEN)
        said = Judgement("greeting", Outcome.NOT_APPLICABLE, "电话断了")
        store.submit(session, case.id, LAO, [said], case.case.version)
        final = store.final(session, [identifier])[identifier]
    assert (final.automatic_score, final.automatic_possible) == (scorecard.score, scorecard.possible)
    greeting = next(item for item in scorecard.items if item.id == "greeting")
    assert final.possible == scorecard.possible - greeting.possible


def test_a_new_version_begins_anew_unless_it_judges_the_same(sessions: sessionmaker[Session]) -> None:
    conversations = add_indexed_history(sessions, 12)
    item = most_failed(conversations)
    overturn(sessions, conversations, item)
    run_stored_lab(sessions, [DEFINITION], SHANGHAI)

    def next_version(**changes: object) -> ScorecardDefinition:
        items = tuple(
            replace(one, **changes) if one.id == item else one  # type: ignore[arg-type]
            for one in DEFINITION.items
        )
        return replace(DEFINITION, version=2, items=items)

    other = FindingCondition(DEFINITION.items[0].condition.kind, frozenset({"recap"}))  # type: ignore[union-attr]
    in_force = InForce(RuleStore())
    with transaction(sessions) as session:
        same = in_force.inherited(session, next_version(points=1.0), DEFINITION)
        anew = in_force.inherited(session, next_version(condition=other), DEFINITION)
    assert [one.id for one in same.items if one.suggest_only] == [item]
    assert [one.id for one in anew.items if one.suggest_only] == []


@sqlite_only
def test_the_commands_measure_and_set_floors_and_rehearse_both(
    sessions: sessionmaker[Session], database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversations = add_indexed_history(sessions, 12)
    item = most_failed(conversations)
    hits = overturn(sessions, conversations, item)
    monkeypatch.setenv("HUAXIANG_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("HUAXIANG_DATABASE_URL", database_url)

    def command(*options: str) -> str:
        done = CliRunner().invoke(app, ["rules", *options])
        assert done.exit_code == 0, done.output
        return done.stdout

    lines = [json.loads(line) for line in command("lab", "--json", "--dry-run").splitlines()]
    of_item = next(
        line for line in lines if (line["definition"], line["item"]) == (DEFINITION.reference, item)
    )
    assert (of_item["figures"]["overturned"], of_item["suggests"]) == (hits, True)
    with transaction(sessions) as session:
        assert LAB.suggesting(session) == frozenset()
    assert "suggests" in command("lab")
    shown = json.loads(command("floor", DEFINITION.id, item, "0", "--dry-run", "--json"))
    assert (shown["before"], shown["floor"], shown["dry_run"]) == (0.85, 0.0, True)
    with transaction(sessions) as session:
        assert LAB.suggesting(session) == {(DEFINITION.reference, item)}
    command("floor", DEFINITION.id, item, "0")
    with transaction(sessions) as session:
        assert LAB.suggesting(session) == frozenset()
    assert CliRunner().invoke(app, ["rules", "floor", DEFINITION.id, "nothing", "5"]).exit_code != 0
