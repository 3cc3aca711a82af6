"""The few profile fields that a conversation fills, and the many likenesses that fill none."""

from __future__ import annotations

import pytest
from profile_calls import NOON, A, C, Call, U

from huaxiang.core.types import FindingKind, Json
from huaxiang.profile.heard import heard_fields


def fields(of: Call) -> dict[str, Json]:
    return {field.name: field.value for field in heard_fields(*of.arguments())}


def greeting(said: str, *people: str, company: str | None = None) -> Call:
    of = Call("r1", [(A, said), (C, "你说")])
    for person in people:
        of.entity("person", 0, person)
    return of.entity("company", 0, company) if company else of


@pytest.mark.parametrize(
    ("said", "person"),
    [
        ("喂，梁总您好，我是云帆软件的小何", "梁总"),
        ("周经理您好，我恒算的小孟", "周经理"),
        ("您好，请问是丁经理吗？我叫小葛", "丁经理"),
        ("您好贾女士，我是绿筑装饰的", "贾女士"),
        ("您好，褚女士是吧，我这边是安和保险的", "褚女士"),
        ("糖糖老师晚上好，我是橙仓的小夏", "糖糖老师"),
        ("欧阳先生您好，我是青麓投顾的", "欧阳先生"),
    ],
)
def test_whom_the_agent_greets_is_how_the_customer_is_addressed(said: str, person: str) -> None:
    assert fields(greeting(said, person)) == {"addressed_as": person}


@pytest.mark.parametrize(
    ("said", "people"),
    [
        ("您好，我是校区的汪校长", ["汪校长"]),
        ("您好，黎老师介绍我来的", ["黎老师"]),
        ("找一下卢经理", ["卢经理"]),
        ("温总好，莉莉好，我是橙果的", ["温总", "莉莉"]),
        ("梁总，钟厂，又见面了", ["梁总", "钟厂"]),
        ("邵总、丁经理，两位上午好", ["邵总", "丁经理"]),
        ("小宇爸爸您好", ["小宇"]),
        ("您好，云帆的小何", ["小何"]),
    ],
    ids=[
        "introduces himself",
        "third person",
        "asked for",
        "two",
        "two, one untitled",
        "two with 、",
        "a child",
        "no title",
    ],
)
def test_other_names_in_a_greeting_are_not_the_customer(said: str, people: list[str]) -> None:
    assert not fields(greeting(said, *people))


def test_a_name_later_in_the_call_is_not_how_the_customer_is_addressed() -> None:
    of = Call("r1", [(A, "您好"), (C, "你说"), (A, "嗯"), (A, "王总您好")]).entity("person", 3, "王总")
    assert not fields(of)


def test_the_firm_of_the_person_asked_for_is_the_customers_company() -> None:
    of = greeting("您好，请问是贝乐玩具的翁小姐吗，我是汇泽的托尼", "翁小姐", company="贝乐玩具")
    assert fields(of) == {"addressed_as": "翁小姐", "company": "贝乐玩具"}
    of = greeting("您好，请问是彩源涂料采购部的汪女士吗", "汪女士", company="彩源涂料")
    assert fields(of)["company"] == "彩源涂料"


def test_the_agents_own_firm_is_not_the_customers_company() -> None:
    assert fields(greeting("梁总您好，我是云帆软件的小何", "梁总", company="云帆软件")) == {
        "addressed_as": "梁总"
    }


def test_a_number_the_customer_gives_is_a_contact_phone_in_one_form() -> None:
    of = Call("r1", [(C, "打幺三九零零零零二二幺七")]).entity(
        "phone", 0, "幺三九零零零零二二幺七", "13900002217"
    )
    (field,) = heard_fields(*of.arguments())
    assert (field.name, field.value) == ("contact_phone", "+8613900002217")
    provenance = field.provenance
    assert (provenance.source, provenance.source_id, provenance.observed_at) == ("conversation", "r1", NOON)
    assert provenance.rule == "profile.heard@1 on test @ 1"
    assert provenance.evidence[0].quote == "幺三九零零零零二二幺七"


@pytest.mark.parametrize("role", [A, U])
def test_a_number_that_the_customer_does_not_surely_give_is_none(role: object) -> None:
    of = Call("r1", [(role, "打幺三九零零零零二二幺七")])  # type: ignore[list-item]
    assert not fields(of.entity("phone", 0, "幺三九零零零零二二幺七", "13900002217"))


def test_digits_that_are_no_phone_number_are_none() -> None:
    assert not fields(Call("r1", [(C, "打幺幺零")]).entity("phone", 0, "幺幺零", "110"))


@pytest.mark.parametrize(
    ("said", "used"),
    [
        ("我们早就用电子的了，用的法签宝，一年多了", True),
        ("油啊，我们一直用法签宝", True),
        ("我同学她们公司用的法签宝", False),
        ("法签宝上周来找过我们", False),
        ("我们不用法签宝", False),
    ],
)
def test_a_competitor_is_in_use_where_the_customer_says_that_they_use_it(said: str, used: bool) -> None:
    of = Call("r1", [(C, said)]).entity("competitor", 0, "法签宝").objection("competitor", 0)
    assert fields(of) == ({"competitor_used": "法签宝"} if used else {})


def test_a_competitor_named_without_an_objection_is_not_taken_to_be_in_use() -> None:
    assert not fields(Call("r1", [(C, "用的法签宝")]).entity("competitor", 0, "法签宝"))


def test_the_next_step_is_the_one_agreed_last_with_its_time() -> None:
    of = Call("r1", [(A, "明天发您资料"), (C, "好，周四下午三点来演示")])
    of.found(FindingKind.NEXT_STEP, "material", 0).found(
        FindingKind.NEXT_STEP, "demo", 1, "周四下午三点来演示"
    )
    of.entity("time", 0, "明天", "2026-11-11").entity("time", 1, "周四下午三点", "2026-11-12T15:00:00+08:00")
    assert fields(of) == {
        "next_step": {
            "kind": "demo",
            "text": "周四下午三点来演示",
            "due_at": "2026-11-12T15:00:00+08:00",
            "due_text": "周四下午三点",
        }
    }


@pytest.mark.parametrize(("due_at", "kept"), [("2026-11-12", "2026-11-12"), ("2026-W46", None), (None, None)])
def test_a_step_that_knows_its_time_keeps_the_day_or_else_the_words(due_at: Json, kept: Json) -> None:
    of = Call("r1", [(C, "下周来演示吧")])
    of.found(FindingKind.NEXT_STEP, "demo", 0, value={"due_at": due_at, "due_text": "下周", "agreed": True})
    step = fields(of)["next_step"]
    assert step == {"kind": "demo", "text": "下周来演示吧", "due_at": kept, "due_text": "下周"}


def test_a_next_step_without_a_time_has_none() -> None:
    of = Call("r1", [(C, "回头再说")]).found(FindingKind.NEXT_STEP, "callback", 0)
    assert fields(of)["next_step"] == {
        "kind": "callback",
        "text": "回头再说",
        "due_at": None,
        "due_text": None,
    }


def test_no_next_step_is_no_field() -> None:
    assert not fields(Call("r1", [(C, "不用了")]).found(FindingKind.NEXT_STEP, "none", 0))
