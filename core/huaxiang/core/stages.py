"""Does one stage: tells the observer, waits out passing trouble, and turns every failure into one error."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import structlog
from sqlalchemy.exc import DBAPIError, OperationalError

from huaxiang.core.errors import BlobMissing, HuaxiangError, StageFailed, StorageError
from huaxiang.core.jobs import NoObserver, StageObserver, StagePoint
from huaxiang.core.types import Json

_T = TypeVar("_T")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class StageExecutor:
    """How stages are done: who is told, and how long passing trouble is waited out.

    ``retry_waits_s`` are the pauses in seconds before each further attempt.
    """

    observer: StageObserver = field(default_factory=NoObserver)
    retry_waits_s: Sequence[float] = (1.0, 5.0, 15.0)

    def work(self, name: str, begin: Callable[[], None], step: Callable[[], Json]) -> Json:
        """Do ``begin``, then ``step``, and return the step's result as its JSON reads.

        Raises StageFailed, and nothing else that derives from Exception.
        """
        started = time.monotonic()
        with one_error(name):
            self.patiently(name, begin)
            self.observer.reached(name, StagePoint.STARTED)
            result = self.patiently(name, lambda: _as_json(step()))
            self.observer.reached(name, StagePoint.WORKED)
        _log.info("stage done", stage=name, duration_ms=round((time.monotonic() - started) * 1000))
        return result

    def patiently(self, name: str, action: Callable[[], _T]) -> _T:
        """Do something for a stage, waiting passing trouble out; return what it gives, or raise it."""
        for attempt, wait_s in enumerate(self.retry_waits_s, start=1):
            try:
                return action()
            except (DBAPIError, StorageError) as error:
                if not _passes(error):
                    raise
                _log.warning(
                    "stage retried",
                    stage=name,
                    attempt=attempt,
                    wait_s=wait_s,
                    error_type=type(error).__name__,
                )
                time.sleep(wait_s)
        return action()


@contextmanager
def one_error(stage: str) -> Iterator[None]:
    """Turn whatever is raised inside into StageFailed: the worker loop, where a bug ends one job only.

    The message of an error that nobody foresaw stays behind, as it may hold what was said.
    """
    try:
        yield
    except StageFailed:
        raise
    except HuaxiangError as error:
        _log.warning("stage failed", stage=stage, error_code=error.code, error_type=type(error).__name__)
        raise StageFailed(stage, error.code, error.message) from error
    except Exception as error:  # a bug ends this job, and not the worker
        _log.error("stage broke", stage=stage, error_type=type(error).__name__, exc_info=error)
        message = f"stage {stage} broke with {type(error).__name__}; the log has where"
        raise StageFailed(stage, HuaxiangError.code, message) from error


def _passes(error: Exception) -> bool:
    """Tell whether the trouble may be gone when tried again: a lock, a lost connection, a busy store."""
    if isinstance(error, StorageError):
        return not isinstance(error, BlobMissing)
    return isinstance(error, OperationalError) or (
        isinstance(error, DBAPIError) and error.connection_invalidated
    )


def _as_json(result: Json) -> Json:
    """Return what a stored result will read as, so that the first run sees what a resumed one would."""
    stored: Json = json.loads(json.dumps(result, allow_nan=False))
    return stored
