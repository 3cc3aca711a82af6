"""The label inventories of the annotation guideline, with the names that people are shown."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

INTENTS: Mapping[str, str] = MappingProxyType(
    {
        "inquire_price": "询价",
        "inquire_product": "咨询产品",
        "inquire_service": "咨询服务流程",
        "request_material": "索要资料",
        "request_demo": "要求演示试用",
        "request_callback": "改约联系",
        "express_need": "表达需求",
        "purchase_intent": "购买意向",
        "negotiate": "议价",
        "compare_competitor": "竞品比较",
        "agree_next_step": "同意下一步",
        "reject": "明确拒绝",
        "complain": "抱怨投诉",
        "provide_info": "提供信息",
    }
)
OBJECTIONS: Mapping[str, str] = MappingProxyType(
    {
        "price": "价格太高",
        "need": "不需要/没兴趣",
        "trust": "不信任/担心安全或效果",
        "timing": "时机不对/再等等/现在没空",
        "authority": "自己做不了主/要商量",
        "competitor": "已有供应商/别家更好",
        "product": "功能或产品不合适",
    }
)
SENTIMENTS: Mapping[str, str] = MappingProxyType({"negative": "消极", "neutral": "中性", "positive": "积极"})
ACTS: Mapping[str, str] = MappingProxyType(
    {
        "greeting": "问候",
        "self_intro": "自报身份",
        "purpose": "说明来意",
        "permission": "征求对方是否方便",
        "need_discovery": "提问挖需求",
        "pitch": "介绍产品/卖点",
        "value_evidence": "案例、数据、资质",
        "empathy": "认同与安抚",
        "objection_handling": "回应异议",
        "quote": "报价",
        "trial_close": "促成/要承诺",
        "next_step": "约定下一步",
        "recap": "复述确认",
        "farewell": "礼貌结束",
        "overpromise": "过度承诺",
        "pressure": "施压催逼",
        "rude": "不耐烦/不文明",
        "disparage": "贬低竞品",
    }
)
FORBIDDEN_ACTS: tuple[str, ...] = ("overpromise", "pressure", "rude", "disparage")
ENTITY_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "money": "金额",
        "number": "数量",
        "time": "时间",
        "phone": "电话",
        "person": "人名",
        "company": "公司",
        "product": "产品",
        "competitor": "竞品",
        "place": "地点",
    }
)
NEXT_STEPS: Mapping[str, str] = MappingProxyType(
    {
        "demo": "演示",
        "visit": "拜访",
        "callback": "回电",
        "material": "发资料",
        "contract": "签合同",
        "payment": "付款",
        "trial": "试用",
        "none": "无",
    }
)
OUTCOMES: Mapping[str, str] = MappingProxyType(
    {"won": "成交", "next_step": "有下一步", "pending": "待定", "lost": "丢单"}
)
QA_ITEMS: tuple[str, ...] = (
    "greeting",
    "self_intro",
    "permission",
    "need_discovery",
    "value_evidence",
    "objection_handled",
    "next_step_agreed",
    "polite_close",
)
