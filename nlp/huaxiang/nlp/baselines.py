"""What simple means reach on the same conversations: keyword lists, and embeddings with a regression.

A model's figures mean little alone. Both baselines give labels by task for each turn; that of keywords
needs no training, and the regression judges each conversation by what it learned from the other folds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from itertools import pairwise
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from huaxiang.core.types import Role, Turn
from huaxiang.nlp.conversation_file import Conversation
from huaxiang.nlp.encoder import SentenceEncoder
from huaxiang.nlp.evaluate import TASKS, NlpScores
from huaxiang.nlp.folds import FOLDS, folds_of
from huaxiang.nlp.labels import ACTS, INTENTS, OBJECTIONS, SENTIMENTS

Labels = Mapping[str, Sequence[str]]
_ROUNDS = 1000


class KeywordLabels:
    """Gives a turn the labels whose words it holds, those of its speaker's role only."""

    def __init__(self) -> None:
        text = files("huaxiang.nlp").joinpath("cues.yaml").read_text(encoding="utf-8")
        document: Mapping[str, Mapping[str, str]] = yaml.safe_load(text)
        self._cues = {
            task: {label: re.compile(words) for label, words in labels.items()}
            for task, labels in document.items()
        }

    def label(self, turn: Turn) -> Labels:
        """Return the labels of a turn by task; of several objections or moods the first listed."""
        found = {
            task: [label for label, words in cues.items() if words.search(turn.text)]
            for task, cues in self._cues.items()
        }
        return {
            "intents": found["intents"] if turn.role is not Role.AGENT else [],
            "objection": found["objection"][:1] if turn.role is not Role.AGENT else [],
            "sentiment": found["sentiment"][:1] or ["neutral"],
            "acts": found["acts"] if turn.role is not Role.CUSTOMER else [],
        }


def keyword_scores(conversations: Sequence[Conversation]) -> dict[str, Any]:
    """Return the scores of the keyword lists."""
    keywords = KeywordLabels()
    return _scored(
        conversations,
        [[keywords.label(turn) for turn in item.transcript.turns] for item in conversations],
    )


def embedding_scores(
    conversations: Sequence[Conversation], encoder: SentenceEncoder
) -> dict[str, Any] | None:
    """Return the scores of a regression on frozen embeddings of the turns, each fold by the others.

    ``None`` where there are fewer conversations than folds. A turn's features are its vector, that of
    the turn before it, and its role. No thresholds are tuned: a label is given where it is likelier
    than not.
    """
    if len(conversations) < FOLDS:
        return None
    turns = [turn for item in conversations for turn in item.transcript.turns]
    owner = np.repeat(np.arange(len(conversations)), [len(item.transcript.turns) for item in conversations])
    vectors = encoder.encode([turn.text for turn in turns])
    before = np.vstack([np.zeros_like(vectors[:1]), vectors[:-1]])
    before[np.flatnonzero(np.diff(owner, prepend=-1))] = 0.0
    customer = np.array([turn.role is Role.CUSTOMER for turn in turns])
    features = np.hstack([vectors, before, customer[:, None].astype(np.float32)])
    fold = np.asarray(folds_of(conversations))[owner]
    found: list[dict[str, list[str]]] = [{task: [] for task in TASKS} for _ in turns]
    for task, inventory in _questions():
        rows = {"acts": ~customer, "sentiment": np.ones(len(turns), dtype=bool)}.get(task, customer)
        wanted = _wanted(conversations, task, inventory)
        for row, label in _predicted(features, wanted, rows, fold, inventory):
            found[row][task].append(label)
    places = np.cumsum([0, *(len(item.transcript.turns) for item in conversations)])
    return _scored(conversations, [found[start:end] for start, end in pairwise(places.tolist())])


def _questions() -> tuple[tuple[str, Sequence[str]], ...]:
    """Return what is asked: each intent and act by itself, objection and sentiment as a choice."""
    single = [("intents", (label,)) for label in INTENTS] + [("acts", (label,)) for label in ACTS]
    return (*single, ("objection", ("", *OBJECTIONS)), ("sentiment", tuple(SENTIMENTS)))


def _wanted(conversations: Sequence[Conversation], task: str, inventory: Sequence[str]) -> NDArray[np.int64]:
    truths = [truth for item in conversations for truth in item.labels.turns]
    if task in ("intents", "acts"):
        return np.array([inventory[0] in getattr(truth, task) for truth in truths], dtype=np.int64)
    return np.array([inventory.index(getattr(truth, task) or "") for truth in truths], dtype=np.int64)


def _predicted(
    features: NDArray[np.float32],
    wanted: NDArray[np.int64],
    rows: NDArray[np.bool_],
    fold: NDArray[np.int64],
    inventory: Sequence[str],
) -> list[tuple[int, str]]:
    """Return the turns that get a label, by regressions on the other folds."""
    from sklearn.linear_model import LogisticRegression

    given = []
    names = inventory if len(inventory) > 1 else ("", inventory[0])
    for left_out in range(FOLDS):
        seen, asked = rows & (fold != left_out), np.flatnonzero(rows & (fold == left_out))
        if not len(asked) or not seen.any():
            continue
        classes = np.unique(wanted[seen])
        if len(classes) == 1:
            answers = np.repeat(classes, len(asked))
        else:
            model = LogisticRegression(C=10.0, max_iter=_ROUNDS).fit(features[seen], wanted[seen])
            answers = model.predict(features[asked])
        given += [(int(row), names[place]) for row, place in zip(asked, answers, strict=True) if names[place]]
    return given


def _scored(conversations: Sequence[Conversation], found: Sequence[Sequence[Labels]]) -> dict[str, Any]:
    scores = NlpScores()
    for item, labels in zip(conversations, found, strict=True):
        for given, truth in zip(labels, item.labels.turns, strict=True):
            scores.add_labels({task: given[task] or _nothing(task) for task in TASKS}, truth)
    document = scores.document()
    kept = {name: document[name] for name in ("intents", "objection", "sentiment", "acts")}
    return kept | {
        "forbidden": {name: document["forbidden"][name] for name in ("precision", "recall", "micro_f1")}
    }


def _nothing(task: str) -> list[str]:
    return ["neutral"] if task == "sentiment" else []
