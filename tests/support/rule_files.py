"""Small rule files for tests."""

from __future__ import annotations


def scorecard_text(
    name: str = "house",
    version: int = 1,
    condition: str = "{keywords: [您好]}",
    head: str = "",
    points: int = 10,
) -> str:
    """A scorecard of one item."""
    return (
        f"scorecard: {name}\nversion: {version}\ntitle: {{zh: 本店, en: House}}\n{head}"
        "sections:\n  - id: only\n    title: {zh: 唯一, en: Only}\n    items:\n"
        f"      - id: one\n        title: {{zh: 一, en: One}}\n        points: {points}\n"
        f"        passes_when: {condition}\n"
    )


def ruleset_text(
    name: str = "words", version: int = 1, rule: str = "greets", condition: str = "{keywords: [您好]}"
) -> str:
    """A rule set of one rule."""
    return (
        f"ruleset: {name}\nversion: {version}\ntitle: {{zh: 用语, en: Words}}\n"
        f"rules:\n  - id: {rule}\n    title: {{zh: 问候, en: Greets}}\n    when: {condition}\n"
    )
