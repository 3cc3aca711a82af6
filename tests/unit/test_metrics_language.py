"""Questions, length as read, and fillers in Mandarin."""

from __future__ import annotations

import pytest

from huaxiang.nlp.metrics.language import characters_read, count_fillers
from huaxiang.nlp.metrics.questions import count_questions


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("您好，王总。", 4),
        ("6400块", 5),  # 六千四百块
        ("30,000元", 3),  # 三万元
        ("1.5万", 4),  # 一点五万
        ("涨了12%", 7),  # 涨了百分之十二
        ("13658820991", 11),  # digit by digit
        ("用CRM和ERP", 4),
        ("", 0),
        ("……！", 0),
    ],
)
def test_length_as_read(text: str, length: int) -> None:
    assert characters_read(text) == length


@pytest.mark.parametrize(
    "text",
    [
        "您方便吗",
        "多少钱一年",
        "你们是做什么的",
        "这个怎么收费",
        "谁来负责",
        "能不能便宜点",
        "你看行不行",
        "是不是太晚了",
        "哪天有空",
        "那边呢",
        "您要红的还是蓝的？",
        "真的？",
        "为什么这么贵",
        "咋弄",
        "几个人用",
        "您贵姓",
        "合同带了没",
        "后备箱能放平不",
        "能否便宜一点",
        "不知道您什么时候方便",
        "您看这个贵不贵",
        "怎么这么贵",
    ],
)
def test_it_asks(text: str) -> None:
    assert count_questions(text) == 1


@pytest.mark.parametrize(
    "text",
    [
        "我们有四十个人。",
        "没什么问题。",
        "好几个同事都在用。",
        "十几台设备。",
        "谁都知道。",
        "不怎么用。",
        "多好的东西。",
        "那个什么都行。",
        "我明天给您打电话。",
        "不变不变。",
        "我不知道多少钱。",
        "我看看丑不丑。",
        "什么时候来都行。",
        "还在呢。",
        "接不接的再说。",
        "多少有点贵。",
        "有什么不明白的，您问我。",
        "那么我先挂了。",
        "要么明天。",
    ],
)
def test_it_does_not_ask(text: str) -> None:
    assert count_questions(text) == 0


def test_every_sentence_of_a_turn_is_asked_for() -> None:
    assert count_questions("您现在几个人？都用什么记？我们可以看看。") == 2


def test_a_particle_ends_a_question_where_no_mark_does() -> None:
    assert count_questions("您方便吗我想问一下你们现在有供应商吗") == 2


@pytest.mark.parametrize(
    ("text", "fillers"),
    [
        ("呃，我想想", 1),
        ("那个，就是，我们预算不多", 2),
        ("嗯，然后，您看", 2),
        ("那个软件就是我们用的", 0),  # said for their meaning
        ("您好", 0),
    ],
)
def test_fillers_stand_alone(text: str, fillers: int) -> None:
    assert count_fillers(text) == fillers
