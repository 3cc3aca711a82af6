"""The versions in which training sees a conversation: as typed, damaged on purpose, and as it was heard."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from huaxiang.nlp.conversation_file import Conversation
from huaxiang.nlp.noise import Homophones, Labelled, NoiseLevel, damage

TYPED, HEARD = 0, -1
"""The numbers of the version that was typed and of that which a recogniser wrote; damaged ones lie above."""

Versions = Mapping[int, Sequence[Labelled]]


def versions_of(
    conversations: Sequence[Conversation],
    damaged: Sequence[NoiseLevel],
    seed: int,
    heard: Mapping[str, Sequence[Labelled]],
) -> list[Versions]:
    """Return the versions of each conversation by their number, with the labels that each keeps.

    ``heard`` has the recognised turns of those conversations, by id, of which there is a recording. The
    same arguments give the same versions.
    """
    homophones = Homophones([turn.text for item in conversations for turn in item.transcript.turns])
    found: list[Versions] = []
    for number, conversation in enumerate(conversations):
        typed = list(zip(conversation.transcript.turns, conversation.labels.turns, strict=True))
        versions: dict[int, Sequence[Labelled]] = {TYPED: typed}
        for version, level in enumerate(damaged, start=1):
            source = random.Random(f"{seed}:{version}:{number}")  # noqa: S311 - repeatable on purpose
            versions[version] = damage(typed, level, homophones, source)
        if conversation.id in heard:
            versions[HEARD] = heard[conversation.id]
        found.append(versions)
    return found
