"""Reads conditions: one key names the operator, the others narrow role and place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from yaml import MappingNode, Node, ScalarNode

from huaxiang.core.types import FindingKind, Role
from huaxiang.nlp.call_story import STAGES
from huaxiang.nlp.labels import (
    ACTS,
    ENTITY_TYPES,
    FORBIDDEN_ACTS,
    INTENTS,
    NEXT_STEPS,
    OBJECTIONS,
    SENTIMENTS,
)
from huaxiang.quality.condition_types import (
    WHOLE,
    AllOf,
    AnsweredCondition,
    AnyOf,
    Condition,
    FindingCondition,
    InterruptionCondition,
    KeywordCondition,
    MetadataCondition,
    MetricCondition,
    Not,
    OnlyWhere,
    PatternCondition,
    RepetitionCondition,
    SilenceCondition,
    SimilarCondition,
    SpeechRateCondition,
    Where,
)
from huaxiang.quality.fields import ROLES, Fields
from huaxiang.quality.heard import FACTS, WEEKDAYS
from huaxiang.quality.metric_names import METRIC_NAMES
from huaxiang.quality.mistakes import nearest_words
from huaxiang.quality.place_reader import read_place
from huaxiang.quality.scope import Scope
from huaxiang.quality.yaml_reader import Reader

LABELS: Mapping[str, tuple[FindingKind, frozenset[str]]] = MappingProxyType(
    {
        "act": (FindingKind.ACT, frozenset(ACTS)),
        "intent": (FindingKind.INTENT, frozenset(INTENTS)),
        "objection": (FindingKind.OBJECTION, frozenset(OBJECTIONS)),
        "sentiment": (FindingKind.SENTIMENT, frozenset(SENTIMENTS)),
        "entity": (FindingKind.ENTITY, frozenset(ENTITY_TYPES)),
        "need": (FindingKind.NEED, frozenset({"need"})),
        "next_step": (FindingKind.NEXT_STEP, frozenset(NEXT_STEPS) - {"none"}),
        "product": (FindingKind.PRODUCT, frozenset({"product"})),
        "competitor": (FindingKind.COMPETITOR, frozenset({"competitor"})),
        "objection_course": (FindingKind.OBJECTION_COURSE, frozenset(OBJECTIONS)),
        "stage": (FindingKind.STAGE, frozenset(STAGES)),
        "key_moment": (
            FindingKind.KEY_MOMENT,
            frozenset({"first_price", "first_commitment", "reject", "complain", *FORBIDDEN_ACTS}),
        ),
        "decision_maker": (FindingKind.DECISION_MAKER, frozenset({"customer", "other"})),
        "person": (FindingKind.PERSON, frozenset({"named"})),
        "budget": (FindingKind.BUDGET, frozenset({"budget"})),
    }
)
"""The findings that conditions can ask for, each with its labels."""

FACT_VALUES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "setting": ("phone", "onsite", "meeting"),
        "direction": ("inbound", "outbound"),
        "consent": ("true", "false"),
        "weekday": WEEKDAYS,
    }
)
NUMBERS = frozenset({"duration", "hour", "channels"})
_LARGE = 1e12


@dataclass(frozen=True, slots=True)
class ConditionReader:
    """Reads conditions of one file; what cannot be read is noted, and None."""

    reader: Reader
    scope: Scope

    def read(self, node: Node) -> Condition | None:
        """Return the condition that a node writes."""
        given = self.reader.mapping(node, _KNOWN)
        named = [key for key in given if key in _OPERATORS]
        if len(named) != 1:
            if given:
                self.reader.wrong(node, "one_operator", operators=", ".join(sorted(_OPERATORS)))
            return None
        name = named[0]
        read, allowed = _OPERATORS[name]
        for key in given:
            if key not in allowed | {name}:
                goes = ", ".join(sorted(allowed)) or "nothing"
                self.reader.wrong(given[key], "does_not_go", key=key, operator=name, allowed=goes)
        fields = Fields(self.reader, node, {key: given[key] for key in given if key in allowed | {name}})
        return read(self, name, fields)

    def place(self, fields: Fields) -> Where:
        """Return where is searched; the whole conversation where nothing is said."""
        if "place" not in fields:
            return WHOLE
        return read_place(self.reader, fields["place"], self.scope, self.read)

    def parts(self, node: Node) -> tuple[Condition, ...]:
        """Return the conditions of a list, those left out that could not be read."""
        read = [self.read(part) for part in self.reader.items(node)]
        return tuple(condition for condition in read if condition is not None)

    def rule(self, node: Node) -> Condition | None:
        """Return the condition of a rule's mapping: ``when``, only where ``applies_when`` holds."""
        given = _plainly(node)
        part = self.read(given["when"]) if "when" in given else None
        if part is None or "applies_when" not in given:
            return part
        applies = self.read(given["applies_when"])
        return None if applies is None else OnlyWhere(applies, part)


def _plainly(node: Node) -> dict[str, Node]:
    """Return a mapping's values without noting mistakes; the rule's own reading notes them."""
    if not isinstance(node, MappingNode):
        return {}
    return {key.value: value for key, value in node.value if isinstance(key, ScalarNode)}


_Read = Callable[[ConditionReader, str, Fields], Condition | None]


def _finding(own: ConditionReader, name: str, fields: Fields) -> Condition:
    kind, inventory = LABELS[name]
    labels = frozenset(fields.choices(name, inventory | {"any"}))
    followed = _followed_by(own, fields)
    return FindingCondition(
        kind=kind,
        labels=inventory if "any" in labels else labels,
        role=fields.role(),
        place=own.place(fields),
        min_confidence=fields.number("confidence", 0, 1, 0.0),
        at_least=fields.whole("at_least", 1, 1000, 1),
        followed_by=followed,
        within_turns=_within_turns(fields),
        any_label="any" in labels,
    )


def _followed_by(own: ConditionReader, fields: Fields) -> FindingCondition | None:
    if "followed_by" not in fields:
        if "within_turns" in fields:
            fields.reader.wrong(fields["within_turns"], "lonely_within")
        return None
    condition = own.read(fields["followed_by"])
    if condition is not None and not isinstance(condition, FindingCondition):
        fields.reader.wrong(fields["followed_by"], "follows_kind", options=", ".join(sorted(LABELS)))
    return condition if isinstance(condition, FindingCondition) else None


def _within_turns(fields: Fields) -> int:
    return fields.whole("within_turns", 1, 100, 2)


def _keywords(own: ConditionReader, name: str, fields: Fields) -> Condition:
    words = fields.texts(name)
    match = fields.choice("match", ("any", "all", "none"), "any")
    at_least = fields.whole("at_least", 1, max(len(words), 1), 1)
    return KeywordCondition(
        words,
        at_least=max(len(words), 1) if match == "all" else at_least,
        role=fields.role(),
        place=own.place(fields),
        none=match == "none",
    )


def _pattern(own: ConditionReader, name: str, fields: Fields) -> Condition:
    return PatternCondition(
        pattern=fields.pattern(name),
        unless=fields.pattern("unless") if "unless" in fields else None,
        role=fields.role(),
        place=own.place(fields),
        at_least=fields.whole("at_least", 1, 1000, 1),
    )


def _similar(own: ConditionReader, name: str, fields: Fields) -> Condition:
    return SimilarCondition(
        sentences=fields.texts(name, most=50),
        threshold=fields.number("threshold", 0.5, 1, 0.9),
        role=fields.role(),
        place=own.place(fields),
        at_least=fields.whole("at_least", 1, 1000, 1),
        min_chars=fields.whole("min_chars", 1, 1000, 4),
    )


def _silence(own: ConditionReader, name: str, fields: Fields) -> Condition:
    between = fields.choice(name, ("any", "same", "different"), "any")
    longer, shorter = (fields.bound(key, 0, 86_400_000) for key in ("longer_than_ms", "shorter_than_ms"))
    if longer is None and shorter is None:
        bounds = "longer_than_ms or shorter_than_ms"
        fields.reader.wrong(fields.node, "needs_bound", what=name, bounds=bounds)
    elif longer is not None and shorter is not None and longer >= shorter:
        fields.reader.wrong(fields["shorter_than_ms"], "empty_bounds", above=longer, below=shorter)
    return SilenceCondition(
        longer_than_ms=None if longer is None else int(longer),
        shorter_than_ms=None if shorter is None else int(shorter),
        between=between,
        role=fields.role(),
        place=own.place(fields),
        at_least=fields.whole("at_least", 1, 1000, 1),
    )


def _speech_rate(own: ConditionReader, name: str, fields: Fields) -> Condition:
    above, below = fields.bounds(name, 0, 10_000)
    return SpeechRateCondition(
        above=above,
        below=below,
        per=fields.choice(name, ("turn", "average"), "turn"),
        min_chars=fields.whole("min_chars", 1, 1000, 10),
        role=fields.role(),
        place=own.place(fields),
        at_least=fields.whole("at_least", 1, 1000, 1),
    )


def _interruption(own: ConditionReader, name: str, fields: Fields) -> Condition:
    role = fields.choice(name, ROLES, "both")
    return InterruptionCondition(
        role=Role(role) if role in ("agent", "customer") else None,
        delay_ms=fields.whole("delay_ms", 0, 600_000, 1000),
        overlap_ms=fields.whole("overlap_ms", 1, 600_000, 300),
        place=own.place(fields),
        at_least=fields.whole("at_least", 1, 1000, 1),
    )


def _repetition(own: ConditionReader, name: str, fields: Fields) -> Condition:
    return RepetitionCondition(
        similarity=fields.number(name, 0.3, 1, 0.8),
        times=fields.whole("times", 2, 50, 2),
        window_turns=fields.whole("window_turns", 1, 50, 10),
        min_chars=fields.whole("min_chars", 1, 1000, 6),
        except_phrases=fields.texts("except"),
        role=fields.role(),
        place=own.place(fields),
    )


def _metric(own: ConditionReader, name: str, fields: Fields) -> Condition:
    metric = fields.reader.text(fields[name])
    if metric and metric not in METRIC_NAMES:
        fields.reader.wrong(
            fields[name], "unknown_metric", value=metric, **nearest_words(metric, METRIC_NAMES)
        )
    return MetricCondition(metric, *fields.bounds("a metric", -_LARGE, _LARGE))


def _metadata(own: ConditionReader, name: str, fields: Fields) -> Condition:
    fact = fields.reader.choice(fields[name], FACTS)
    compared = [key for key in ("is", "in", "exists") if key in fields]
    bounded = "above" in fields or "below" in fields
    if len(compared) + bounded != 1:
        fields.reader.wrong(fields.node, "fact_needs", value=fact)
        return MetadataCondition(fact, exists=True)
    if bounded:
        if fact in FACTS and fact not in NUMBERS:
            fields.reader.wrong(fields[name], "fact_not_number", value=fact)
        above, below = fields.bounds("metadata", -_LARGE, _LARGE)
        return MetadataCondition(fact, above=above, below=below)
    if "exists" in fields:
        return MetadataCondition(fact, exists=fields.flag("exists"))
    return MetadataCondition(fact, values=_fact_values(fields, fact, compared[0]))


def _fact_values(fields: Fields, fact: str, key: str) -> tuple[str, ...]:
    reader = fields.reader
    nodes = reader.items(fields[key]) if key == "in" else [fields[key]]
    if fact in FACT_VALUES:
        return tuple(reader.choice(node, FACT_VALUES[fact]) for node in nodes)
    if fact in NUMBERS:
        return tuple(f"{reader.number(node, -_LARGE, _LARGE):g}" for node in nodes)
    return tuple(reader.text(node) for node in nodes)


def _answered(own: ConditionReader, name: str, fields: Fields) -> Condition:
    return AnsweredCondition(
        by=frozenset(fields.choices(name, ACTS)),
        within_turns=_within_turns(fields),
        share=fields.number("share", 0, 1, 0.5),
    )


def _all(own: ConditionReader, name: str, fields: Fields) -> Condition:
    return AllOf(own.parts(fields[name]))


def _any(own: ConditionReader, name: str, fields: Fields) -> Condition:
    return AnyOf(own.parts(fields[name]))


def _not(own: ConditionReader, name: str, fields: Fields) -> Condition | None:
    part = own.read(fields[name])
    return None if part is None else Not(part)


def _named(own: ConditionReader, name: str, fields: Fields) -> Condition | None:
    return own.scope.condition(fields[name], own.read)


def _rule(own: ConditionReader, name: str, fields: Fields) -> Condition | None:
    return own.scope.rule(fields[name], own.rule)


_WHERE = frozenset({"role", "place"})
_COUNTED = _WHERE | {"at_least"}
_OPERATORS: Mapping[str, tuple[_Read, frozenset[str]]] = MappingProxyType(
    {
        **dict.fromkeys(LABELS, (_finding, _COUNTED | {"confidence", "followed_by", "within_turns"})),
        "keywords": (_keywords, _COUNTED | {"match"}),
        "pattern": (_pattern, _COUNTED | {"unless"}),
        "similar": (_similar, _COUNTED | {"threshold", "min_chars"}),
        "silence": (_silence, _COUNTED | {"longer_than_ms", "shorter_than_ms"}),
        "speech_rate": (_speech_rate, _COUNTED | {"above", "below", "min_chars"}),
        "interruption": (_interruption, frozenset({"place", "at_least", "delay_ms", "overlap_ms"})),
        "repetition": (_repetition, _WHERE | {"times", "window_turns", "min_chars", "except"}),
        "metric": (_metric, frozenset({"above", "below"})),
        "metadata": (_metadata, frozenset({"is", "in", "exists", "above", "below"})),
        "objections_answered": (_answered, frozenset({"within_turns", "share"})),
        "all": (_all, frozenset()),
        "any": (_any, frozenset()),
        "not": (_not, frozenset()),
        "condition": (_named, frozenset()),
        "rule": (_rule, frozenset()),
    }
)
OPERATORS = tuple(_OPERATORS)
"""The names of all operators."""
_KNOWN = frozenset(_OPERATORS).union(*(allowed for _, allowed in _OPERATORS.values()))
