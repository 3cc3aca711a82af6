"""Shows how far the processing of a recording is. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from huaxiang.api.progress import StageProgress
from huaxiang.console.texts import Texts


@dataclass(frozen=True, slots=True)
class StepView:
    """One stage: ``state`` is done, now or next; ``percent`` of the present one where it tells."""

    name: str
    state: str
    percent: int | None


@dataclass(frozen=True, slots=True)
class ProgressView:
    """A recording that waits or is being worked on; ``turns`` counts those that can be read already."""

    id: str
    status: str
    turns: int
    steps: tuple[StepView, ...]

    @property
    def at(self) -> str:
        """What the page shows of the progress, in short: another value is worth showing."""
        return "".join(f"{step.state[0]}{step.percent or ''}" for step in self.steps)


def step_views(progress: StageProgress | None, stages: Sequence[str], text: Texts) -> tuple[StepView, ...]:
    """Return the stages of a recording that is being worked on; none where none has begun."""
    if progress is None or progress.stage not in stages:
        return ()
    at = stages.index(progress.stage)
    return tuple(
        StepView(
            name=text(f"progress.{stage}"),
            state="done" if place < at else "now" if place == at else "next",
            percent=round(100 * progress.share) if place == at and progress.share > 0 else None,
        )
        for place, stage in enumerate(stages)
    )
