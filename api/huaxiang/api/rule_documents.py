"""Rule files as JSON: what ``rules … --json`` prints and ``/v1/rules`` answers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from huaxiang.api.serialise import JsonObject, time_json
from huaxiang.core.types import Json
from huaxiang.quality.definition import Item, Rule, ScorecardDefinition

if TYPE_CHECKING:
    from huaxiang.quality.check import ExampleResult
    from huaxiang.quality.loader import Definition
    from huaxiang.quality.mistakes import Mistake
    from huaxiang.quality.rule_versions import Publication, RuleFile, RuleVersion


def mistakes_json(mistakes: Iterable[Mistake], language: str = "en") -> list[Json]:
    """Return mistakes in the order of the file, each with its place, code, cause and cure."""
    listed: list[Json] = []
    for mistake in mistakes:
        cause, cure = mistake.words(language)
        listed.append(
            {
                "line": mistake.line,
                "column": mistake.column,
                "code": mistake.code,
                "message": cause,
                "cure": cure,
            }
        )
    return listed


def examples_json(results: Iterable[ExampleResult]) -> list[Json]:
    """Return what examples came to; true and false is whether the condition holds, null that it cannot."""
    return [
        {
            "item": result.item,
            "line": result.line,
            "expected": result.expected,
            "found": result.found,
            "reason": result.reason,
            "agrees": result.agrees,
        }
        for result in results
    ]


def version_json(version: RuleVersion) -> JsonObject:
    """Return a version without its text."""
    return {
        "id": version.id,
        "version": version.version,
        "kind": version.kind.value,
        "sha256": version.sha256,
        "pins": dict(version.pins),
        "note": version.note,
        "published_by": version.published_by,
        "published_at": time_json(version.published_at),
        "shipped": version.shipped,
    }


def file_json(file: RuleFile) -> JsonObject:
    """Return a file as it is now: its newest version, what it holds, and whether it is in use."""
    retired: Json = None
    if file.retired is not None:
        retired = {"at": time_json(file.retired.at), "by": file.retired.by, "note": file.retired.note}
    return {
        **version_json(file.newest),
        **contents_json(file.definition),
        "in_use": file.in_use,
        "retired": retired,
    }


def contents_json(definition: Definition) -> JsonObject:
    """Return what a file holds, without its conditions: those are in its text."""
    scorecard = definition if isinstance(definition, ScorecardDefinition) else None
    return {
        "title": definition.title_zh,
        "title_en": definition.title_en,
        "priority": scorecard.priority if scorecard else None,
        "items": [_item_json(item) for item in scorecard.items] if scorecard else [],
        "rules": [_rule_json(rule) for rule in definition.rules],
    }


def publication_json(publication: Publication) -> JsonObject:
    """Return what publishing did or would do."""
    before = publication.before
    return {
        **version_json(publication.version),
        **contents_json(publication.definition),
        "changed": publication.changed,
        "before": before.reference if before else None,
    }


def _item_json(item: Item) -> JsonObject:
    return {
        "id": item.id,
        "title": item.title_zh,
        "title_en": item.title_en,
        "section": item.section,
        "points": item.points,
        "scoring": item.counts_as.value,
        "forbidden": item.forbidden,
        "auto_fail": item.auto_fail,
        "suggest_only": item.suggest_only,
        "line": item.line,
    }


def _rule_json(rule: Rule) -> JsonObject:
    return {
        "id": rule.id,
        "title": rule.title_zh,
        "title_en": rule.title_en,
        "severity": rule.severity.value,
        "suggest_only": rule.suggest_only,
        "line": rule.line,
    }
