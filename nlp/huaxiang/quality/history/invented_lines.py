"""What the people of invented conversations say, with what a listener should find in it.

``[act.greeting:您好]`` marks the words that carry a finding of that kind and label; ``{product}`` and the
like are filled from the trade. Marks may be nested.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from huaxiang.core.types import Setting


@dataclass(frozen=True, slots=True)
class Trade:
    """A line of business: what is sold, where, at what price (yuan), and against whom."""

    id: str
    setting: Setting
    company: str
    product: str
    rival: str
    price_yuan: int
    need: tuple[str, ...]
    question: tuple[str, ...]
    case: tuple[str, ...]
    pitch: tuple[str, ...]
    risk: str = ""


TRADES: tuple[Trade, ...] = (
    Trade(
        "software",
        Setting.PHONE,
        "青禾软件",
        "店管家",
        "万店通",
        8800,
        (
            "我们客户的资料都散在各人手机里，想收到一处",
            "最头疼的是会员来过几次谁也说不清",
            "盘点一次要停业半天",
        ),
        (
            "您现在有几家门店，会员是怎么登记的",
            "平时谁来盘点，一个月花多少时间",
            "之前用过什么系统，哪里不顺手",
        ),
        ("绍兴一家做母婴的用了四个月，复购多了两成", "我们服务过三百多家连锁店，续费的有九成"),
        ("{product}一扫码就能看到这位会员买过什么", "{product}里盘点可以分区做，不用停业"),
    ),
    Trade(
        "deposit",
        Setting.PHONE,
        "同洲理财",
        "稳享一号",
        "隔壁银行",
        50000,
        ("手里有笔钱放着，怕拿去乱花", "孩子过三年要出国，想先存一点", "之前的产品到期了，想换一个"),
        (
            "这笔钱您打算放多久，中间会不会用到",
            "您以前买过哪一类产品，亏一点能不能接受",
            "家里一年大概能留下多少",
        ),
        ("这款产品去年的业绩在季报里都能查到", "我们有两百多位老客户是一期一期接着买的"),
        ("{product}投的主要是债券，每季开放一次", "{product}五万起，可以设定每月自动投"),
        "这款产品不保本，净值会有涨跌，过去的收益不代表以后",
    ),
    Trade(
        "kitchen",
        Setting.ONSITE,
        "木棠橱柜",
        "云杉系列",
        "家美橱柜",
        26800,
        ("厨房小，想多放点东西又不显挤", "家里老人做饭，台面不能太高", "上一套门板三年就翘边了"),
        ("您家厨房大概几个平方，什么时候交房", "平时谁做饭多，身高差得大吗", "油烟机和水槽定了没有"),
        ("您看这套样柜在店里摆了五年，门板一点没翘", "锦绣花园有十一户装的都是这个系列"),
        ("{product}的转角是抽拉的，里面不浪费", "{product}台面能做高低两段，老人不弯腰"),
    ),
    Trade(
        "car",
        Setting.ONSITE,
        "骏达汽车",
        "远行插混",
        "海岳",
        158000,
        ("每天来回六十公里，想省点油钱", "二胎了，后排要能放两个座椅", "老车的保养一年比一年贵"),
        ("平时在城里开得多还是跑长途多", "家里有没有地方装充电桩", "后排一般坐几个人"),
        ("上个月提车的一位客户跑了两千公里，油钱花了不到三百", "这款车碰撞测试是五星，报告在这里"),
        ("{product}纯电能跑一百二十公里，上班不用加油", "{product}后排有三个独立的座椅接口"),
    ),
    Trade(
        "training",
        Setting.MEETING,
        "启程学院",
        "班组长训练营",
        "思远培训",
        46000,
        ("我们新提的班组长不会排班，加班很多", "质量问题总是重复出现，没人复盘", "去年办过培训，听完就忘了"),
        ("您这边一共多少位班组长，平均带几个人", "上次培训之后有没有人跟进", "你们最想先改的是哪一件事"),
        ("苏州一家做注塑的两期之后返工少了一成半", "我们的老师都在工厂待过十年以上"),
        ("{product}每周半天，课后带着做现场作业", "{product}会用你们自己的报表来练"),
    ),
)
"""The trades of the invented company group."""

OPENING: tuple[str, ...] = (
    "[act.greeting:您好]，[act.self_intro:我是{company}的{seller}]。",
    "[act.greeting:喂，您好]，[act.self_intro:这里是{company}，我姓{surname}]。",
    "[act.greeting:上午好]，[act.self_intro:我叫{seller}，{company}的]。",
)
BARE_OPENING: tuple[str, ...] = ("请问是{customer}吧？", "{customer}，我这边跟您说个事。")
NOTICE: tuple[str, ...] = ("为了保证服务质量，这次通话会录音。", "先跟您说一声，我们的谈话会录音。")
PURPOSE: tuple[str, ...] = (
    "[act.purpose:想跟您聊一下{product}]，[act.permission:您现在说话方便吗]？",
    "[act.purpose:您上周留了资料，我来回访一下]，[act.permission:耽误您两分钟可以吗]？",
)
BARE_PURPOSE: tuple[str, ...] = (
    "[act.purpose:想跟您聊一下{product}]。",
    "[act.purpose:就是关于{product}的事]。",
)
GO_AHEAD: tuple[str, ...] = ("可以，你说。", "嗯，你讲吧。", "行，不过我等会儿要开会。")
QUESTION: tuple[str, ...] = (
    "[act.need_discovery:{question}]？",
    "那我先问一下，[act.need_discovery:{question}]？",
)
NEED: tuple[str, ...] = ("[intent.express_need:{need}]。", "嗯，[intent.express_need:{need}]。")
INFO: tuple[str, ...] = (
    "[intent.provide_info:这个大概有{count}个吧]。",
    "[intent.provide_info:我们是去年才开始弄的]。",
    "[intent.provide_info:主要是我在管]，别人不太清楚。",
)
PITCH: tuple[str, ...] = ("[act.pitch:{pitch}]。", "我给您讲一下，[act.pitch:{pitch}]。")
CASE: tuple[str, ...] = ("[act.value_evidence:{case}]。", "举个例子，[act.value_evidence:{case}]。")
LISTENING: tuple[str, ...] = ("嗯。", "哦，这样。", "[sentiment.positive:听着还不错]。", "那倒是。")
ASK_PRICE: tuple[str, ...] = ("[intent.inquire_price:那多少钱]？", "[intent.inquire_price:这个怎么收费]？")
QUOTE: tuple[str, ...] = (
    "[act.quote:一共是[money:{price}元]]，月底前定下来还有赠品。",
    "[act.quote:按您说的，[money:{price}元]]，包含安装和售后。",
)
RISK: tuple[str, ...] = ("有一点要跟您说清楚，{risk}。", "按规定我得提醒您，{risk}。")
PROMISE: tuple[str, ...] = (
    "[act.overpromise:您放心，绝对不会亏]。",
    "[act.overpromise:我保证您三个月就回本]。",
)
OBJECTIONS: Mapping[str, tuple[str, ...]] = {
    "price": (
        "[objection.price:这也太贵了]，[sentiment.negative:超出我预期了]。",
        "[objection.price:价钱有点高]，[intent.negotiate:能不能少一点]？",
    ),
    "need": ("[objection.need:我现在其实用不上]。", "[objection.need:暂时没这个打算]。"),
    "trust": ("[objection.trust:你们说的效果我不太敢信]。", "[objection.trust:万一你们跑了找谁去]？"),
    "timing": ("[objection.timing:再等等吧，年底再看]。", "[objection.timing:最近太忙，过一阵再说]。"),
    "authority": (
        "[objection.authority:这个我得跟我爱人商量]。",
        "[objection.authority:我做不了主，要问老板]。",
    ),
    "competitor": (
        "[objection.competitor:[intent.compare_competitor:{rival}比你们便宜不少]]。",
        "[objection.competitor:我们一直在用{rival}，换起来麻烦]。",
    ),
    "product": ("[objection.product:这个颜色跟我家不配]。", "[objection.product:没有我要的那个功能]。"),
}
ANSWERS: Mapping[str, tuple[str, ...]] = {
    "price": (
        "[act.empathy:理解，谁买东西都要算账]。[act.objection_handling:拆到每天也就一顿早饭钱，而且可以分期]。",
        "[act.objection_handling:这个价里包了三年的维护，您单买维护就要不少]。",
    ),
    "need": (
        "[act.empathy:明白，不急着定]。[act.objection_handling:您刚才说的那件事，用上以后就不用再操心]。",
        "[act.objection_handling:很多客户一开始也这么想，试过一个月才发现省了事]。",
    ),
    "trust": (
        "[act.objection_handling:合同里写明了，不满意十五天内全退]。",
        "[act.empathy:换我也会担心]。[act.objection_handling:您可以先看两位老客户，我把地址给您]。",
    ),
    "timing": (
        "[act.objection_handling:年底订的人多要排队，现在定下来年底正好用上]。",
        "[act.empathy:您忙我知道]。[act.objection_handling:这件事我们来办，您只用点头]。",
    ),
    "authority": (
        "[act.objection_handling:那我把对比表发您，您拿给家里人一看就清楚]。",
        "[act.objection_handling:方便的话我约个时间，当面给两位一起讲]。",
    ),
    "competitor": (
        "[act.objection_handling:他们做得也不错，差别在售后：我们四小时上门，合同里有]。",
        "[act.empathy:用惯了确实不想换]。[act.objection_handling:旧资料我们帮您搬，当天能用]。",
    ),
    "product": (
        "[act.objection_handling:这个可以定做，颜色有十二种]。",
        "[act.objection_handling:下个月的版本就有，我先给您看样子]。",
    ),
}
POOR_ANSWERS: tuple[str, ...] = (
    "[act.pressure:您今天不定，明天就涨价了]。",
    "哦，那我跟您说下一个。",
    "[act.disparage:{rival}那种东西用不了两年]。",
    "[act.rude:您到底买不买，别浪费我时间]。",
    "大家都是这个价。",
)
TAKEN_WELL: tuple[str, ...] = (
    "[sentiment.positive:这么说倒也合理]。",
    "嗯，那可以考虑。",
    "[sentiment.positive:行，你这样讲我放心一点]。",
)
TAKEN_BADLY: tuple[str, ...] = (
    "[sentiment.negative:你这话我听着不舒服]。",
    "[sentiment.negative:还是算了吧]，[intent.complain:每次问都说不到点上]。",
    "我再想想。",
)
STEP: tuple[str, ...] = (
    "[act.next_step:那{day}下午三点我再来跟您细看]，可以吗？",
    "[act.trial_close:要不先定下来，名额我给您留着]？[act.next_step:{day}我把合同带过来]。",
    "[act.next_step:我今天把资料发您，{day}给您打电话]。",
)
WON: tuple[str, ...] = (
    "[intent.purchase_intent:行，那就定了]，[intent.agree_next_step:{day}你把合同带来]。",
    "[intent.purchase_intent:可以，我要一套]。",
)
AGREED: tuple[str, ...] = (
    "[intent.agree_next_step:可以，{day}你来吧]。",
    "[intent.request_material:先把资料发我看看]。",
)
LOST: tuple[str, ...] = ("[intent.reject:不用了，我不考虑了]。", "[intent.reject:算了，你别再打了]。")
RECAP: tuple[str, ...] = ("[act.recap:那我跟您确认一下，{day}下午，{product}]。",)
FAREWELL: tuple[str, ...] = ("[act.farewell:谢谢您，再见]。", "[act.farewell:打扰您了，祝您生意兴隆，再见]。")
HANG_UP: tuple[str, ...] = ("嗯，好。", "再见。", "行，就这样。")
DAYS: tuple[str, ...] = ("周一", "周三", "周四", "周五", "周六")
CUSTOMERS: tuple[str, ...] = ("陈女士", "林先生", "吴总", "许老板", "宋姐", "郑工", "韩先生", "冯女士")
