"""Logs tell what happened to which recording, and cannot tell what was said."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from structlog.contextvars import bound_contextvars

from huaxiang.core.errors import StorageError
from huaxiang.core.logging import configure_logging, masked

Lines = Callable[[], list[dict[str, Any]]]
SAID = "我想问一下多少钱"
PHONE = "13800138000"


@pytest.fixture
def lines() -> Iterator[Lines]:
    """Logging into memory; call it for the lines so far."""
    root = logging.getLogger()
    before = root.handlers, root.level
    stream = io.StringIO()
    configure_logging("info", stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers, level = before[0], before[1]
    root.setLevel(level)
    logging.getLogger("huaxiang").setLevel(logging.NOTSET)
    structlog.reset_defaults()


def test_a_line_is_json_with_time_level_and_the_recording(lines: Lines) -> None:
    with bound_contextvars(recording_id="0193-aa"):
        structlog.get_logger("huaxiang.test").info("stage done", stage="decode", duration_ms=12)
    (line,) = lines()
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "stage done",
        "level": "info",
        "logger": "huaxiang.test",
        "recording_id": "0193-aa",
        "stage": "decode",
        "duration_ms": 12,
    }


def test_a_field_not_known_to_be_safe_is_dropped_and_named(lines: Lines) -> None:
    structlog.get_logger("huaxiang.test").info(
        "turn", text=SAID, customer="王女士", stage={"text": SAID}, error=SAID, _x=SAID
    )
    (line,) = lines()
    assert line["dropped"] == ["_x", "customer", "stage", "text"]
    assert SAID not in json.dumps(line, ensure_ascii=False)


@pytest.mark.parametrize("field", ["event", "model", "recording_id"])
@pytest.mark.parametrize("private", [SAID, PHONE, "138-0013-8000"])
def test_what_was_said_cannot_slip_into_a_safe_field(lines: Lines, field: str, private: str) -> None:
    fields = {"event": "x", field: private}
    structlog.get_logger("huaxiang.test").info(**fields)
    assert private not in json.dumps(lines(), ensure_ascii=False)


def test_an_error_is_told_by_type_and_place_and_not_by_its_message(lines: Lines) -> None:
    try:
        try:
            raise ValueError(f"row contains {SAID}")
        except ValueError as error:
            raise StorageError("the database failed") from error
    except StorageError as error:
        structlog.get_logger("huaxiang.test").error("broke", exc_info=error)
    (line,) = lines()
    assert line["error"]["type"] == "StorageError"
    assert line["error"]["message"] == "the database failed"
    assert line["error"]["cause"]["type"] == "ValueError"
    assert "test_logging.py" in line["error"]["cause"]["at"][0]
    assert SAID not in json.dumps(line, ensure_ascii=False)


def test_libraries_are_heard_from_warning_up_and_masked(lines: Lines) -> None:
    library = logging.getLogger("some.library")
    library.info("quiet")
    library.warning("cannot take %s", SAID)
    try:
        raise KeyError(SAID)
    except KeyError:
        library.exception("broke")
    heard = lines()
    assert [(line["event"], line["level"], line["logger"]) for line in heard] == [
        ("cannot take …", "warning", "some.library"),
        ("broke", "error", "some.library"),
    ]
    assert SAID not in json.dumps(heard, ensure_ascii=False)


def test_below_the_level_nothing_of_ours_is_written(lines: Lines) -> None:
    structlog.get_logger("huaxiang.test").debug("detail")
    assert lines() == []


@given(
    st.text(
        alphabet=st.sampled_from("abc 0123456789-")
        | st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF)
    )
)
def test_masked_text_holds_no_chinese_and_no_number_as_long_as_a_phone(text: str) -> None:
    result = masked(text)
    assert not any("\u4e00" <= char <= "\u9fff" for char in result)
    run = 0
    for char in result:
        run = run + 1 if char.isdigit() else run
        run = run if char.isdigit() or char in " -" else 0
        assert run < 6
    assert len(result) <= 300
