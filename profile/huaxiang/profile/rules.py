"""The merge rules: one value out of what several sources say about a field.

Every rule is a pure function of the set of observations: the order in which they came plays no part.
Ties are broken by time, then by confidence, then by the value's hash.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from huaxiang.core.types import FieldValue, Json
from huaxiang.profile.catalogue import FieldDefinition, MergeRule
from huaxiang.profile.confidence import combined, faded
from huaxiang.profile.values import value_hash


def merge_field(
    definition: FieldDefinition, observations: Sequence[FieldValue], as_of: datetime
) -> FieldValue | None:
    """Return the field's value by its rule, or None where nothing is known.

    ``observations`` are what each source says at present, without ``others``. The result carries
    the winner's provenance, and the rest as ``others``, best first. For a union, ``value`` is the
    list of all values and ``others`` are its members, each with its own provenance.
    """
    if not observations:
        return None
    return _RULES[definition.merge](definition, sorted(observations, key=_rank, reverse=True), as_of)


def contradicted(field: FieldValue, rule: MergeRule) -> bool:
    """Return whether another source holds another value than the one that won."""
    if rule is MergeRule.UNION:
        return False
    return any(
        other.value != field.value and other.provenance.source != field.provenance.source
        for other in field.others
    )


def _rank(observation: FieldValue) -> tuple[datetime, float, str, str]:
    provenance = observation.provenance
    return (
        provenance.observed_at,
        provenance.confidence,
        value_hash(observation.value),
        f"{provenance.source}:{provenance.source_id}",
    )


def _won(winner: FieldValue, ranked: Sequence[FieldValue]) -> FieldValue:
    return replace(winner, others=tuple(other for other in ranked if other is not winner))


def _latest(_definition: FieldDefinition, ranked: Sequence[FieldValue], _as_of: datetime) -> FieldValue:
    return _won(ranked[0], ranked)


def _crm_wins(_definition: FieldDefinition, ranked: Sequence[FieldValue], _as_of: datetime) -> FieldValue:
    told = [observation for observation in ranked if observation.provenance.source == "crm"]
    return _won((told or ranked)[0], ranked)


def _most_confident(definition: FieldDefinition, ranked: Sequence[FieldValue], as_of: datetime) -> FieldValue:
    """Sum the support of equal values, each observation faded by its age."""
    half_life_days = definition.half_life_days
    if half_life_days is None:
        raise ValueError(f"{definition.name} has no half_life_days")
    by_value: dict[str, list[FieldValue]] = defaultdict(list)
    for observation in ranked:
        by_value[value_hash(observation.value)].append(observation)

    def support(equal: Sequence[FieldValue]) -> float:
        return combined(
            faded(o.provenance.confidence, o.provenance.observed_at, as_of, half_life_days) for o in equal
        )

    best = max(by_value.values(), key=lambda equal: (support(equal), _rank(equal[0])))
    strongest = replace(best[0], provenance=replace(best[0].provenance, confidence=support(best)))
    return replace(strongest, others=tuple(other for other in ranked if other is not best[0]))


def _union(definition: FieldDefinition, ranked: Sequence[FieldValue], _as_of: datetime) -> FieldValue:
    members = [
        replace(observation, value=item)
        for observation in ranked
        for item in _items(observation.value)
        if item is not None
    ]
    values: list[Json] = list({value_hash(member.value): member.value for member in members}.values())
    return FieldValue(definition.name, values, ranked[0].provenance, tuple(members))


def _items(value: Json) -> Sequence[Json]:
    return value if isinstance(value, Sequence) and not isinstance(value, str) else [value]


_RULES: Mapping[MergeRule, Callable[[FieldDefinition, Sequence[FieldValue], datetime], FieldValue]] = {
    MergeRule.CRM_WINS: _crm_wins,
    MergeRule.LATEST: _latest,
    MergeRule.MOST_CONFIDENT: _most_confident,
    MergeRule.UNION: _union,
}
