"""What is said, counted for Mandarin: speed in characters, questions by their form, fillers."""

from __future__ import annotations

import re

import cn2an

_PIECE = re.compile(
    r"(?P<cjk>[一-龥])|(?P<number>\d+(?:[.,]\d+)*)|(?P<latin>[A-Za-z]+(?:['-][A-Za-z]+)*)|(?P<percent>[%％])"
)
_LONGEST_COUNTED_NUMBER = 7  # longer runs of digits are read one by one: telephone and card numbers
_PERCENT_AS_READ = 3  # 百分之
_SENTENCE = re.compile("[^。！？!?；;…]+[。！？!?；;…]*")
_MARKED = re.compile("[？?]")
_FINAL_PARTICLE = re.compile("(?:吗|呢|么(?<!什么)(?<!怎么)(?<!这么)(?<!那么)|嘛不)[，,。.！!…~ ]*$")
_QUESTION_WORD = re.compile(
    "什么(?!都|也|的[，。])|怎么(?!都|也|说呢|了得)|怎样|多少|多久|多大|多长|多高|多远|几(?:个|点|年|月|号|台|家|口|岁|次|天|块|位|楼|平|成|倍|人|分)|哪(?!怕|有空)"
    "|为什么|为啥|谁(?!都|也)|啥(?!都|也)|咋|如何|干嘛|几多|边个|点解"
)
# 什么 and 几 also stand for something or some: 没什么, 不怎么, 好几个, 十几台.
_INDEFINITE = re.compile(
    "没(?:有)?(?:什么|啥|多少|几)|不(?:怎么|咋|管|论)|无论|好几|[十百千万]几|几[十百千万]|什么什么|随便|这几|那几|前几|后几|最近几|过几"
    "|不知道|不清楚|看(?:你|您)"
)
_CHOICE = re.compile(
    "(?P<verb>[一-龥])不(?P=verb)|是不是|能不能|有没有|可不可以|行不行|好不好|对不对|方不方便|要不要|会不会|想不想|合不合适|还是.{1,12}[？?]"
)
_FILLER = re.compile(
    "(?:^|(?<=[，,。！？、…\\s]))(?:那个|就是|然后|呃|嗯|额|这个)(?=[，,。、…\\s]|呃|嗯|那个|就是)|呃+|(?<=[一-龥])[，,]?嗯(?=[，,…])"
)


def characters_read(text: str) -> int:
    """Return the length of ``text`` as read: CJK characters, Latin words, and numbers as spoken.

    ``6400`` counts as 六千四百, four characters; ``12%`` as 百分之十二, five; runs of more than seven
    digits are read digit by digit.
    """
    total = 0
    for match in _PIECE.finditer(text):
        if match["number"]:
            total += _number_as_read(match["number"])
        else:
            total += _PERCENT_AS_READ if match["percent"] else 1
    return total


def count_questions(text: str) -> int:
    """Return how many sentences of a turn ask something.

    A sentence asks where it is marked by ？, ends in 吗 呢 么, holds a question word that is used as
    one (not 没什么, 好几个), or offers a choice (A不A, 是不是, 能不能).
    """
    return sum(_asks(sentence) for sentence in _SENTENCE.findall(text))


def count_fillers(text: str) -> int:
    """Return the fillers of a turn: 呃, and 那个 就是 然后 嗯 where they stand alone between pauses."""
    return len(_FILLER.findall(text))


def _number_as_read(digits: str) -> int:
    plain = digits.replace(",", "")
    whole, _, fraction = plain.partition(".")
    if len(whole) > _LONGEST_COUNTED_NUMBER:
        return len(plain.replace(".", ""))
    spoken = len(cn2an.an2cn(str(int(whole)), "low"))
    return spoken + (1 + len(fraction.replace(".", "")) if fraction else 0)


def _asks(sentence: str) -> bool:
    if _MARKED.search(sentence) or _FINAL_PARTICLE.search(sentence) or _CHOICE.search(sentence):
        return True
    return bool(_QUESTION_WORD.search(sentence)) and not _INDEFINITE.search(sentence)
