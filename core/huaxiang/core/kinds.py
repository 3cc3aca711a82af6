"""The closed lists of values that the stages share; they are stored as these strings."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """Who speaks in a turn."""

    AGENT = "agent"
    CUSTOMER = "customer"
    UNKNOWN = "unknown"


class Setting(StrEnum):
    """Where a conversation takes place (``channel`` of the annotation guideline)."""

    PHONE = "phone"
    ONSITE = "onsite"
    MEETING = "meeting"


class Direction(StrEnum):
    """Who called whom."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class Sentiment(StrEnum):
    """A speaker's attitude to this conversation, product or company."""

    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"


class FindingKind(StrEnum):
    """What sort of thing a finding is."""

    INTENT = "intent"
    OBJECTION = "objection"
    SENTIMENT = "sentiment"
    ACT = "act"
    ENTITY = "entity"
    NEED = "need"
    NEXT_STEP = "next_step"
    PRODUCT = "product"
    COMPETITOR = "competitor"
    OBJECTION_COURSE = "objection_course"
    STAGE = "stage"
    KEY_MOMENT = "key_moment"
    DECISION_MAKER = "decision_maker"
    PERSON = "person"
    BUDGET = "budget"
    SUMMARY = "summary"


class RecordingStatus(StrEnum):
    """How far a recording has come."""

    RECEIVED = "received"
    PROCESSING = "processing"
    DONE = "done"
    FAILED = "failed"
