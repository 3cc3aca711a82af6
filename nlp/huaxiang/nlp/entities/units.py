"""Units that decide what a numeral means: money, a count, a measure, a duration, a share."""

from __future__ import annotations

import re

# 块 is money unless a thing in pieces follows; 一块儿 (together) never is.
MONEY_UNIT = re.compile(
    r"(?P<yuan>块(?![屏板牌玻璃地料石儿主弹空瓷砖肉布表田芯搬])(?:钱)?|元(?:钱|整)?|圆|蚊|人民币)"
    r"|(?P<jiao>毛(?![病毡巾利重坯不也都没])(?:来)?(?:钱)?|角(?:钱)?)|(?P<fen>分钱)"
    r"|(?P<foreign>美金|美元|美刀|刀(?!片|具)|欧元?|港币|港元|日元|英镑|澳币|澳元|新币)"
)
# Nothing of these is a count or an amount: durations, shares, discounts, multiples, idioms.
NEITHER = re.compile(
    r"个?半?(?:多)?(?:年|月|天|周(?!岁)|星期|礼拜|小时|钟头|钟(?!头)|季度|学期|年头|昼夜)|小时|分钟|秒|刻钟|夜|宿|晚(?!上)"
    r"|日(?!本)|[%％‰]|个?百分点|个半?点(?!位)|成(?!交|立|绩)|折(?!叠)|倍|点|号(?!人)|级|句|岁|样(?!菜)|声|眼|楼|班倒|环"
    r"|个(?:工作|交易)日|个(?:心|字|半|来小时)|代人|星级"
)
# After 一 these make a word (一起, 一定, 一块儿), not a quantity.
ONE_WORD = re.compile("[下起直共般定边旦步会辈者律贯向切心路种手些股旁副总线流番方面类审维联证样点]")
_PEOPLE = (
    "个(?:多)?人(?!工|员|名|家|头|物|力|间)|口(?:子)?人|号人|人(?!份|工|员|次|名|家|头|物|力|间|座|民|都)"
)
_COUNTED = (
    "个工作日|个|家|台|套|件|条|张|份|次|趟|回|遍|节|只|头|匹|辆|架|艘|间|栋(?!的)|幢|户|口(?!子|音|味|红)|门|枚|盏|颗|粒"
    "|棵|株|朵|页|篇|道|题|例|笔|单(?:位)?|票|瓶|箱|盒|包|袋|罐|桶|碗|杯|盘|桌|席|串|根|支|枝|片|卷|捆|板|副|双"
    "|批|场|顿|层|分(?!钟|之|期|批|开|成|析|享|店|公司|红|摊|别|贝|钱|一下)|圈|组|排|列|车|站|所|名|位|项|期|人份|本|册|封(?!顶|了|口)|幅|盆|壶|勺|针|发|段|跨|铲|笼|剂|贴|尾(?!款)|堵|座"
    "|部(?!分|门)|字(?![典号眼母])|拨|副|座位?|指|枪"
)
_MEASURED = (
    "平方公里|平方米|平方厘米|立方米|个平方|平方|平米|平|立方|方(?![便案式向面块])|公里|千米|里地|里(?=[，。]|路)|毫米|厘米|公分|分米|米|英寸|寸|英尺|尺"
    "|公斤|千克|毫克|克|吨|斤|两(?=[，。？！、还]|$)|毫升|公升|升|亩|公顷|千瓦时?|个千瓦|兆瓦|瓦|伏|安培?|度(?!假|过)|分贝|摄氏度|大卡|千卡|℃|°C|兆|[GMTK]B?(?![A-Za-z])|赫兹|丝"
    "|mm|cm|km|kg|ml|m²|㎡"
)
# An ordinal counts a place, not things: 第三层, 二号楼, 负一层, 分十二期.
ORDINAL_BEFORE = re.compile("(?:第|初|负|地下|分之|之)$")
COUNT_UNIT = re.compile(f"{_PEOPLE}|{_COUNTED}")
MEASURE_UNIT = re.compile(_MEASURED)
ANY_UNIT = re.compile(f"{_MEASURED}|{_PEOPLE}|{_COUNTED}|年|月|天|小时|晚|瓶|期|班|钟|路(?!由)")
