"""A changed scorecard over the stored history: by command, kept with its figures, and applied."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, sessionmaker
from tried import add_indexed_history, changed_text, writer_of
from typer.testing import CliRunner

from huaxiang.api.command import app
from huaxiang.api.history.applying import apply_scorecards
from huaxiang.api.history.features import index_history, missing_features
from huaxiang.api.history.in_force import InForce
from huaxiang.api.history.meaning import Meaning
from huaxiang.api.history.trying import try_on_history
from huaxiang.core.database import transaction
from huaxiang.core.errors import InvalidRules, NotFound
from huaxiang.core.types import FindingKind
from huaxiang.nlp.encoder import ScriptedEncoder, Vectors
from huaxiang.nlp.tables import ScorecardRow
from huaxiang.quality import Inspector, default_scorecard
from huaxiang.quality.condition_types import SimilarCondition
from huaxiang.quality.definition import ScorecardDefinition
from huaxiang.quality.history.compare import UNKNOWN, Comparison
from huaxiang.quality.history.comparison_json import comparison_json
from huaxiang.quality.history.comparison_store import BROKEN_OFF, ComparisonStore
from huaxiang.quality.history.tables import ComparisonRow
from huaxiang.quality.likeness import EncodedLikeness, SentenceVectors
from huaxiang.quality.loader import parse_scorecard
from huaxiang.quality.review.correction_store import CorrectionStore
from huaxiang.quality.review.corrections import Change, CorrectionKind, Target
from huaxiang.quality.review.outcomes import Actor, Outcome
from huaxiang.quality.review.scores import newest_corrected
from huaxiang.quality.rule_store import RuleStore
from huaxiang.quality.rule_tables import RuleVersionRow
from huaxiang.quality.scorecard_store import ScorecardStore

STORE = ComparisonStore()
sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def changed() -> ScorecardDefinition:
    definition, mistakes = parse_scorecard(changed_text())
    assert mistakes == []
    return definition


def command(*options: str) -> str:
    done = CliRunner().invoke(app, ["rules", *options])
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture
def settings(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUAXIANG_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("HUAXIANG_DATABASE_URL", database_url)


def kept(sessions: sessionmaker[Session], comparison: Comparison) -> str:
    with transaction(sessions) as session:
        identifier = STORE.begin(session, comparison.after, comparison.before, changed_text(), "mei")
        STORE.finish(session, identifier, comparison)
    return identifier


def test_what_a_scorecard_would_change_is_kept_as_it_was_found(sessions: sessionmaker[Session]) -> None:
    add_indexed_history(sessions)
    shares: list[float] = []
    comparison = try_on_history(sessions, default_scorecard(), changed(), shares.append)
    assert comparison.whole.changed > 0
    assert [group.key for group in comparison.teams] == ["方案组", "电话一组", "门店组"]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0)
    identifier = kept(sessions, comparison)
    with transaction(sessions) as session:
        tried = STORE.get(session, identifier)
        changes = STORE.changes(session, identifier, limit=500)
        listed = STORE.newest(session, "general-sales")
    assert tried.comparison is not None
    assert comparison_json(tried.comparison) == comparison_json(replace(comparison, changes=()))
    assert (tried.state, tried.scorecard, tried.text) == ("done", "general-sales", changed_text())
    assert [change.recording_id for change in changes] == [c.recording_id for c in comparison.changes]
    assert [change.items for change in changes] == [c.items for c in comparison.changes]
    assert [one.id for one in listed] == [identifier]


def test_the_conversations_that_change_are_read_page_by_page_by_seller_and_item(
    sessions: sessionmaker[Session],
) -> None:
    add_indexed_history(sessions)
    comparison = try_on_history(sessions, default_scorecard(), changed())
    identifier = kept(sessions, comparison)
    with transaction(sessions) as session:
        first = STORE.changes(session, identifier, limit=3)
        rest = STORE.changes(session, identifier, after=first[-1].position, limit=500)
        seller = first[0].seller or UNKNOWN
        theirs = STORE.changes(session, identifier, sellers=[seller], limit=500)
        needs = STORE.changes(session, identifier, item="need_discovery", limit=500)
        rude = STORE.changes(session, identifier, item="rude", limit=500)
        nobody = STORE.changes(session, identifier, sellers=[UNKNOWN], limit=500)
    assert len(first) + len(rest) == len(comparison.changes)
    (group,) = [group for group in comparison.sellers if group.key == seller]
    assert len(theirs) == group.changed
    assert needs
    assert all("need_discovery" in {flip.item for flip in change.items} for change in needs)
    assert (rude, nobody) == ([], [])


@sqlite_only
def test_a_new_scorecard_is_compared_with_nothing(sessions: sessionmaker[Session]) -> None:
    add_indexed_history(sessions, 12)
    comparison = try_on_history(sessions, None, replace(changed(), id="mine"))
    assert comparison.before == ""
    assert comparison.whole.before.scored == 0
    assert comparison.whole.after.scored == comparison.whole.changed == 12
    assert {item.status for item in comparison.items} == {"added"}
    assert {flip.before for change in comparison.changes for flip in change.items} == {"absent"}


def test_a_comparison_that_fails_or_stands_still_says_so(sessions: sessionmaker[Session]) -> None:
    with transaction(sessions) as session:
        failed = STORE.begin(session, "a @ 2", "a @ 1", "", "mei")
        STORE.fail(session, failed, "storage")
        running = STORE.begin(session, "a @ 2", "a @ 1", "", "mei")
        STORE.advance(session, running, 0.4)
        still = STORE.begin(session, "b @ 2", "", "", "mei")
    with transaction(sessions) as session:
        row = session.get(ComparisonRow, still)
        assert row is not None
        session.execute(
            update(ComparisonRow)
            .where(ComparisonRow.id == still)
            .values(updated_at=row.updated_at - timedelta(minutes=5))
        )
    with transaction(sessions) as session:
        assert (STORE.get(session, failed).state, STORE.get(session, failed).error) == ("failed", "storage")
        assert (STORE.get(session, running).state, STORE.get(session, running).done_share) == ("running", 0.4)
        assert (STORE.get(session, still).state, STORE.get(session, still).error) == ("failed", BROKEN_OFF)
        assert [one.id for one in STORE.newest(session, "a")] == [running, failed]
        with pytest.raises(NotFound):
            STORE.get(session, "nothing")


def test_the_history_is_scored_by_another_version_beside_the_earlier_scores(
    sessions: sessionmaker[Session],
) -> None:
    add_indexed_history(sessions, 12)
    after = changed()
    rehearsed = apply_scorecards(sessions, [after], dry_run=True)
    assert (rehearsed.scored, rehearsed.as_before) == (12, 0)
    with transaction(sessions) as session:
        assert session.scalar(select(func.count()).select_from(ScorecardRow)) == 12
    applied = apply_scorecards(sessions, [after])
    assert applied == rehearsed
    assert applied.scorecards == {after.reference: 12}
    with transaction(sessions) as session:
        for identifier in session.scalars(select(ScorecardRow.recording_id).distinct()):
            (current,) = ScorecardStore().current(session, identifier)
            assert current.definition == after.reference
            earlier = ScorecardStore().load(session, identifier, default_scorecard().reference)
            assert earlier.items
    again = apply_scorecards(sessions, [after])
    assert (again.scored, again.as_before) == (0, 12)
    assert apply_scorecards(sessions, [after], again=True).scored == 12


def test_what_was_corrected_is_scored_as_heard_and_as_corrected(sessions: sessionmaker[Session]) -> None:
    conversations = add_indexed_history(sessions, 6)
    conversation, greeting = next(
        (one, finding)
        for one in conversations
        for finding in one.insights.findings
        if (finding.kind, finding.label) == (FindingKind.ACT, "greeting")
    )
    identifier = conversation.recording.id
    target = Target(greeting.id, greeting.kind, greeting.label, greeting.turn)
    with transaction(sessions) as session:
        wrong = Change(CorrectionKind.FINDING_WRONG, finding=target)
        CorrectionStore().add(session, conversation.transcript, wrong, Actor("user:mei", "mei"))
    index_history(sessions, writer_of(), [identifier])
    after = replace(default_scorecard(), version=2)
    apply_scorecards(sessions, [after])
    with transaction(sessions) as session:
        automatic = ScorecardStore().latest(session, identifier)
        scores = newest_corrected(session, [identifier])
    assert {item.id: item.passed for item in automatic.items}["greeting"] is True
    assert list(scores) == [(identifier, after.reference)]
    assert scores[identifier, after.reference].outcomes["greeting"] is Outcome.FAILED


class Interrupted(ScriptedEncoder):
    """An encoder while whose work something else is done, when it comes to the words that are waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.waited_for = ""
        self.meanwhile: Callable[[], object] = list

    def encode(self, texts: Sequence[str]) -> Vectors:
        if self.waited_for in texts:
            self.waited_for = ""
            self.meanwhile()
        return super().encode(texts)


def test_what_is_corrected_while_it_is_judged_keeps_its_scores_until_the_next_run(
    sessions: sessionmaker[Session],
) -> None:
    encoder = Interrupted()
    meaning = Meaning("interrupted @ 1", encoder)
    writer, mei = writer_of(meaning), Actor("user:mei", "mei")
    call, other = add_indexed_history(sessions, 2, meaning)
    first = call.transcript.turns[0]

    def correct(text: str) -> None:
        with transaction(sessions) as session:
            change = Change(CorrectionKind.TURN_TEXT, turn=first.index, text=text)
            CorrectionStore().add(session, call.transcript, change, mei)
        index_history(sessions, writer, [call.recording.id])

    correct("您好。")
    general = default_scorecard()
    asked = replace(general.items[0], condition=SimilarCondition(("别的话",), threshold=0.95))
    after = replace(general, version=2, items=(asked, *general.items[1:]))
    encoder.waited_for, encoder.meanwhile = first.text, lambda: correct("您好，这里是示例公司。")
    apply_scorecards(sessions, [after], meaning=meaning)
    with transaction(sessions) as session:
        latest = [ScorecardStore().latest(session, one.recording.id).definition for one in (call, other)]
    assert latest == [general.reference, after.reference]
    assert apply_scorecards(sessions, [after], meaning=meaning).scored == 1
    with transaction(sessions) as session:
        assert ScorecardStore().latest(session, call.recording.id).definition == after.reference


def test_rules_that_compare_meanings_run_over_the_history_too(sessions: sessionmaker[Session]) -> None:
    meaning = Meaning("scripted @ 1", ScriptedEncoder())
    conversations = add_indexed_history(sessions, 12, meaning)
    said = conversations[0].transcript.turns[2].text
    asked = SimilarCondition((said, "别的话"), threshold=0.95)
    before = default_scorecard()
    items = (replace(before.items[0], condition=asked), *before.items[1:])
    after = replace(before, version=2, items=items)
    comparison = try_on_history(sessions, before, after, meaning=meaning)
    expected = Counter[str]()
    for conversation in conversations:
        likeness = EncodedLikeness(meaning.encoder, SentenceVectors(meaning.encoder))
        scorecard = Inspector(after).inspect(
            conversation.transcript, conversation.insights, likeness=likeness
        )
        expected["passed" if scorecard.items[0].passed else "failed"] += 1
    assert dict(comparison.items[0].after) == dict(expected)
    assert expected["passed"] >= 1
    apply_scorecards(sessions, [after], meaning=meaning)
    with transaction(sessions) as session:
        first = ScorecardStore().latest(session, conversations[0].recording.id)
    assert first.items[0].passed is True
    assert first.items[0].evidence[0].quote == said


def test_recordings_without_vectors_are_indexed_for_meanings(sessions: sessionmaker[Session]) -> None:
    add_indexed_history(sessions, 3)
    meaning = Meaning("scripted @ 1", ScriptedEncoder())
    assert missing_features(sessions) == ()
    missing = missing_features(sessions, meaning)
    assert len(missing) == 3
    index_history(sessions, writer_of(meaning), missing)
    assert missing_features(sessions, meaning) == ()
    assert len(missing_features(sessions, Meaning("scripted @ 2", ScriptedEncoder()))) == 3


@sqlite_only
@pytest.mark.usefixtures("settings")
def test_the_command_compares_a_file_with_the_scorecard_in_force(
    sessions: sessionmaker[Session], tmp_path: Path
) -> None:
    conversations = add_indexed_history(sessions, 24)
    file = tmp_path / "general.yaml"
    file.write_text(changed_text(), "utf-8")
    shown = json.loads(command("compare", str(file), "--json"))
    comparison = try_on_history(sessions, default_scorecard(), changed())
    assert {key: shown[key] for key in comparison_json(comparison)} == json.loads(
        json.dumps(comparison_json(comparison))
    )
    assert len(shown["changes"]) == comparison.whole.changed
    assert shown["not_indexed"] == 0
    text = command("compare", str(file))
    assert f"24 conversations, {comparison.whole.changed} change" in text
    assert "门店组" in text
    begun = sorted(one.recording.metadata.started_at for one in conversations)  # type: ignore[type-var]
    assert begun[-1] is not None
    late = json.loads(command("compare", str(file), "--json", "--since", begun[-1].strftime("%Y-%m-%d")))
    assert 1 <= late["whole"]["conversations"] < 24


@sqlite_only
@pytest.mark.usefixtures("settings")
def test_the_command_applies_what_is_in_force_and_rehearses_it(sessions: sessionmaker[Session]) -> None:
    add_indexed_history(sessions, 5)
    with transaction(sessions) as session:
        references = {definition.reference for definition in InForce(RuleStore()).all(session)}
    rehearsed = json.loads(command("apply", "--again", "--dry-run", "--json"))
    assert (rehearsed["conversations"], rehearsed["scored"], rehearsed["dry_run"]) == (5, 5, True)
    assert set(rehearsed["scorecards"]) <= references
    assert kept_files(sessions) == set()
    assert "conversations scored" in command("apply", "--again")
    assert json.loads(command("apply", "--json"))["as_before"] == 5
    assert references <= kept_files(sessions), "a renewed package cannot add up what is stored"


def kept_files(sessions: sessionmaker[Session]) -> set[str]:
    with transaction(sessions) as session:
        return {f"{row.id} @ {row.version}" for row in session.scalars(select(RuleVersionRow))}


@sqlite_only
@pytest.mark.usefixtures("settings")
def test_a_file_with_mistakes_is_not_compared(tmp_path: Path, sessions: sessionmaker[Session]) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text("scorecard: wrong\nversion: 1\n", "utf-8")
    done = CliRunner().invoke(app, ["rules", "compare", str(file)])
    assert done.exit_code != 0
    assert isinstance(done.exception, InvalidRules)
