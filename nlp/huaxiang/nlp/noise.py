"""Makes typed conversations look like recognised ones, so that training has seen what will come.

What a recogniser does to speech: characters are mistaken for others of the same sound, punctuation is
lost or is not where a writer would put it, numbers come as digits, and two turns of one speaker are
run together where no pause was heard.
"""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from huaxiang.core.types import Turn
from huaxiang.nlp.conversation_file import TurnTruth

Labelled = tuple[Turn, TurnTruth]
_HAN = re.compile("[一-鿿]")
_PUNCTUATION = re.compile("[，。？！、；：…—,.?!;:“”]+")
_NUMERAL = re.compile("[零一二两三四五六七八九十百千万亿点]{2,}")


@dataclass(frozen=True, slots=True)
class NoiseLevel:
    """How much is damaged: shares of characters, of punctuation marks, of numerals and of turn ends."""

    homophones: float = 0.04
    punctuation: float = 0.5
    digits: float = 0.5
    merges: float = 0.15


class Homophones:
    """Characters by sound (pinyin without tone), drawn as often as the texts use them."""

    def __init__(self, texts: Sequence[str]) -> None:
        from pypinyin import lazy_pinyin

        counts = Counter(character for text in texts for character in text if _HAN.match(character))
        self._sound: dict[str, str] = {character: lazy_pinyin(character)[0] for character in counts}
        by_sound: dict[str, list[str]] = defaultdict(list)
        for character in sorted(counts):
            by_sound[self._sound[character]].append(character)
        self._by_sound: Mapping[str, list[str]] = by_sound
        self._counts = counts

    def replace(self, character: str, random_source: random.Random) -> str:
        """Return another character of the same sound, or ``character`` where there is none."""
        others = [
            other for other in self._by_sound.get(self._sound.get(character, ""), []) if other != character
        ]
        if not others:
            return character
        return random_source.choices(others, [self._counts[other] for other in others])[0]


def damage(
    turns: Sequence[Labelled], level: NoiseLevel, homophones: Homophones, random_source: random.Random
) -> list[Labelled]:
    """Return the conversation as a recogniser might have written it, with the labels that it keeps."""
    damaged = [
        (replace(turn, text=_damage_text(turn.text, level, homophones, random_source)), truth)
        for turn, truth in turns
    ]
    return _merge(damaged, level.merges, random_source)


def _damage_text(text: str, level: NoiseLevel, homophones: Homophones, random_source: random.Random) -> str:
    text = _NUMERAL.sub(lambda match: _digits(match.group(), level.digits, random_source), text)
    text = _PUNCTUATION.sub(
        lambda match: "" if random_source.random() < level.punctuation else match.group(), text
    )
    characters = [
        homophones.replace(character, random_source)
        if random_source.random() < level.homophones
        else character
        for character in text
    ]
    return "".join(characters) or "嗯"


def _digits(numeral: str, share: float, random_source: random.Random) -> str:
    from cn2an import cn2an

    if random_source.random() >= share:
        return numeral
    try:
        value = cn2an(numeral, "smart")
    except (ValueError, KeyError):  # 三四十, 一亿一 and the like have no single value
        return numeral
    return f"{value:g}" if value < 100_000 else f"{value / 10_000:g}万"


def _merge(turns: Sequence[Labelled], share: float, random_source: random.Random) -> list[Labelled]:
    merged: list[Labelled] = []
    for turn, truth in turns:
        if merged and merged[-1][0].role is turn.role and random_source.random() < share:
            before, before_truth = merged[-1]
            merged[-1] = replace(before, text=before.text + turn.text), join_truths(before_truth, truth)
        else:
            merged.append((turn, truth))
    return [(replace(turn, index=index), truth) for index, (turn, truth) in enumerate(merged)]


def join_truths(first: TurnTruth, second: TurnTruth) -> TurnTruth:
    """Return the labels of two turns read as one: the union, the first objection, the stronger mood."""
    return TurnTruth(
        intents=first.intents | second.intents,
        objection=first.objection or second.objection,
        sentiment=first.sentiment if first.sentiment != "neutral" else second.sentiment,
        acts=first.acts | second.acts,
        entities=(*first.entities, *second.entities),
    )
