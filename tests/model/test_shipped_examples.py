"""The examples of the shipped scorecards, run through the real model as `rules test` does."""

from __future__ import annotations

from pathlib import Path

import pytest

from huaxiang.api import bootstrap
from huaxiang.core.settings import load_settings
from huaxiang.quality.check import run_examples_of
from huaxiang.quality.loader import shipped_scorecards


@pytest.mark.model
def test_every_example_says_what_its_author_expects(models_dir: Path) -> None:
    analysis = bootstrap.build_analysis(load_settings(models_dir=models_dir))
    wrong = [
        (definition.id, result.item, result.line)
        for definition in shipped_scorecards()
        for result in run_examples_of(definition, analysis.language, analysis.inspection.heard)
        if not result.agrees
    ]
    assert wrong == []
