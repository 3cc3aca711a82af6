"""What stands on corrections is worked out while nobody waits, and never by old words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from api_world import make_services
from corrected_calls import CALMER, MEI, add_scored_call, correct, text
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session, sessionmaker
from tried import add_indexed_history, writer_of

from huaxiang.api.corrections import Corrections
from huaxiang.api.history.meaning import Meaning
from huaxiang.api.search.suite import build_search
from huaxiang.api.services import Services
from huaxiang.api.workflow import Stores
from huaxiang.asr.transcripts import TranscriptStore
from huaxiang.core.database import transaction
from huaxiang.core.types import Role, Scorecard
from huaxiang.ingest.recordings import RecordingStore
from huaxiang.nlp.encoder import ScriptedEncoder, Vectors
from huaxiang.nlp.insights_store import InsightsStore
from huaxiang.quality import rule_store
from huaxiang.quality.inspector import sections_of
from huaxiang.quality.review.corrected_scorecards import with_corrected
from huaxiang.quality.review.corrections import Change, CorrectionKind, Target
from huaxiang.quality.review.tables import CorrectedScoreRow
from huaxiang.quality.scorecard_store import ScorecardStore
from huaxiang.quality.totals import total

# What is tested here does not depend on the database; the stores are tested on both.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
GREETING = "您好，这里是示例公司。"


class Unhurried(ScriptedEncoder):
    """An encoder that refuses to be waited for by an open transaction, and remembers what it was asked."""

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self.asked: list[str] = []
        self._open: Callable[[], int] = engine.pool.checkedout  # type: ignore[attr-defined]

    @property
    def dimension(self) -> int:
        assert self._open() == 0, "the encoder is loaded while a transaction is open"
        return super().dimension

    def encode(self, texts: Sequence[str]) -> Vectors:
        assert self._open() == 0, "the encoder is at work while a transaction is open"
        self.asked += texts
        return super().encode(texts)


def test_no_transaction_waits_for_the_encoder(sessions: sessionmaker[Session], engine: Engine) -> None:
    encoder = Unhurried(engine)
    meaning = Meaning("unhurried @ 1", encoder)
    (call,) = add_indexed_history(sessions, 1, meaning)
    identifier = call.recording.id
    assert set(encoder.asked) == {turn.text for turn in call.transcript.turns}
    encoder.asked.clear()
    features, search = writer_of(meaning), build_search(engine)
    stores = Stores(RecordingStore(), TranscriptStore(), InsightsStore(), ScorecardStore(), search)
    corrections = Corrections(sessions, stores, features.inspecting, features=features)
    first = call.transcript.turns[0].index
    said = Change(CorrectionKind.TURN_TEXT, turn=first, text=GREETING)
    for change in (said, Change(CorrectionKind.TURN_ROLE, turn=first, role=Role.CUSTOMER)):
        foreseen = corrections.foresee(identifier, [change], MEI)
        with transaction(sessions) as session:
            corrections.add(session, identifier, foreseen, MEI)
    assert encoder.asked == [GREETING]
    with transaction(sessions) as session:
        assert GREETING in meaning.stored(session, identifier)


@pytest.fixture
def services(sessions: sessionmaker[Session], engine: Engine, tmp_path: Path) -> Services:
    return make_services(engine, sessions, tmp_path)


def scored(services: Services, call: str) -> Sequence[CorrectedScoreRow]:
    with transaction(services.sessions) as session:
        rows = select(CorrectedScoreRow).where(CorrectedScoreRow.recording_id == call)
        return session.scalars(rows.order_by(CorrectedScoreRow.sequence)).all()


def test_who_corrects_a_call_while_it_is_scored_again_is_not_undone_by_it(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = add_scored_call(services)
    correct(services, call, text(7, CALMER))
    corrections = services.corrections
    judge = type(services.inspecting).scorecards
    meanwhile = ["贵了一点。"]

    def slowly(inspecting: object, grounds: object) -> tuple[Scorecard, ...]:
        if meanwhile:
            correct(services, call, text(7, meanwhile.pop()))
        return judge(inspecting, grounds)  # type: ignore[arg-type]

    monkeypatch.setattr(type(services.inspecting), "scorecards", slowly)
    before = len(scored(services, call))
    assert corrections.renew(call)
    after = len(scored(services, call))
    with transaction(services.sessions) as session:
        cards = len(services.scorecards.current(session, call))
    assert after == before + cards


def test_sections_and_grade_are_those_of_the_corrected_form(services: Services) -> None:
    call = add_scored_call(services)
    with transaction(services.sessions) as session:
        insights = services.insights.load(session, call)
        (automatic, *_) = services.scorecards.current(session, call)
        definition = next(
            one for one in services.rules.current(session) if one.reference == automatic.definition
        )
    promised = next(one for one in insights.findings if one.label == "overpromise")
    target = Target(promised.id, promised.kind, promised.label, promised.turn)
    correct(services, call, Change(CorrectionKind.FINDING_WRONG, finding=target))
    with transaction(services.sessions) as session:
        (card, *_) = with_corrected(session, call, services.scorecards.current(session, call))
    totals = total(definition, {item.id: item.passed for item in card.items})
    assert (card.score, card.sections) == (totals.score, sections_of(totals))
    assert card.grade_id == (totals.grade.id if totals.grade else "")
    assert card.sections != automatic.sections


def test_a_corrected_score_is_added_up_as_before_when_the_package_is_renewed(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = add_scored_call(services)
    correct(services, call, text(7, CALMER))
    with transaction(services.sessions) as session:
        before = services.reviews.cases.final(session, [call])
    monkeypatch.setattr(rule_store, "shipped_files", lambda: ())
    rule_store._shipped.cache_clear()
    services.rules._read.clear()
    try:
        with transaction(services.sessions) as session:
            after = services.reviews.cases.final(session, [call])
    finally:
        rule_store._shipped.cache_clear()
    assert after == before
