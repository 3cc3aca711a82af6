"""Counts how people word things in sales conversations (``huaxiang train words``)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from huaxiang.asr.role_training import Conversation

_HAN = re.compile(r"[\u3400-\u9fff]+")


class AsWritten:
    """Leaves a text as it is: a recogniser's words are spoken ones, numerals too."""

    def readable(self, raw: str) -> str:
        """Return the text."""
        return raw


def sentences_of(
    conversations: Sequence[Conversation], cut: Callable[[str], Iterable[str]]
) -> list[tuple[str, ...]]:
    """Return the words of every stretch of Han characters between two marks, as ``cut`` parts them."""
    return [
        tuple(cut(stretch))
        for conversation in conversations
        for _, text in conversation.turns
        for stretch in _HAN.findall(text)
    ]
