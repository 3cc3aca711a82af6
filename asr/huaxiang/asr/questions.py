"""Which clauses ask, by their form: the recogniser's own marks are unreliable or missing.

The rules were written on one half of the developers' conversations and are reported on the other
(``docs/questions.md``).
"""

from __future__ import annotations

import re

_MARKS = "，。？！、；：… "
_SOFTENERS = re.compile("[啊呀呐哈嘛哦喔啦]+$")

# 吗 and 么 ask, but not the 么 of 什么, 怎么, 那么, 这么, 多么, 要么.
_ASKING_PARTICLE = re.compile("(?:吗|(?<![什怎这那多要])么|伐|啵)$")
# 是吧, 对吧; and 吧 after what only a guess would say: 不会太贵吧, 该到了吧.
_GUESS = re.compile("(?:是|对)吧$|(?:不会|不是|没|该).*吧$|^(?:喂|哎|您好|你好|请问)*是.+吧$")
# A question that leaves its second half out: 能便宜不, 打了没, 有电梯没有.
_HALF = re.compile("..(?:不|没)$|..没有$")
_NOT_HALF = re.compile("[都也还]没(?:有)?$|从来没有|没有没有|什么.*没有|点.*没有|一.+都?没有")
# 那价格呢; not 等着呢, 还没呢.
_SHORT_TOPIC = re.compile("^[^着还没才正可多在了]{1,5}呢$")
_ALTERNATIVE = re.compile("[^，那我您你他她它就这可但都真们]{2}还是[^得会要想挺很不有没那能觉算希建老]")
_A_NOT_A = re.compile(
    r"(?<!没)([\u4e00-\u9fff])[不没]\1(?!都|也|一个样|随)|(?<!没)有没有|是不是|能不能|可不可以|方不方便|行不行|好不好|对不对"
)
_QUESTION_WORD = re.compile(
    "什么|怎么|怎样|如何|多少|哪|为什么|为啥|谁|啥|咋|多久|多大|多长|多远|多高|多宽|多重|多快"
    "|几(?=[个天年月岁点号次种块万千百间台人位家层楼套折成期级斤吨米平])"
)
_NOT_ASKED = re.compile(
    "(?:没|不|都|也|随便|无论|不管|不管是)(?:什么|怎么|哪|谁|啥|咋)|(?:什么|怎么|哪|谁|啥)[^，。]{0,4}[都也]"
    "|什么的|怎么说|没几|好几|十几|几十|谁(?:不|知道|晓得|让你|叫你|稀罕)|(什么|怎么|多少|哪|谁|啥).*\\1"
)
# Asked of oneself, or told: 我看看哪个合适, 教您怎么练. 你知道…吗 ends in 吗 and is settled before.
_TOLD = re.compile(
    "(?:知道|看看|看一下|想想|说说|讲讲|问问|问下|问一下|告诉|教[您你]|提醒|了解|研究|算算|查一下|查查|记得|明白|清楚|晓得)"
    ".*(?:什么|怎么|怎样|多少|哪|为啥|谁|啥|咋|几|多[久大长远高宽]|[不没])"
)


def asks(clause: str) -> bool:
    """Tell whether a clause is a question by its form (docs/questions.md); marks are ignored."""
    clause = clause.strip(_MARKS)
    if _ASKING_PARTICLE.search(clause):
        return True
    bare = _SOFTENERS.sub("", clause)
    if _GUESS.search(bare) or (_HALF.search(bare) and not _NOT_HALF.search(bare)):
        return True
    if _TOLD.search(bare):
        return False
    if _A_NOT_A.search(bare) or _ALTERNATIVE.search(bare) or _SHORT_TOPIC.search(clause):
        return True
    return bool(_QUESTION_WORD.search(bare)) and not _NOT_ASKED.search(bare)
