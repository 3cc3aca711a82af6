"""Finds people: surname and title (王总, 李姐), 小何, 老钱, 阿峰, and full names where someone is introduced.

Mandarin gives no capital letters, so a name is believed by its form: a surname before a title, a
prefix before a surname, or the place in a sentence where people say who they are. A name found once
is then recognised in the rest of the conversation.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from huaxiang.nlp.entities.words import Words

# The single-character surnames of the 百家姓 that are in use; those that are mostly other words
# (和 于 时 …) stand apart and need stronger context.
SURNAMES = (
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏窦章苏潘葛奚范彭郎鲁韦昌马苗凤"
    "方俞任袁柳酆鲍史唐费廉岑薛雷贺倪汤滕殷罗毕郝邬安乐傅皮卞齐康伍余元卜顾孟黄穆萧尹姚邵湛汪祁毛禹狄"
    "米贝臧戴谈宋茅庞熊纪舒屈项祝董梁杜阮蓝闵席季麻贾路娄江童颜郭梅盛林刁钟徐邱骆高夏蔡田樊胡凌霍虞万支柯"
    "管卢莫房裘缪解应宗丁宣邓郁杭洪包左石崔吉龚程嵇邢裴陆荣翁荀羊甄曲封芮储靳汲邴糜松段富巫乌焦巴牧谷车侯"
    "宓蓬全班仰秋仲伊宫宁仇栾甘厉戎祖武符刘景詹束龙叶幸司黎薄印白怀蒲邰鄂索咸籍赖卓蔺屠蒙池乔阴胥苍闻莘党翟"
    "谭劳姬申冉桑桂濮牛扈燕浦农温庄晏柴瞿阎慕茹习艾鱼容古易慎戈廖终居衡步耿满弘匡文寇广禄殴沃蔚越夔隆师巩"
    "聂晁勾敖融冷辛阚简饶空曾沙鞠须丰关相荆红游竺权盖益桓岳帅佟佘肖涂覃阙付闫仝冼隋尚麦单辜代祝"
)
_AMBIGUOUS = set("和于时成都能过有明连同向从经平常高全安乐方万应相代车师空路班步文广满华终容习须查关简单居")
_DOUBLE = "欧阳|上官|司马|诸葛|司徒|东方|夏侯|皇甫|尉迟|公孙|慕容|令狐|端木"
_TITLES = (
    "总监|总工|总|董|经理|主管|主任|店长|厂长|厂|校长|院长|行长|站长|队长|科长|处长|局长|所长|部长|会计|律师|教授|医生|大夫"
    "|护士|老师|教练|师傅|老板娘|老板|先生|女士|小姐|太太|夫人|阿姨|叔叔|叔|伯伯|伯|大爷|大妈|大姐|大哥|大嫂|老弟|姐|哥|嫂|婶"
    "|奶奶|爷爷|工(?![作厂地程具资人业会商期单服艺])|生(?=[，。你您好！？]|$)|店(?=[，。长])|行(?=[，。]|$)"
)
_FAMILY = f"(?:{_DOUBLE}|[{SURNAMES}])"
_TITLED = re.compile(f"(?P<family>{_FAMILY})(?P<title>{_TITLES})")
_NICKNAMED = re.compile(f"(?P<prefix>[小老阿])(?P<name>[{SURNAMES}])(?P<title>{_TITLES})?")
_CALLED_A = re.compile("阿(?P<name>[一-龥])(?=[，。、！？的啊呀哦你您在说]|$)")
_NO_NAME_AFTER = {
    "小": set("时区心于便白米麦康单学生路车程班高满乐鱼羊包牛马牧曲步"),
    "老": set("师板人家房公婆外爸妈爷奶客牌款师是实早乡式路高白红广马单车农江"),
    "阿": set("姨里拉根婆公"),
}
_GIVEN = "[一-龥]{1,2}"
_INTRODUCED = re.compile(
    f"(?:我叫|叫我|名叫|我是|我系|的|部|经理|主管|顾问|专员|设计师|规划师|班主任|老师|销售|客服|管家|中心|教练|店长|业务|护士|业务员|同事|户名|规划|银行|证券|研学|医生|工程师)"
    f"(?P<name>{_FAMILY}{_GIVEN}|小[一-龥]|阿[一-龥A-Z][a-z]*|[A-Z][a-z]+)"
    "(?=[，。！？、]|啊|呀|哈|$)"
)
# 芳姐, 强哥, 秀英姐: a given name before 姐 or 哥, set off as an address.
_GIVEN_KIN = re.compile(
    "(?:(?<=[，。！？、跟让找给是叫绑定问谢])|^)(?P<name>(?![大小表堂学师我他她你您的那这二三老帅亲爹新行吧对谢定找问姐哥喂嘿哎诶嫂])[一-龥]{1,2}[姐哥])"
    "(?=[，。！？、你您他她啊呀说在那又要已，]|$)"
)
_PARENT = re.compile(f"(?:(?<=[，。！？、好])|^)(?P<name>{_FAMILY}(?:妈妈|爸爸))")
_SURNAMED = re.compile(f"(?:我|免贵|他|她|师傅)姓(?P<name>{_FAMILY})(?=[，。！？、的]|$)")
_CHILD = re.compile("(?P<name>([一-龥])\\2|[一-龥]{2})(?=(?:妈妈|爸爸)(?:[您你好，吧在早、]|$))")
_DOUBLED = re.compile("(?P<name>([一-龥])\\2)(?=(?:你好|您好|老师|好，|，老师))")
_NO_CHILD = {
    "妈妈",
    "爸爸",
    "奶奶",
    "爷爷",
    "姐姐",
    "哥哥",
    "叔叔",
    "您好",
    "你好",
    "孩子",
    "宝宝",
    "谢谢",
    "刚刚",
    "好好",
    "拜拜",
}
_NOT_NAMES = re.compile(
    "[是的了吗呢吧啊我你您他她它们这那哪什么做在有不没好来去到给说就都也还要会能可以想请问再为把和跟]"
)
_EARLY_TURNS = 4

Span = tuple[int, int]


def find_people(texts: Sequence[str], words: Words) -> list[list[Span]]:
    """Return for every turn of a conversation the spans that name a person."""
    spans = [_by_form(text, words, early=index < _EARLY_TURNS) for index, text in enumerate(texts)]
    names = {
        texts[index][start:end]
        for index, found in enumerate(spans)
        for start, end in found
        if end - start > 1
    }
    known = re.compile("|".join(map(re.escape, sorted(names, key=len, reverse=True)))) if names else None
    return [
        _without_overlap(found + ([match.span() for match in known.finditer(text)] if known else []))
        for text, found in zip(texts, spans, strict=True)
    ]


def _by_form(text: str, words: Words, early: bool) -> list[Span]:
    found: list[Span] = []
    for match in _TITLED.finditer(text):
        if _is_titled(text, match, words):
            found.append(match.span())
    for match in _NICKNAMED.finditer(text):
        if _is_nickname(text, match, words):
            found.append(match.span())
    found += [match.span() for match in _CALLED_A.finditer(text) if match["name"] not in _NO_NAME_AFTER["阿"]]
    for pattern in (_SURNAMED, _GIVEN_KIN, _PARENT):
        found += [
            match.span("name")
            for match in pattern.finditer(text)
            if len(match["name"]) == 1 or not words.is_ordinary(match["name"])
        ]
    if early:
        found += [
            match.span("name")
            for match in _INTRODUCED.finditer(text)
            if not _NOT_NAMES.search(match["name"]) and not words.is_ordinary(match["name"])
        ]
        for pattern in (_CHILD, _DOUBLED):
            found += [
                match.span("name")
                for match in pattern.finditer(text)
                if match["name"] not in _NO_CHILD and not _NOT_NAMES.search(match["name"])
            ]
    return found


def _is_titled(text: str, match: re.Match[str], words: Words) -> bool:
    family, title = match["family"], match["title"]
    before = text[match.start() - 1 : match.start()] if match.start() else ""
    if before in ("老", "小", "大") and title != "总":
        return False  # read with its prefix, or 老师傅
    if before == family == "谢" or (family == "祝" and title not in ("总", "工", "经理", "老板", "主任")):
        return False  # 谢谢老师, 祝阿姨平安
    if words.is_ordinary(family + title) and title != "总":
        return False
    if family in _AMBIGUOUS:
        return not before or before in "，。！？、：“ 是叫找问跟谢好监"
    return not re.match(
        "店铺|行业|总部|总共|总价|工地|工程|工厂", text[match.end() - len(title) : match.end() + 1]
    )


def _is_nickname(text: str, match: re.Match[str], words: Words) -> bool:
    prefix, name, title = match["prefix"], match["name"], match["title"]
    if name in _NO_NAME_AFTER[prefix] and not title:
        return False
    before = text[match.start() - 1 : match.start()] if match.start() else ""
    if not title and words.is_ordinary(prefix + name, least_frequency=300):
        return False
    if prefix == "小" and before in ("大", "从", "最", "很", "多", "中", "太", "两", "三", "六", "半"):
        return False
    if prefix == "老" and before in ("养", "古", "元", "敬", "大", "衰", "陪", "显"):
        return False
    after = text[match.end() : match.end() + 1]
    return prefix != "小" or title is not None or not re.match("[型票额程组量块店镇吃祖皮盒豆将孔面]", after)


def _without_overlap(spans: list[Span]) -> list[Span]:
    """Keep the longest of overlapping spans."""
    kept: list[Span] = []
    for span in sorted(set(spans), key=lambda item: (item[0] - item[1], item[0])):
        if all(span[1] <= start or span[0] >= end for start, end in kept):
            kept.append(span)
    return sorted(kept)
