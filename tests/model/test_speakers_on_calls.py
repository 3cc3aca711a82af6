"""Speakers of the demo calls, as ``eval speakers`` scores them: nothing is told, everything is heard."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from huaxiang.api.bootstrap import build_speaker_evaluation
from huaxiang.asr.evaluate_speakers import evaluate_speakers
from huaxiang.core.settings import load_settings
from huaxiang.core.types import Json

pytestmark = [pytest.mark.model, pytest.mark.slow]
CALLS = Path(__file__).parents[1] / "data" / "calls"


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Json]:
    folder = tmp_path_factory.mktemp("calls") / "calls"
    shutil.copytree(CALLS, folder)
    report = evaluate_speakers(folder, build_speaker_evaluation(load_settings()))
    speakers = report["speakers"]
    assert isinstance(speakers, dict)
    found = speakers["sets"]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("name", ["calls/mono", "calls/stereo"])
def test_speakers_roles_and_boundaries_of_the_demo_calls(name: str, sets: Mapping[str, Json]) -> None:
    scores = sets[name]
    assert isinstance(scores, dict)
    figures = {key: float(value) for key, value in scores.items() if isinstance(value, int | float)}
    assert figures["n"] == 1
    assert figures["der"] <= 0.05
    assert figures["turn_der"] <= 0.05
    assert figures["speakers_counted_right"] == 1.0
    assert figures["role_accuracy"] >= 0.97
    assert figures["abstained"] <= 0.05
    assert max(figures["turn_start_error_ms"], figures["turn_end_error_ms"]) <= 200
