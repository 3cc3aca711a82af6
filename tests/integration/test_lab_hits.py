"""The calls behind a figure of the lab are those whose present score says so."""

from __future__ import annotations

from dataclasses import replace

from history import add_history
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.api.history.hits import newest_hits, scored_by
from huaxiang.core.database import transaction
from huaxiang.quality import default_scorecard
from huaxiang.quality.scorecard_store import ScorecardStore

STORE, VERSION = ScorecardStore(), default_scorecard().reference
ITEM = "need_discovery"


def test_a_call_that_the_scorecard_is_not_meant_for_any_more_is_no_hit(
    sessions: sessionmaker[Session],
) -> None:
    conversations = add_history(sessions, 12)
    with transaction(sessions) as session:
        scores = {one.recording.id: STORE.latest(session, one.recording.id) for one in conversations}
        failed = [
            key for key, score in scores.items() if {i.id: i.passed for i in score.items}[ITEM] is False
        ]
        hits = newest_hits(session, VERSION, ITEM)
        assert sorted(hit.recording_id for hit in hits) == sorted(failed)
        held = {one.recording.id: one.recording.metadata.started_at for one in conversations}
        assert [hit.at for hit in hits] == sorted((held[key] for key in failed), reverse=True)  # type: ignore[type-var]
        gone, *left = failed
        STORE.save_all(session, gone, [replace(scores[gone], definition="house @ 1")])
        assert {hit.recording_id for hit in newest_hits(session, VERSION, ITEM)} == set(left)
        assert scored_by(session, VERSION) == len(conversations) - 1
