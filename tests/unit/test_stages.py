"""A stage ends in its result as stored, or in one error that says which and why and not what was said."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import IntegrityError, OperationalError

from huaxiang.core.errors import AudioTooLong, BlobMissing, HuaxiangError, StageFailed, StorageError
from huaxiang.core.jobs import StagePoint
from huaxiang.core.stages import StageExecutor
from huaxiang.core.types import Json

LOCKED = OperationalError("INSERT", None, Exception("database is locked"))
REFUSED = IntegrityError("INSERT", None, Exception("row contains 王女士"))


class Step:
    """Raises the errors in turn, then answers."""

    def __init__(self, *errors: Exception, answer: Json = None) -> None:
        self._errors = list(errors)
        self._answer = answer
        self.calls = 0

    def __call__(self) -> Json:
        self.calls += 1
        if self._errors:
            raise self._errors.pop(0)
        return self._answer


class Heard:
    """An observer that remembers."""

    def __init__(self) -> None:
        self.points: list[tuple[str, StagePoint]] = []

    def reached(self, stage: str, point: StagePoint) -> None:
        self.points.append((stage, point))


def _work(step: Step, waits_s: tuple[float, ...] = (0, 0)) -> Json:
    return StageExecutor(retry_waits_s=waits_s).work("hear", lambda: None, step)


def test_the_result_is_what_a_resumed_job_would_read() -> None:
    assert _work(Step(answer={"turns": (1, 2)})) == {"turns": [1, 2]}


def test_the_observer_is_told_before_and_after_the_work() -> None:
    heard = Heard()
    StageExecutor(heard).work("hear", lambda: None, Step())
    assert heard.points == [("hear", StagePoint.STARTED), ("hear", StagePoint.WORKED)]


def test_a_failed_stage_is_not_told_as_done() -> None:
    heard = Heard()
    with pytest.raises(StageFailed):
        StageExecutor(heard).work("hear", lambda: None, Step(AudioTooLong("too long")))
    assert heard.points == [("hear", StagePoint.STARTED)]


@pytest.mark.parametrize("trouble", [LOCKED, StorageError("busy")])
def test_passing_trouble_is_tried_again_as_often_as_there_are_pauses(trouble: Exception) -> None:
    step = Step(trouble, trouble)
    _work(step)
    assert step.calls == 3
    step = Step(trouble, trouble, trouble)
    with pytest.raises(StageFailed):
        _work(step)
    assert step.calls == 3


def test_the_pauses_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    _work(Step(LOCKED, LOCKED), waits_s=(1, 5, 15))
    assert slept == [1, 5]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (AudioTooLong("too long"), "audio_too_long"),
        (BlobMissing("gone"), "blob_missing"),
        (REFUSED, "error"),
        (ZeroDivisionError(), "error"),
    ],
)
def test_lasting_trouble_ends_the_stage_at_once_with_its_code(error: Exception, code: str) -> None:
    step = Step(error)
    with pytest.raises(StageFailed) as caught:
        _work(step)
    assert (caught.value.stage, caught.value.error_code, step.calls) == ("hear", code, 1)


def test_the_message_of_an_unforeseen_error_stays_behind() -> None:
    with pytest.raises(StageFailed) as caught:
        _work(Step(REFUSED))
    assert "IntegrityError" in caught.value.message
    assert "王女士" not in caught.value.message


def test_a_result_that_cannot_be_stored_as_json_is_a_failure() -> None:
    for answer in (object(), float("nan")):
        with pytest.raises(StageFailed) as caught:
            _work(Step(answer=answer))  # type: ignore[arg-type]
        assert caught.value.error_code == HuaxiangError.code


def test_an_order_to_end_the_process_is_no_failure_of_the_stage() -> None:
    def step() -> Json:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        StageExecutor().work("hear", lambda: None, step)
