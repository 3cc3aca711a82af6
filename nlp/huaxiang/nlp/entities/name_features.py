"""Turns each character of a turn into the features that the name tagger decides by.

Beside the characters around it these are: the word and part of speech it stands in, what the forms
of ``people`` and the list of places say, words that end names of companies, products and places,
who speaks, how early, and whether the unusual pair of characters comes again in the conversation.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from huaxiang.core.types import Role
from huaxiang.nlp.entities.people import find_people
from huaxiang.nlp.entities.places import known_places
from huaxiang.nlp.entities.words import Words

Span = tuple[int, int]

_ENDINGS = re.compile(
    "银行|证券|基金|人寿|保险|财险|车险|软件|科技|数据|网络|通信|汽车|口腔|健身|留学|教育|英语|猎头|测评|文化|传媒|装饰|家居|旅行"
    "|会展|影像|机床|机械|激光|数控|器械|涂料|水泥|化工|管业|食品|粮油|配送|包装|快递|物流|冷链|专线|物业|家政|集团|公司|套餐|课|险|卡|贷"
    "|系统|机|仪|服务|方案|路|小区|花园|广场|物流园|支行|镇|村|学校|小学|医院"
)
_CHINESE_PAIR = re.compile("[一-龥]{2}")


def features(texts: Sequence[str], roles: Sequence[Role], words: Words) -> list[list[list[str]]]:
    """Return the features of every character of every turn of one conversation."""
    people = find_people(texts, words)
    whole = "|".join(texts)
    return [
        _turn_features(text, _speaker(role, index), people[index], whole, words)
        for index, (text, role) in enumerate(zip(texts, roles, strict=True))
    ]


def _speaker(role: Role, index: int) -> tuple[str, str]:
    early = "0" if index == 0 else "1" if index < 3 else "2"
    return role.value[0], early


def _turn_features(
    text: str, speaker: tuple[str, str], people: Sequence[Span], whole: str, words: Words
) -> list[list[str]]:
    role, early = speaker
    layers = {
        "person": _inside(len(text), people),
        "place": _inside(len(text), [match.span() for match in known_places().finditer(text)]),
        "ending": _inside(len(text), [match.span() for match in _ENDINGS.finditer(text)]),
        "again": _repeated(text, whole, words),
    }
    positions, tags = _word_layers(text, words)
    padded = f"^^^^{text}$$$$"
    result = []
    for index in range(len(text)):
        found = [f"role={role}", f"early={early}", f"role,early={role}{early}"]
        found += _characters(padded, index + 4, role, early)
        for distance in range(-2, 3):
            if 0 <= (near := index + distance) < len(text):
                found.append(f"word{distance}={positions[near]}")
                found.append(f"tag{distance}={positions[near]}{tags[near]}")
        for name, layer in layers.items():
            for distance in range(-2, 4):
                if 0 <= (near := index + distance) < len(text) and layer[near]:
                    found.append(f"{name}{distance}={layer[near]}")
        result.append(found)
    return result


def _characters(padded: str, at: int, role: str, early: str) -> list[str]:
    found = [f"c{distance}={padded[at + distance]}" for distance in range(-3, 4)]
    found += [f"cc{distance}={padded[at + distance : at + distance + 2]}" for distance in range(-3, 3)]
    found += [f"ccc{distance}={padded[at + distance : at + distance + 3]}" for distance in (-3, -2, -1, 0, 1)]
    found += [
        f"role,c={role}{padded[at]}",
        f"role,cc={role}{padded[at - 1 : at + 1]}",
        f"early,cc={early}{role}{padded[at - 2 : at]}",
    ]
    return found


def _inside(length: int, spans: Sequence[Span]) -> list[str]:
    layer = [""] * length
    for start, end in spans:
        layer[start:end] = ["B"] + ["I"] * (end - start - 1)
    return layer


def _repeated(text: str, whole: str, words: Words) -> list[str]:
    layer = [""] * len(text)
    for index, pair in enumerate(map("".join, pairwise(text))):
        if _CHINESE_PAIR.fullmatch(pair) and not words.is_ordinary(pair):
            layer[index] = "2" if whole.count(pair) > 1 else "1"
    return layer


def _word_layers(text: str, words: Words) -> tuple[list[str], list[str]]:
    positions: list[str] = []
    tags: list[str] = []
    for word, tag in words.cut(text):
        tags += [tag] * len(word)
        positions += ["S"] if len(word) == 1 else ["B", *["M"] * (len(word) - 2), "E"]
    return positions, tags
