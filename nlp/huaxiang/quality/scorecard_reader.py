"""Reads scorecards and rule sets from the nodes of a YAML file."""

from __future__ import annotations

from dataclasses import dataclass, field

from yaml import MappingNode, Node, ScalarNode, SequenceNode

from huaxiang.quality.condition_reader import FACT_VALUES, ConditionReader
from huaxiang.quality.condition_types import AllOf, Condition
from huaxiang.quality.definition import (
    AppliesTo,
    Item,
    Rule,
    RuleSet,
    ScorecardDefinition,
    Scoring,
    Section,
    Severity,
    Threshold,
)
from huaxiang.quality.example_reader import read_examples
from huaxiang.quality.fields import Fields
from huaxiang.quality.never import Need, needs_of, never
from huaxiang.quality.scope import Scope
from huaxiang.quality.yaml_reader import Reader, line_of

SCORECARD_KEYS = frozenset(
    {
        "scorecard",
        "version",
        "title",
        "priority",
        "base",
        "applies_to",
        "applies_when",
        "thresholds",
        "conditions",
        "rules",
        "sections",
    }
)
RULESET_KEYS = frozenset({"ruleset", "version", "title", "conditions", "rules"})
ITEM_KEYS = frozenset(
    {
        "id",
        "title",
        "points",
        "scoring",
        "passes_when",
        "fails_when",
        "applies_when",
        "auto_fail",
        "suggest_only",
        "examples",
    }
)
RULE_KEYS = frozenset({"id", "title", "severity", "says", "when", "applies_when", "suggest_only", "examples"})
MOST_ITEMS = 300
_NOTHING = AllOf(())


@dataclass
class FileReader:
    """Reads one file; mistakes gather in ``reader``."""

    reader: Reader
    library: dict[str, Condition]
    scope: Scope = field(init=False)
    conditions: ConditionReader = field(init=False)
    _ids: dict[tuple[str, str], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Start with no names of the file's own."""
        self.scope = Scope(self.reader, library=self.library)
        self.conditions = ConditionReader(self.reader, self.scope)

    def scorecard(self, root: Node) -> ScorecardDefinition:
        """Return the scorecard of a file."""
        top = self._top(root, SCORECARD_KEYS, {"scorecard", "version", "title", "sections"})
        rules = self._rules(top) if "rules" in top else ()
        zh, en = self._titles(top)
        applies_to = self._applies_to(top["applies_to"]) if "applies_to" in top else AppliesTo()
        applies_when = self._condition(top, "applies_when")
        needs = needs_of(applies_to)
        if applies_when is not None and (why := never([applies_when], needs)):
            self.reader.wrong(top["applies_when"], "never", why=why.en, why_zh=why.zh)
        base = top.number("base", 0, 10_000, 0.0)
        sections, items = self._sections(top, needs, applies_when)
        definition = ScorecardDefinition(
            id=self.reader.identifier(top["scorecard"]) if "scorecard" in top else "",
            version=top.whole("version", 1, 1_000_000, 1),
            title_zh=zh,
            title_en=en,
            items=items,
            sections=sections,
            base=base,
            thresholds=self._thresholds(top["thresholds"]) if "thresholds" in top else (),
            applies_to=applies_to,
            applies_when=applies_when,
            priority=top.whole("priority", 0, 100, 50),
            rules=rules,
            used_rules=frozenset(self.scope.used_rules),
        )
        self._check_arithmetic(definition, top)
        return definition

    def ruleset(self, root: Node) -> RuleSet:
        """Return the rules of a file."""
        top = self._top(root, RULESET_KEYS, {"ruleset", "version", "title", "rules"})
        zh, en = self._titles(top)
        return RuleSet(
            id=self.reader.identifier(top["ruleset"]) if "ruleset" in top else "",
            version=top.whole("version", 1, 1_000_000, 1),
            title_zh=zh,
            title_en=en,
            rules=self._rules(top) if "rules" in top else (),
            used_rules=frozenset(self.scope.used_rules),
        )

    def _top(self, root: Node, allowed: frozenset[str], required: set[str]) -> Fields:
        top = Fields(self.reader, root, self.reader.mapping(root, allowed, required))
        if "rules" in top:
            self.scope.rules = _by_id(top["rules"])
        if "conditions" in top:
            entries = self.reader.names(top["conditions"])
            self.scope.named = {name: value for name, _, value in entries}
            for _, key, _ in entries:
                self.scope.condition(key, self.conditions.read)
        return top

    def _rules(self, top: Fields) -> tuple[Rule, ...]:
        rules = (self._rule(node) for node in self.reader.items(top["rules"], MOST_ITEMS))
        return tuple(rules)

    def _rule(self, node: Node) -> Rule:
        given = Fields(self.reader, node, self.reader.mapping(node, RULE_KEYS, {"id", "title", "when"}))
        name = self._id(given, "rule")
        zh, en = self._titles(given)
        says = self._says(given["says"]) if "says" in given else ("", "")
        own = name in self.scope.rules and self.scope.rules[name] is node
        condition = (
            self.scope.own_rule(name, node, self.conditions.rule)
            if own
            else self.scope.bounded(node, self.conditions.rule(node))
        )
        if condition is not None and (why := never([condition])):
            self.reader.wrong(given["when"], "never", why=why.en, why_zh=why.zh)
        return Rule(
            id=name,
            title_zh=zh,
            title_en=en,
            severity=Severity(self._one_of(given, "severity", [s.value for s in Severity], "minor")),
            says_zh=says[0] or zh,
            says_en=says[1] or en,
            condition=condition or _NOTHING,
            suggest_only=given.flag("suggest_only"),
            examples=read_examples(given),
            line=line_of(node),
        )

    def _sections(
        self, top: Fields, needs: tuple[Need, ...], applies: Condition | None
    ) -> tuple[tuple[Section, ...], tuple[Item, ...]]:
        sections: list[Section] = []
        items: list[Item] = []
        for node in self.reader.items(top["sections"], 50) if "sections" in top else []:
            given = self.reader.mapping(
                node, {"id", "title", "weight", "base", "items"}, {"id", "title", "items"}
            )
            fields = Fields(self.reader, node, given)
            zh, en = self._titles(fields)
            section = Section(
                id=self._id(fields, "section"),
                title_zh=zh,
                title_en=en,
                weight=fields.bound("weight", 0, 100),
                base=fields.number("base", 0, 10_000, 0.0),
            )
            sections.append(section)
            for entry in self.reader.items(fields["items"], MOST_ITEMS) if "items" in fields else []:
                items.append(self._item(entry, section.id, needs, applies))
        if len(items) > MOST_ITEMS:
            self.reader.wrong(top["sections"], "too_many", limit=MOST_ITEMS, what="items")
        return tuple(sections), tuple(items[:MOST_ITEMS])

    def _item(
        self, node: Node, section: str, needs: tuple[Need, ...], applies_to_all: Condition | None
    ) -> Item:
        given = Fields(self.reader, node, self.reader.mapping(node, ITEM_KEYS, {"id", "title", "points"}))
        tests = [key for key in ("passes_when", "fails_when") if key in given]
        if len(tests) != 1:
            self.reader.wrong(node, "passes_or_fails")
        zh, en = self._titles(given)
        condition = self._condition(given, tests[0]) if tests else None
        applies = self._condition(given, "applies_when")
        self._check_reach(given, tests, condition, applies, needs, applies_to_all)
        auto_fail = self._one_of(given, "auto_fail", ["true", "false", "section", "scorecard"], "false")
        scoring = self._one_of(given, "scoring", [s.value for s in Scoring], "")
        return Item(
            id=self._id(given, "item"),
            title_zh=zh,
            title_en=en,
            points=given.number("points", 0, 1000, 0.0),
            condition=condition or _NOTHING,
            applies=applies,
            forbidden=tests == ["fails_when"],
            auto_fail=auto_fail in ("true", "scorecard"),
            fails_section=auto_fail == "section",
            section=section,
            scoring=Scoring(scoring) if scoring else None,
            suggest_only=given.flag("suggest_only"),
            examples=read_examples(given),
            line=line_of(node),
        )

    def _check_reach(
        self,
        given: Fields,
        tests: list[str],
        condition: Condition | None,
        applies: Condition | None,
        needs: tuple[Need, ...],
        applies_to_all: Condition | None,
    ) -> None:
        """Note an item that can never apply, and a condition that can never hold."""
        outer = [] if applies_to_all is None else [applies_to_all]
        if applies is not None:
            if why := never([*outer, applies], needs):
                self.reader.wrong(given["applies_when"], "never_applies", why=why.en, why_zh=why.zh)
                return
            outer.append(applies)
        if condition is not None and tests and (why := never([*outer, condition], needs)):
            self.reader.wrong(given[tests[0]], "never", why=why.en, why_zh=why.zh)

    def _condition(self, fields: Fields, key: str) -> Condition | None:
        return self.scope.bounded(fields[key], self.conditions.read(fields[key])) if key in fields else None

    def _one_of(self, fields: Fields, key: str, options: list[str], default: str) -> str:
        chosen = fields.choice(key, options, default)
        return chosen if chosen in options else default

    def _id(self, fields: Fields, what: str) -> str:
        if "id" not in fields:
            return ""
        node = fields["id"]
        name = self.reader.identifier(node)
        if name and (what, name) in self._ids:
            first = self._ids[what, name]
            self.reader.wrong(node, "id_twice", what=what, value=name, first=first)
        elif name:
            self._ids[what, name] = line_of(node)
        return name

    def _titles(self, fields: Fields) -> tuple[str, str]:
        return self._says(fields["title"]) if "title" in fields else ("", "")

    def _says(self, node: Node) -> tuple[str, str]:
        given = Fields(self.reader, node, self.reader.mapping(node, {"zh", "en"}, {"zh", "en"}))
        zh, en = (self.reader.text(given[key]) if key in given else "" for key in ("zh", "en"))
        return zh, en

    def _thresholds(self, node: Node) -> tuple[Threshold, ...]:
        thresholds: list[Threshold] = []
        for entry in self.reader.items(node, 20):
            keys = {"id", "title", "at_least"}
            fields = Fields(self.reader, entry, self.reader.mapping(entry, keys, keys))
            zh, en = self._titles(fields)
            threshold = Threshold(
                self._id(fields, "threshold"), fields.number("at_least", 0, 100, 0.0), zh, en
            )
            if thresholds and threshold.at_least >= thresholds[-1].at_least:
                self.reader.wrong(entry, "thresholds_order", value=threshold.id)
            thresholds.append(threshold)
        return tuple(thresholds)

    def _applies_to(self, node: Node) -> AppliesTo:
        keys = {"settings", "directions", "sellers", "teams", "duration"}
        fields = Fields(self.reader, node, self.reader.mapping(node, keys))
        low = high = None
        if "duration" in fields:
            inner = fields["duration"]
            duration = Fields(self.reader, inner, self.reader.mapping(inner, {"above", "below"}))
            low, high = duration.bounds("duration", 0, 1e7)
        return AppliesTo(
            settings=frozenset(fields.choices("settings", FACT_VALUES["setting"])),
            directions=frozenset(fields.choices("directions", FACT_VALUES["direction"])),
            sellers=frozenset(fields.texts("sellers")),
            teams=frozenset(fields.texts("teams")),
            min_duration_s=low,
            max_duration_s=high,
        )

    def _check_arithmetic(self, definition: ScorecardDefinition, top: Fields) -> None:
        # Sums over what could not be read would be wrong in turn.
        unread = any(mistake.code in ("not_number", "missing_key") for mistake in self.reader.mistakes)
        if "sections" not in top or not definition.items or unread:
            return
        node = top["sections"]
        weights = [section.weight for section in definition.sections if section.weight is not None]
        earning = {item.section for item in definition.items if item.counts_as is Scoring.EARN}
        if not weights:
            earned = sum(item.points for item in definition.items if item.counts_as is Scoring.EARN)
            if earned + definition.base + sum(section.base for section in definition.sections) <= 0:
                self.reader.wrong(node, "nothing_earned")
            return
        if abs(sum(weights) - 100) > 0.01:
            self.reader.wrong(node, "weights_sum", sum=sum(weights))
        if definition.base > 0:
            self.reader.wrong(top["base"], "base_and_weights")
        for section in definition.sections:
            if section.weight is None and (section.id in earning or section.base > 0):
                self.reader.wrong(node, "weight_missing", value=section.id)


def _by_id(node: Node) -> dict[str, Node]:
    """Return the mappings of a list of rules by their id, the first of each; mistakes are noted later."""
    found: dict[str, Node] = {}
    for entry in node.value if isinstance(node, SequenceNode) else []:
        for key, value in entry.value if isinstance(entry, MappingNode) else []:
            if isinstance(key, ScalarNode) and key.value == "id" and isinstance(value, ScalarNode):
                found.setdefault(value.value, entry)
    return found
