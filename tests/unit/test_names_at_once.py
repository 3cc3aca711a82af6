"""One tagger of names serves several conversations at once."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from huaxiang.core.types import Role
from huaxiang.nlp.entities.names import packaged_names
from huaxiang.nlp.entities.words import jieba_words

CONVERSATIONS = (
    ["我是平野财险的何静，您是周先生吗？", "对，我在杭州。"],
    ["我们公司叫青禾科技，做生鲜的。", "好的，那我把云仓系统的资料发给您，我叫林晓。"],
    ["嗯。", "你们比用友贵多了吧？"],
    ["您好，请问是苏州的吴老板吗？我是德邦的业务员小陈。"],
)


@contextmanager
def often_interrupted() -> Iterator[None]:
    """Let threads take turns after every few instructions."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def test_conversations_at_once_have_the_names_that_each_has_alone() -> None:
    names = packaged_names(jieba_words())
    roles = [[Role.AGENT] * len(turns) for turns in CONVERSATIONS]
    alone = [names.find(turns, of) for turns, of in zip(CONVERSATIONS, roles, strict=True)]
    assert any(found for turns in alone for found in turns)
    with often_interrupted(), ThreadPoolExecutor(len(CONVERSATIONS)) as pool:
        for _ in range(30):
            assert list(pool.map(names.find, CONVERSATIONS, roles)) == alone
