"""In CI a skipped browser test fails the run; elsewhere it is skipped."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SUPPORT = Path(__file__).parents[1] / "support"
SKIPPED = """
import pytest

@pytest.mark.browser
def test_a_page():
    pytest.skip("there is no browser")

def test_something_else():
    pytest.skip("not here")
"""


@pytest.mark.parametrize(("ci", "code", "said"), [("true", 1, "1 failed, 1 skipped"), ("", 0, "2 skipped")])
def test_a_skipped_browser_test_fails_in_ci_alone(tmp_path: Path, ci: str, code: int, said: str) -> None:
    (tmp_path / "test_it.py").write_text(SKIPPED, "utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = browser\n", "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "skipped_browser", "-p", "no:cacheprovider", str(tmp_path)],
        env={**os.environ, "CI": ci, "PYTHONPATH": str(SUPPORT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout[-2000:]
    assert said in done.stdout
