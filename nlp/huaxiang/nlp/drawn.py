"""Findings that are drawn from others and stand on their evidence."""

from __future__ import annotations

from collections.abc import Sequence

from huaxiang.core.types import Finding, FindingKind, Json


def drawn(source: str, kind: FindingKind, label: str, found: Sequence[Finding], value: Json) -> Finding:
    """Return a finding that is as sure as the surest of those it is drawn from, with the evidence of all."""
    surest = max(found, key=lambda finding: finding.confidence)
    return Finding(
        kind=kind,
        label=label,
        confidence=surest.confidence,
        source=f"{source} on {surest.source}",
        evidence=tuple(dict.fromkeys(item for finding in found for item in finding.evidence)),
        value=value,
        for_review=all(finding.for_review for finding in found),
    )
