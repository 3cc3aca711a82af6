"""How conversations are spread over the folds of a cross-validation."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence

from huaxiang.nlp.conversation_file import Conversation

FOLDS = 5
BESIDE = -1
"""The fold of conversations that every fold learns from and none judges."""


def folds_of(conversations: Sequence[Conversation], folds: int = FOLDS, seed: int = 7) -> list[int]:
    """Return the fold of each conversation; those of one kind (id without its number) are spread evenly."""
    groups: dict[str, list[int]] = defaultdict(list)
    for place, conversation in enumerate(conversations):
        groups[conversation.id.rsplit("-", 1)[0]].append(place)
    source = random.Random(seed)  # noqa: S311 - repeatable on purpose
    fold = [0] * len(conversations)
    for name in sorted(groups):
        places = groups[name]
        source.shuffle(places)
        start = source.randrange(folds)
        for step, place in enumerate(places):
            fold[place] = (start + step) % folds
    return fold
