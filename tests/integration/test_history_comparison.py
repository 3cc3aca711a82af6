"""A changed scorecard over the whole history: what it says is what scoring each call anew would say."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, timedelta

import pytest
from history import add_history
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.api.benchmark_store import bench_store, changed_scorecard
from huaxiang.core.database import transaction
from huaxiang.core.types import FindingKind, Role
from huaxiang.quality import Inspector, default_scorecard
from huaxiang.quality.definition import (
    AllOf,
    Condition,
    FindingCondition,
    KeywordCondition,
    ScorecardDefinition,
)
from huaxiang.quality.heard import told_of
from huaxiang.quality.history.compare import Comparison, compare
from huaxiang.quality.history.fingerprint import counts_by, judges_by
from huaxiang.quality.history.invented import SELLERS, InventedConversation
from huaxiang.quality.history.judging import Judging
from huaxiang.quality.history.store import FeatureStore
from huaxiang.quality.history.sweep import Sweep

TEAMS = {seller.key: seller.team for seller in SELLERS if seller.key != "ruan.an"}
sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def with_features(sessions: sessionmaker[Session], count: int) -> list[InventedConversation]:
    conversations = add_history(sessions, count)
    with transaction(sessions) as session:
        for conversation in conversations:
            told = told_of(conversation.recording, conversation.transcript, UTC)
            FeatureStore().save(
                session,
                conversation.recording,
                conversation.transcript,
                conversation.insights,
                told.values,
            )
    return conversations


def compared(
    sessions: sessionmaker[Session],
    before: ScorecardDefinition,
    after: ScorecardDefinition,
    processes: int = 1,
) -> Comparison:
    judged = Sweep(sessions, processes).results(Judging.by((before, after), TEAMS))
    return compare(before, after, judged, TEAMS)


def test_the_comparison_counts_what_scoring_each_call_anew_finds(sessions: sessionmaker[Session]) -> None:
    conversations = with_features(sessions, 48)
    before = default_scorecard()
    after = changed_scorecard(before)
    comparison = compared(sessions, before, after)
    changed, percents, discovered = 0, [], Counter[str]()
    for conversation in conversations:
        told = told_of(conversation.recording, conversation.transcript, UTC)
        was = Inspector(before).inspect(conversation.transcript, conversation.insights, told)
        becomes = Inspector(after).inspect(conversation.transcript, conversation.insights, told)
        changed += (was.score, was.possible, was.auto_failed) != (
            becomes.score,
            becomes.possible,
            becomes.auto_failed,
        )
        percents.append(100 * becomes.score / becomes.possible)
        outcome = next(item.passed for item in becomes.items if item.id == "need_discovery")
        discovered["not_applicable" if outcome is None else "passed" if outcome else "failed"] += 1
    assert comparison.whole.conversations == 48
    assert comparison.whole.changed == changed
    assert comparison.whole.after.mean_percent == pytest.approx(sum(percents) / 48)
    (item,) = [item for item in comparison.items if item.id == "need_discovery"]
    assert dict(item.after) == dict(discovered)
    assert item.status == "changed"
    assert {i.id for i in comparison.items if i.status == "added"} == {"recording_notice", "price_in_figures"}


def test_groups_add_up_to_the_whole_and_nobodys_sellers_are_a_group_of_their_own(
    sessions: sessionmaker[Session],
) -> None:
    with_features(sessions, 24)
    before = default_scorecard()
    comparison = compared(sessions, before, changed_scorecard(before))
    for groups in (comparison.teams, comparison.sellers):
        assert sum(group.conversations for group in groups) == 24
        assert sum(group.changed for group in groups) == comparison.whole.changed
        assert sum(group.after.auto_failed for group in groups) == comparison.whole.after.auto_failed
    assert [group.key for group in comparison.teams] == ["", "方案组", "电话一组", "门店组"]
    assert sum(comparison.histogram.values()) == comparison.whole.changed
    sizes = [abs(change.difference) for change in comparison.changes]
    assert sizes == sorted(sizes, reverse=True)


@sqlite_only
def test_several_processes_come_to_what_one_does(sessions: sessionmaker[Session]) -> None:
    with_features(sessions, 36)
    before = default_scorecard()
    after = changed_scorecard(before)
    assert compared(sessions, before, after, processes=2) == compared(sessions, before, after)


@sqlite_only
def test_the_same_scorecard_changes_nothing(sessions: sessionmaker[Session]) -> None:
    with_features(sessions, 12)
    before = default_scorecard()
    comparison = compared(sessions, before, replace(before, version=9))
    assert comparison.whole.changed == 0
    assert comparison.changes == ()
    assert {item.status for item in comparison.items} == {"same"}


@sqlite_only
def test_only_conversations_from_a_day_on_are_judged(sessions: sessionmaker[Session]) -> None:
    conversations = with_features(sessions, 12)
    begun = sorted(c.recording.received_at for c in conversations)
    since = begun[8] - timedelta(hours=2)
    judged = list(Sweep(sessions, since=since).results(Judging.by([default_scorecard()], {})))
    assert 4 <= len(judged) < 12
    assert all(rescored.started_at >= since for rescored in judged)


def test_items_judge_alike_whatever_they_are_called() -> None:
    item = default_scorecard().items[0]
    assert judges_by(item) == judges_by(replace(item, title_zh="别的", points=99))
    assert counts_by(item) != counts_by(replace(item, points=99))
    words = KeywordCondition(("录音",), role=Role.AGENT)
    assert judges_by(replace(item, condition=words)) != judges_by(item)


def test_a_condition_that_shares_its_parts_a_million_times_is_told_apart_at_once() -> None:
    condition: Condition = FindingCondition(FindingKind.ACT, frozenset({"greeting"}))
    for _ in range(60):
        condition = AllOf((condition, condition))
    item = replace(default_scorecard().items[0], condition=condition)
    assert judges_by(item) == judges_by(replace(item, title_en="other"))


def test_the_benchmark_finds_the_same_scores_both_ways() -> None:
    seen: list[float] = []
    figures = bench_store(40, seen.append, processes=1)
    assert figures["same_scores"] is True
    assert figures["compared"] == figures["conversations"] == 40
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(1.0)
