"""Puts together what keeps, tries and measures rules on the history."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session, sessionmaker

from huaxiang.api.history.desk import HistoryDesk
from huaxiang.api.history.features import FeatureWriter
from huaxiang.api.history.meaning import Meaning
from huaxiang.api.inspecting import build_inspecting
from huaxiang.api.language import ENCODER
from huaxiang.core.errors import InvalidInput
from huaxiang.core.lock import ModelLock
from huaxiang.core.settings import Settings
from huaxiang.quality.check import ExampleResult, Understands, example_count, run_examples_of
from huaxiang.quality.likeness import LazyEncoder
from huaxiang.quality.loader import Definition

if TYPE_CHECKING:
    from huaxiang.nlp.encoder import SentenceEncoder

MOST_EXAMPLES_TRIED = 200
"""More examples than that take longer than a page should; the command has no such bound."""
LoadEncoder = Callable[[Settings], "SentenceEncoder"]


def build_meaning(settings: Settings, load_encoder: LoadEncoder) -> Meaning:
    """Return the encoder by which rules compare meanings; it is loaded when it is first asked for.

    Its vectors are stored under the sums of its files: those of another encoder are not compared with.
    """
    files = ModelLock.load(settings.user_lock).model(ENCODER).files
    sums = hashlib.sha256("".join(sorted(file.sha256 for file in files)).encode()).hexdigest()
    return Meaning(f"{ENCODER} @ {sums[:16]}", LazyEncoder(partial(load_encoder, settings)))


def build_writer(settings: Settings, load_encoder: LoadEncoder, *, vectors: bool = True) -> FeatureWriter:
    """Return what keeps of recordings what rules look at, with vectors of their turns if wanted.

    Inspection and vectors share one encoder.
    """
    meaning = build_meaning(settings, load_encoder)
    inspecting = build_inspecting(settings, lambda _: meaning.encoder)
    return FeatureWriter(inspecting, meaning if vectors else None)


def build_desk(
    sessions: sessionmaker[Session], features: FeatureWriter, understanding: Callable[[], Understands]
) -> HistoryDesk:
    """Return the desk; ``understanding`` is called when examples are first run."""
    inspecting = features.inspecting

    def examples(definition: Definition) -> Sequence[ExampleResult]:
        if example_count(definition) > MOST_EXAMPLES_TRIED:
            raise InvalidInput(f"at most {MOST_EXAMPLES_TRIED} examples are run; use `huaxiang rules test`")
        return run_examples_of(definition, understanding(), inspecting.inspection.heard)

    return HistoryDesk(sessions, inspecting.rules, inspecting.zone, examples, features.meaning)
