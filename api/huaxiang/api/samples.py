"""The two recorded calls that ship with the project, for the demo and for measuring."""

from __future__ import annotations

from pathlib import Path

from huaxiang.core.errors import NotFound

SAMPLES = ("saas-007.mp3", "ins-009.mp3")
"""A stereo telephone call and a mono showroom call of about two minutes, in synthetic voices."""


def samples_dir() -> Path:
    """Return the folder of the sample calls: inside the installed package, or the checkout's.

    Raises NotFound where neither is there.
    """
    package = Path(__file__).parent
    for folder in (package / "samples", package.parents[2] / "tests" / "data" / "calls"):
        if all((folder / name).is_file() for name in SAMPLES):
            return folder
    raise NotFound("the sample calls are missing; install the package anew, or give recordings of your own")


def sample_calls() -> list[Path]:
    """Return the paths of the sample calls. Raises NotFound."""
    return [samples_dir() / name for name in SAMPLES]
