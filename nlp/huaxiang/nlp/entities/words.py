"""Mandarin words by jieba: where they end, what part of speech they are, which are ordinary."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import jieba

_PROPER = ("nr", "ns", "nt", "nz", "nrt", "nrfg")


class Words:
    """Looks words up and cuts text into them.

    ``table`` maps a word to its frequency and part-of-speech tag (jieba's tag set).
    """

    def __init__(self, table: Mapping[str, tuple[int, str]], tokenizer: jieba.Tokenizer) -> None:
        self._table = table
        self._tokenizer = tokenizer

    def is_ordinary(self, word: str, least_frequency: int = 3) -> bool:
        """Tell whether ``word`` is a word of the language rather than a name."""
        frequency, tag = self._table.get(word, (0, ""))
        return frequency >= least_frequency and tag not in _PROPER

    def cut(self, text: str) -> Iterator[tuple[str, str]]:
        """Yield the words of ``text`` with their tags; unknown ones are single characters, ``?``."""
        for word in self._tokenizer.cut(text, HMM=False):
            yield word, self._table.get(word, (0, "?"))[1]


@cache
def jieba_words() -> Words:
    """Load jieba's dictionary (about two seconds, once a process)."""
    import logging

    import jieba  # loaded late: only a composition root needs it

    jieba.setLogLevel(logging.WARNING)
    tokenizer = jieba.Tokenizer()
    tokenizer.initialize()
    table: dict[str, tuple[int, str]] = {}
    with tokenizer.get_dict_file() as lines:
        for line in lines:
            word, frequency, tag = line.decode("utf-8").split()
            table[word] = (int(frequency), tag)
    return Words(table, tokenizer)
