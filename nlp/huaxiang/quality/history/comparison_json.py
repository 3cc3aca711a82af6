"""Comparisons as JSON, as they are stored and answered, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from huaxiang.quality.history.compare import Change, Comparison, Group, ItemChange, Side
from huaxiang.quality.history.judging import Marks

Document = dict[str, Any]


def comparison_json(comparison: Comparison) -> Document:
    """Return the figures of a comparison; the conversations that change are told apart from it."""
    return {
        "before": comparison.before,
        "after": comparison.after,
        "whole": group_json(comparison.whole),
        "teams": [group_json(group) for group in comparison.teams],
        "sellers": [group_json(group) for group in comparison.sellers],
        "items": [_item_json(item) for item in comparison.items],
        "histogram": [
            {"from_percent": edge, "conversations": count} for edge, count in comparison.histogram.items()
        ],
    }


def comparison_of(document: Mapping[str, Any]) -> Comparison:
    """Return the comparison that ``comparison_json`` wrote, without its conversations."""
    return Comparison(
        before=document["before"],
        after=document["after"],
        whole=_group(document["whole"]),
        teams=tuple(_group(group) for group in document["teams"]),
        sellers=tuple(_group(group) for group in document["sellers"]),
        items=tuple(ItemChange(**item) for item in document["items"]),
        histogram={part["from_percent"]: part["conversations"] for part in document["histogram"]},
        changes=(),
    )


def group_json(group: Group) -> Document:
    """Return before and after for one group, with the difference of their means."""
    return {**asdict(group), "difference": group.difference}


def marks_json(marks: Marks | None) -> Document | None:
    """Return what a scorecard came to in a conversation, without its items; None where it does not apply."""
    if marks is None:
        return None
    return {
        "score": marks.score,
        "possible": marks.possible,
        "percent": marks.percent,
        "auto_failed": marks.auto_failed,
        "grade": marks.grade,
    }


def change_json(change: Change) -> Document:
    """Return a conversation whose score changes, and the items that come to something else."""
    return {
        "recording_id": change.recording_id,
        "seller": change.seller,
        "started_at": change.started_at.isoformat().replace("+00:00", "Z"),
        "before": marks_json(change.before),
        "after": marks_json(change.after),
        "items": [asdict(flip) for flip in change.items],
    }


def _item_json(item: ItemChange) -> Document:
    counts = ("before", "after", "flips")
    return {**asdict(item), **{name: dict(getattr(item, name)) for name in counts}}


def _group(document: Mapping[str, Any]) -> Group:
    return Group(
        key=document["key"],
        conversations=document["conversations"],
        changed=document["changed"],
        before=Side(**document["before"]),
        after=Side(**document["after"]),
    )
