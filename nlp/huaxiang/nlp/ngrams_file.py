"""The linear model on runs of characters as tensors of the weights' file."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from huaxiang.nlp.ngrams import FIELDS, NgramModel, Vocabulary

PREFIX = "wording."
_RUN_END, _FIELD_END = "\n", "\x00"


def tensors_of(model: NgramModel) -> dict[str, Tensor]:
    """Return the model as tensors by name; equal models give equal tensors."""
    runs = _FIELD_END.join(_RUN_END.join(columns) for columns in model.vocabulary.columns)
    return {
        f"{PREFIX}runs": torch.from_numpy(np.frombuffer(runs.encode(), dtype=np.uint8).copy()),
        f"{PREFIX}rarity": torch.from_numpy(model.vocabulary.rarity),
        f"{PREFIX}weights": torch.from_numpy(model.weights),
        f"{PREFIX}steps": torch.from_numpy(model.steps),
        f"{PREFIX}offset": torch.from_numpy(model.offset),
    }


def model_of(tensors: Mapping[str, Tensor]) -> NgramModel:
    """Return the model that ``tensors_of`` wrote. Raises KeyError or ValueError where it is none."""
    names = ("rarity", "weights", "steps", "offset")
    rarity, weights, steps, offset = (tensors[f"{PREFIX}{name}"].numpy() for name in names)
    fields = bytes(tensors[f"{PREFIX}runs"].numpy()).decode().split(_FIELD_END)
    columns: list[dict[str, int]] = []
    reached = 0
    for field in fields:
        runs = field.split(_RUN_END) if field else []
        columns.append({run: reached + place for place, run in enumerate(runs)})
        reached += len(runs)
    if len(columns) != len(FIELDS) or reached != len(rarity):
        raise ValueError("the runs do not belong to their weights")
    return NgramModel(Vocabulary(tuple(columns), rarity), weights, steps, offset)
