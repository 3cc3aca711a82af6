"""Mandarin questions by their form, with or without the recogniser's punctuation."""

from __future__ import annotations

import re

# 吗 ends a sentence even where nobody wrote a mark behind it.
_SENTENCE = re.compile(r"(?:[^。！？!?；;…吗\n]+吗?|吗)[，,。！？!?；;…\s]*|[？?]+")
_CLAUSE = re.compile("[^，,、]+")
_MARK = re.compile("[？?]")
_TAIL = re.compile("[，,。！!；;…~\\s]+$")
_FINAL_PARTICLE = re.compile("(?:吗|(?<![什怎这那要多])么)$")
_FINAL_NE = re.compile("呢$")
# 还在呢, 忙着呢: 呢 that tells how things stand. With a question word the word decides.
_NE_OF_STATE = re.compile("[还正才没]|着呢|可[^以能].*呢")
_FINAL_NEGATION = re.compile("(?:[了过]没有?|[能要行有会].*不|得不)$")
_CHOICE = re.compile(
    "(?<!不)(?P<one>[一-龥])不(?P=one)(?!的)|(?P<two>[一-龥]{2})不(?P=two)|有没有|能否|可否|是否"
)
_WORD = re.compile(
    "(?<=[做干卖管搞])什么|什么(?!的$)|啥|怎么|怎样|咋|多少(?!有点|有些|也|总)|多(?:久|大|长|高|远|重)|几多|好多钱|贵姓|么子"
    "|几(?:个|点|年|月|号|台|家|口|岁|次|天|块|位|楼|平|成|倍|人|分|套|种)|哪(?!怕|里哪里)|谁|为何|如何|干嘛|干吗|点解"
)
# What makes a question word indefinite by standing right before it: 没什么, 不管怎样.
_INDEFINITE_BEFORE = re.compile("(?:没有?|不|[不无]论|不管|随便|一个)$")
# 好几个, 十几台, 占用您几分钟: some, not how many.
_SOME_BEFORE = re.compile("(?:[好十百千万这那前后第过等就聊占抓只]|占用[您你侬]?|最近)$")
# What makes it indefinite by following: 谁都, 什么时候来都行.
_INDEFINITE_AFTER = re.compile("^(?:[^，,]{0,6}[都也](?!不知)|说呢|了得)")
_OFFER = re.compile("有(?:什么|啥).{0,10}(?:您|你|随时|尽管|就|直接|再)")
# A question told, not asked: 不知道…, 看看…. 不知道您… and 您看… are polite ways to ask.
_REPORTED = re.compile(
    "[不没](?:太|大)?(?:知道|清楚|晓得|记得|确定|懂|明白|定)(?!您|你)|看看|(?<![您你咱])看(?!来|着|房|车|店)|算算|听听|告诉|再说"
)


def count_questions(text: str) -> int:
    """Return how many sentences of a turn ask something.

    A sentence asks where it is marked by ？, a clause of it ends in 吗 呢 么 or an elided choice (了没,
    能…不), holds a question word that is used as one (not 没什么, 好几个, 谁都), or offers a choice
    (A不A, 是不是, 能不能). A question that is only told (不知道多少钱) is none.
    """
    return sum(_asks(sentence) for sentence in _SENTENCE.findall(text))


def _asks(sentence: str) -> bool:
    if _MARK.search(sentence):
        return True
    plain = _TAIL.sub("", sentence)
    return not _OFFER.search(plain) and any(_clause_asks(clause) for clause in _CLAUSE.findall(plain))


def _clause_asks(clause: str) -> bool:
    if _FINAL_PARTICLE.search(clause):
        return True
    if _FINAL_NE.search(clause) and not _NE_OF_STATE.search(clause):
        return True
    forms = (*_CHOICE.finditer(clause), *_FINAL_NEGATION.finditer(clause))
    if any(not _REPORTED.search(clause, 0, form.start()) for form in forms):
        return True
    return any(_used_as_question(clause, word) for word in _WORD.finditer(clause))


def _used_as_question(clause: str, word: re.Match[str]) -> bool:
    before, after = clause[: word.start()], clause[word.end() :]
    if word[0].startswith("几") and _SOME_BEFORE.search(before):
        return False
    return not (
        _INDEFINITE_BEFORE.search(before) or _INDEFINITE_AFTER.search(after) or _REPORTED.search(before)
    )
