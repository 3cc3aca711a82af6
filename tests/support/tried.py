"""A history with features and teams, and a scorecard that is changed, as somebody who writes rules would."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import NoReturn

from history import add_history
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.api.history.building import build_writer
from huaxiang.api.history.features import FeatureWriter, index_history, missing_features
from huaxiang.api.history.meaning import Meaning
from huaxiang.core.database import transaction
from huaxiang.core.settings import Settings, load_settings
from huaxiang.core.zones import zone_of
from huaxiang.profile.coaching.sellers import SellerStore, SellerValues
from huaxiang.quality.history.invented import SELLERS, InventedConversation
from huaxiang.quality.loader import DEFAULT, read_text, shipped_scorecard

NEEDS = "passes_when: {act: need_discovery}"
"""How the general scorecard asks for questions about needs."""
SHANGHAI = zone_of("Asia/Shanghai")


def writer_of(meaning: Meaning | None = None) -> FeatureWriter:
    """Return what keeps features, without an encoder of its own."""
    return replace(build_writer(load_settings(), never, vectors=False), meaning=meaning)


def never(_: Settings) -> NoReturn:
    """Stand for an encoder that nobody asks for."""
    raise AssertionError("no encoder is needed")


def add_indexed_history(
    sessions: sessionmaker[Session], count: int = 36, meaning: Meaning | None = None
) -> list[InventedConversation]:
    """Store conversations with their features, and their sellers with their teams."""
    conversations = add_history(sessions, count)
    with transaction(sessions) as session:
        for seller in SELLERS:
            SellerStore().add(
                session, seller.key, SellerValues(name=seller.name, team=seller.team), by="test"
            )
    index_history(sessions, writer_of(meaning), missing_features(sessions))
    return conversations


def changed_text(questions: int = 3, version: int = 2) -> str:
    """Return the general scorecard at another version, in which more questions about needs are asked for."""
    text = read_text(shipped_scorecard(DEFAULT))
    assert NEEDS in text
    text = re.sub(r"^version: \d+", f"version: {version}", text, count=1, flags=re.MULTILINE)
    return text.replace(NEEDS, NEEDS.replace("}", f", at_least: {questions}}}"), 1)
