"""The trained weights as they are committed: one safetensors file, half precision, all of it described."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from huaxiang.core.errors import ModelCorrupt
from huaxiang.nlp.blend import Blend
from huaxiang.nlp.calibration import Calibration
from huaxiang.nlp.joint import Joint
from huaxiang.nlp.network import NetworkShape, TurnNetwork
from huaxiang.nlp.ngrams import NgramModel
from huaxiang.nlp.ngrams_file import PREFIX, model_of, tensors_of
from huaxiang.nlp.second_reading import SecondReading

FILE = "nlp-heads.safetensors"
SECOND = "second."


@dataclass(frozen=True, slots=True)
class Weights:
    """Trained weights with what is needed to use them.

    ``made_from`` gives the sha256 of each file of conversations by its name.
    """

    shape: NetworkShape
    joint: Joint
    calibration: Calibration
    state: Mapping[str, Tensor]
    wording: NgramModel
    made_from: Mapping[str, str]


def save_weights(path: Path, weights: Weights) -> None:
    """Write the weights; equal weights give equal bytes."""
    from safetensors.torch import save_file

    description = json.dumps(
        {
            "shape": asdict(weights.shape),
            "blend": weights.joint.blend.as_document(),
            "calibration": weights.calibration.as_document(),
            "made_from": dict(weights.made_from),
        },
        sort_keys=True,
    )
    halved = {name: value.to(torch.float16).contiguous() for name, value in sorted(weights.state.items())}
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(
        halved | tensors_of(weights.wording) | _second(weights.joint),
        path,
        metadata={"description": description},
    )


def _second(joint: Joint) -> dict[str, Tensor]:
    return {
        f"{SECOND}{field.name}": torch.from_numpy(getattr(joint.second, field.name)).float().contiguous()
        for field in fields(joint.second)
    }


def load_weights(path: Path) -> Weights:
    """Read what ``save_weights`` wrote. Raises ModelCorrupt where it is something else."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            description: dict[str, Any] = json.loads((file.metadata() or {})["description"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return Weights(
            shape=NetworkShape(**description["shape"]),
            joint=Joint(
                Blend.from_document(description["blend"]),
                SecondReading(
                    **{
                        field.name: tensors[f"{SECOND}{field.name}"].double().numpy()
                        for field in fields(SecondReading)
                    }
                ),
            ),
            calibration=Calibration.from_document(description["calibration"]),
            state={
                name: value.float()
                for name, value in tensors.items()
                if not name.startswith((PREFIX, SECOND))
            },
            wording=model_of(tensors),
            made_from=description["made_from"],
        )
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ModelCorrupt(
            f"{path.name} is no file of trained weights ({type(error).__name__}): reinstall huaxiang or "
            f"train anew with `huaxiang train nlp`",
            file=path.name,
        ) from error


def apply_weights(network: TurnNetwork, weights: Weights) -> None:
    """Put the weights into a network of their shape. Raises ModelCorrupt where they do not fit."""
    missing, unexpected = network.load_state_dict(dict(weights.state), strict=False)
    lacking = [name for name in missing if name in network.trained_state()]
    if lacking or unexpected:
        raise ModelCorrupt(f"the trained weights do not fit the network ({len(lacking)} tensors missing)")
    network.eval()
