"""The grammar as a whole: findings with evidence, names, lexicons, phones, and who wins an overlap."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product
from pathlib import Path

import pytest

from huaxiang.core.errors import InvalidRules, ModelCorrupt, ModelMissing
from huaxiang.core.lexicon import Name
from huaxiang.core.types import FindingKind, Role, Transcript, Turn, Word
from huaxiang.nlp.entities import EntityGrammar, Lexicon
from huaxiang.nlp.entities.name_training import LabelledNames, NameNoise, labels_of, train_names
from huaxiang.nlp.entities.names import CrfNames, NamedSpan, ScriptedNames, recognised_again, spans_of
from huaxiang.nlp.entities.people import find_people
from huaxiang.nlp.entities.phones import find_phones
from huaxiang.nlp.entities.words import jieba_words

STARTED = datetime(2026, 6, 10, 2, 30, tzinfo=UTC)  # 10:30 in Shanghai


def transcript(*texts: str) -> Transcript:
    roles = (Role.AGENT, Role.CUSTOMER)
    turns = tuple(Turn(index, roles[index % 2], 0, 0, text, text) for index, text in enumerate(texts))
    return Transcript("r", turns, duration_ms=0, timed=False)


def entities(grammar: EntityGrammar, *texts: str) -> list[tuple[int, str, str, object]]:
    return [
        (finding.turn, finding.label, finding.evidence[0].quote, finding.value)
        for finding in grammar.find(transcript(*texts), STARTED)
    ]


@pytest.fixture
def grammar() -> EntityGrammar:
    return EntityGrammar(names=ScriptedNames({"三吨锂电叉车": "product", "小何": "person"}))


def test_each_entity_is_a_finding_with_the_words_it_stands_on(grammar: EntityGrammar) -> None:
    found = grammar.find(transcript("我是小何，一年六千四，周四下午三点给您演示"), STARTED)
    assert [(f.kind, f.label, f.evidence[0].quote, f.value) for f in found] == [
        (FindingKind.ENTITY, "person", "小何", None),
        (FindingKind.ENTITY, "money", "六千四", 6400),
        (FindingKind.ENTITY, "time", "周四下午三点", "2026-06-11T15:00+08:00"),
    ]
    assert {f.source for f in found} == {"entity-grammar @ 1", "scripted-names @ 1"}
    assert all(0 < f.confidence <= 1 for f in found)


def test_evidence_is_timed_by_the_words_under_it(grammar: EntityGrammar) -> None:
    words = (Word(0, 500, "一年", 0.9), Word(500, 1400, "六千四", 0.9), Word(1400, 1600, "吧", 0.9))
    turn = Turn(0, Role.AGENT, 0, 1600, "一年六千四吧", "一年六千四吧", words=words)
    (found,) = grammar.find(Transcript("r", (turn,), duration_ms=1600))
    assert (found.evidence[0].start_ms, found.evidence[0].end_ms) == (500, 1400)


def test_words_hardly_heard_lower_the_confidence_and_are_for_review(grammar: EntityGrammar) -> None:
    def heard(confidence: float) -> tuple[float, bool]:
        words = (Word(0, 500, "一年", 0.9), Word(500, 1400, "六千四", confidence))
        turn = Turn(0, Role.AGENT, 0, 1400, "一年六千四", "一年六千四", words=words)
        (found,) = grammar.find(Transcript("r", (turn,), duration_ms=1400))
        return found.confidence, found.for_review

    assert heard(0.9) == (0.9, False)
    assert heard(0.35) == (0.45, True)


def test_a_name_longer_than_names_are_is_none() -> None:
    grammar = EntityGrammar(names=ScriptedNames({"拉户海哥联安群注意母妈": "company", "云帆软件": "company"}))
    assert [quote for _, _, quote, _ in entities(grammar, "拉户海哥联安群注意母妈，云帆软件")] == ["云帆软件"]


def test_a_name_that_spans_a_quantity_wins_and_no_two_entities_overlap(grammar: EntityGrammar) -> None:
    assert entities(grammar, "这台三吨锂电叉车八万六") == [
        (0, "product", "三吨锂电叉车", None),
        (0, "money", "八万六", 86000),
    ]


def test_the_date_in_another_zone_is_that_zones() -> None:
    grammar = EntityGrammar(names=ScriptedNames())
    (found,) = grammar.find(transcript("明天下午三点"), datetime(2026, 6, 10, 20, tzinfo=UTC), "Asia/Tokyo")
    assert found.value == "2026-06-12T15:00+09:00"


class TestLexicon:
    def test_known_names_win_and_carry_their_proper_spelling(self) -> None:
        lexicon = Lexicon(
            (Name("product", "智能录音工牌", ("录音工牌", "Smart Badge")), Name("competitor", "金谷云"))
        )
        grammar = EntityGrammar(lexicon, ScriptedNames({"金谷": "place"}))
        assert entities(grammar, "我们的录音工牌和smart badge", "金谷云也有") == [
            (0, "product", "录音工牌", "智能录音工牌"),
            (0, "product", "smart badge", "智能录音工牌"),
            (1, "competitor", "金谷云", "金谷云"),
        ]

    def test_it_is_read_from_yaml(self, tmp_path: Path) -> None:
        path = tmp_path / "names.yaml"
        path.write_text(
            "products: [云帆CRM, {name: 工牌, aliases: [胸牌]}]\ncompetitors:\n", encoding="utf-8"
        )
        assert Lexicon.load(path).names == (Name("product", "云帆CRM"), Name("product", "工牌", ("胸牌",)))

    def test_an_empty_file_is_an_empty_lexicon(self, tmp_path: Path) -> None:
        path = tmp_path / "names.yaml"
        path.write_text("", encoding="utf-8")
        assert Lexicon.load(path) == Lexicon()

    @pytest.mark.parametrize(
        "content",
        [
            "brands: [x]",
            "products: x",
            "products: [3]",
            "products: [{name: x, alias: [y]}]",
            "products: [",
            "- x",
            "products: [{name: x, aliases: y}]",
        ],
    )
    def test_mistakes_name_the_file(self, tmp_path: Path, content: str) -> None:
        path = tmp_path / "names.yaml"
        path.write_text(content, encoding="utf-8")
        with pytest.raises(InvalidRules, match=r"names\.yaml"):
            Lexicon.load(path)

    def test_a_missing_file_names_itself(self, tmp_path: Path) -> None:
        with pytest.raises(InvalidRules, match=r"none\.yaml"):
            Lexicon.load(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("我电话幺三六五八八二零九九一", "13658820991"),
        ("136 5882 0991", "13658820991"),
        ("幺三六，五八八二，零九九一", "13658820991"),
        ("+86 136-5882-0991", "13658820991"),
        ("零三五五六二一八七零三", "03556218703"),
        ("打四零零八二零八八二零", "4008208820"),
    ],
)
def test_telephone_numbers_give_their_digits(text: str, digits: str) -> None:
    assert [phone.digits for phone in find_phones(text)] == [digits]


@pytest.mark.parametrize(
    "text", ["一共三千六百五十八", "订单号二零二六一二三四五六七八", "工号七三零六", "12345678901"]
)
def test_other_digits_are_no_telephone_number(text: str) -> None:
    assert find_phones(text) == []


class TestPeople:
    @staticmethod
    def people(*texts: str) -> list[str]:
        return [
            text[start:end]
            for text, spans in zip(texts, find_people(texts, jieba_words()), strict=True)
            for start, end in spans
        ]

    @pytest.mark.parametrize(
        ("text", "names"),
        [
            ("梁总您好，我是小何", ["梁总", "小何"]),
            ("您好，我叫蒋磊，", ["蒋磊"]),
            ("欧阳先生在吗", ["欧阳先生"]),
            ("问问老钱", ["老钱"]),
            ("果果妈妈您好", ["果果"]),
            ("我姓苏。", ["苏"]),
        ],
    )
    def test_by_their_form(self, text: str, names: list[str]) -> None:
        assert self.people(text) == names

    @pytest.mark.parametrize(
        "text",
        [
            "老师好",
            "老板在吗",
            "谢谢老师",
            "小区门口",
            "等一小时",
            "那老板跑了",
            "我们家老人",
            "小白鞋",
            "员工多",
        ],
    )
    def test_words_that_only_look_like_names(self, text: str) -> None:
        assert self.people(text) == []

    def test_a_name_found_once_is_known_in_the_whole_conversation(self) -> None:
        assert self.people("您好，我叫蒋磊，", "蒋磊你好") == ["蒋磊", "蒋磊"]


class TestNameModel:
    def test_it_learns_names_and_finds_them_where_it_never_saw_them(self, tmp_path: Path) -> None:
        said = ("您好，我是{}的小何。", "现在用的是{}，还行。", "你们{}多少钱？", "{}那边给我报了价。")
        training = []
        for name in ("".join(syllables) + "软件" for syllables in product("云恒磐数明青宏泽", "帆启石澜远")):
            texts = [text.format(name) for text in said]
            labels = [labels_of(text, [("company", name)]) for text in texts]
            training.append(LabelledNames(texts, [Role.AGENT, Role.CUSTOMER] * 2, labels))
        model = tmp_path / "names.crfsuite"
        train_names(training, model, jieba_words())
        names = CrfNames(model, jieba_words())
        texts = ["您好，我是天和软件的小何。", "天和软件啊，说吧。", "好的。"]
        first, second, third = names.find(texts, [Role.AGENT, Role.CUSTOMER, Role.AGENT])
        assert [texts[0][span.start : span.end] for span in first] == ["天和软件"]
        assert [texts[1][span.start : span.end] for span in second] == ["天和软件"]
        assert third == []
        assert first[0].probability > 0.5
        assert names.source.startswith("entity-names @ ")

    def test_the_same_data_give_the_same_model(self, tmp_path: Path) -> None:
        text = "我是云帆软件的小何，你好"
        labels = labels_of(text, [("company", "云帆软件"), ("person", "小何")])
        data = [LabelledNames([text], [Role.AGENT], [labels])]
        for name in ("one", "two"):
            train_names(data, tmp_path / name, jieba_words(), NameNoise())
        assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()

    def test_labels_follow_the_order_of_the_names(self) -> None:
        labels = labels_of("小何找小何", [("person", "小何"), ("money", "小"), ("person", "小何")])
        assert labels == ["B-person", "I-person", "O", "B-person", "I-person"]
        assert spans_of(labels) == [(0, 2, "person"), (3, 5, "person")]

    def test_a_name_is_recognised_again_also_by_its_first_syllables(self) -> None:
        texts = ["我在平野财险上的", "平野的理赔慢", "平野财险好"]
        found = [[NamedSpan(2, 6, "competitor", 0.9)], [], []]
        assert recognised_again(texts, found, jieba_words()) == [
            [NamedSpan(2, 6, "competitor", 0.9)],
            [NamedSpan(0, 2, "competitor", 0.9)],
            [NamedSpan(0, 4, "competitor", 0.9)],
        ]

    def test_a_missing_model_says_so(self, tmp_path: Path) -> None:
        with pytest.raises(ModelMissing, match="nowhere"):
            CrfNames(tmp_path / "nowhere", jieba_words())

    def test_a_damaged_model_says_so(self, tmp_path: Path) -> None:
        (tmp_path / "broken").write_bytes(b"no model")
        with pytest.raises(ModelCorrupt, match="broken"):
            CrfNames(tmp_path / "broken", jieba_words())


def test_the_packaged_model_names_the_seller_and_the_firm() -> None:
    found = EntityGrammar().find(transcript("您好，我是云帆软件的小何，做客户管理的。", "哦，你们在杭州吗？"))
    labels = {finding.evidence[0].quote: finding.label for finding in found}
    assert labels == {"云帆软件": "company", "小何": "person", "杭州": "place"}
