"""Structured logs, one JSON object a line on standard error, that cannot hold what was said.

Only fields on ``SAFE_FIELDS`` are written; the names of others are told under ``dropped``. Values are
numbers, booleans and short strings, in which Chinese characters and long runs of digits are masked. An
error is written as its type and the lines it passed, without its message, as databases quote rows in it.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from types import TracebackType
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

from huaxiang.core.errors import HuaxiangError

SAFE_FIELDS = frozenset(
    {
        "attempt", "bytes", "channels", "code", "codec", "count", "device_id", "duration_ms", "error_code",
        "error_type", "executor_id", "host", "idle", "job_id", "method", "model", "port", "recording_id",
        "request_id", "revision", "route", "size_bytes", "skipped", "stage", "status", "upload_id",
        "user_id", "version", "wait_s", "work", "worker_count",
    }
)  # fmt: skip
_MADE_HERE = frozenset({"level", "timestamp", "logger", "error", "_record", "_from_structlog"})
_ID = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9_.:@-]{1,100}")  # a letter: a phone number is no id
_SAID = re.compile(r"[\u2e80-\u9fff\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff]+")
_DIGITS = re.compile(r"(?:\d[ -]*){6,}")
_MAX_CHARS = 300


def configure_logging(level: str, stream: TextIO | None = None) -> None:
    """Write logs of ours from ``level`` up and those of libraries from warning up to ``stream``.

    ``level`` is debug, info, warning or error; the stream is standard error as it comes.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        describe_error,
        keep_safe_fields,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("huaxiang").setLevel(level.upper())


def describe_error(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace ``exc_info`` by the error's type, code and the lines of code it passed."""
    error = _error_of(event.pop("exc_info", None))
    event.pop("error", None)
    event.pop("stack_info", None)
    if error is not None:
        event["error"] = _described(error)
    return event


def keep_safe_fields(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Drop every field that is not known to be safe, and mask the values of those that are."""
    safe: MutableMapping[str, Any] = {}
    dropped = []
    for name, value in event.items():
        if name == "event":
            safe[name] = masked(str(value))
        elif name in _MADE_HERE:
            safe[name] = value
        elif name in SAFE_FIELDS and isinstance(value, str | int | float | None):
            safe[name] = _safe_value(name, value)
        else:
            dropped.append(name)
    if dropped:
        safe["dropped"] = sorted(dropped)
    return safe


def masked(text: str) -> str:
    """Return ``text`` cut to 300 characters, with Chinese and runs of six digits and more masked."""
    return _DIGITS.sub("#", _SAID.sub("…", text))[:_MAX_CHARS]


def _safe_value(name: str, value: str | float | None) -> str | float | None:
    if not isinstance(value, str) or (name.endswith("_id") and _ID.fullmatch(value)):
        return value
    return masked(value)


def _error_of(exc_info: ExcInfo | BaseException | bool | None) -> BaseException | None:
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        return exc_info[1]
    return sys.exc_info()[1] if exc_info else None


def _described(error: BaseException) -> Mapping[str, Any]:
    described: dict[str, Any] = {"type": type(error).__name__, "at": _lines(error.__traceback__)}
    if isinstance(error, HuaxiangError):
        described |= {"code": error.code, "message": masked(error.message)}
    if error.__cause__ is not None:
        described["cause"] = _described(error.__cause__)
    return described


def _lines(trace: TracebackType | None) -> list[str]:
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(trace)]
