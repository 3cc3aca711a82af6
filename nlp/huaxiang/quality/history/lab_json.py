"""What the lab found of an item as JSON, as it is stored and answered, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

from huaxiang.quality.history.alike import Alike, ItemKey
from huaxiang.quality.history.lab import ItemFigures, Week
from huaxiang.quality.history.proportions import Proportion

Document = dict[str, Any]
_PROPORTIONS = ("precision", "recall", "missed_share")


def figures_json(figures: ItemFigures) -> Document:
    """Return the figures of an item; days as ``2026-11-23``, shares from 0 to 1."""
    rate = figures.hit_rate
    return {
        **asdict(figures),
        "weeks": [{**asdict(week), "monday": week.monday.isoformat()} for week in figures.weeks],
        "hit_rate": None if rate is None else {"estimate": rate[0], "low": rate[1], "high": rate[2]},
        "never_fires": figures.never_fires,
        "always_fires": figures.always_fires,
    }


def figures_of(document: Mapping[str, Any]) -> ItemFigures:
    """Return the figures that ``figures_json`` wrote."""
    derived = ("hit_rate", "never_fires", "always_fires")
    known = {name: value for name, value in document.items() if name not in derived}
    shares = {name: Proportion(**known[name]) if known[name] else None for name in _PROPORTIONS}
    weeks = tuple(Week(**{**week, "monday": date.fromisoformat(week["monday"])}) for week in known["weeks"])
    return ItemFigures(**{**known, **shares, "weeks": weeks})


def alike_json(pair: Alike, key: ItemKey) -> Document:
    """Return the other one of two items that are alike, with what they share."""
    other = pair.second if pair.first == key else pair.first
    return {
        "definition": other.definition,
        "item": other.item,
        "jaccard": pair.jaccard,
        "phi": pair.phi,
        "both": pair.both,
        "same_definition": pair.same_definition,
    }
