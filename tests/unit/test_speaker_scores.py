"""Diarization error, roles and boundaries, against cases counted by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from huaxiang.asr.diarization import SpeakerSegment
from huaxiang.asr.speaker_scores import (
    ErrorSeconds,
    boundary_errors,
    diarization_error,
    interval,
    role_seconds,
)
from huaxiang.asr.speaker_truth import Spoken, read_labelled_speakers
from huaxiang.core.errors import InvalidConversation, NotFound
from huaxiang.core.types import Role, Turn, Word

TRUTH = (
    Spoken(0, 10_000, "a", Role.AGENT),
    Spoken(10_000, 20_000, "b", Role.CUSTOMER),
    Spoken(18_000, 30_000, "a", Role.AGENT),
)


def segments(*parts: tuple[int, int, int]) -> list[SpeakerSegment]:
    return [SpeakerSegment(*part) for part in parts]


def turn(start_ms: int, end_ms: int, role: Role) -> Turn:
    words = (Word(start_ms, end_ms, "字", 1.0),)
    return Turn(0, role, start_ms, end_ms, "字", words=words)


def test_a_perfect_answer_under_other_names_has_no_error() -> None:
    found = segments((0, 10_000, 7), (10_000, 20_000, 3), (18_000, 30_000, 7))
    assert diarization_error(TRUTH, found, 30_000).rate == 0.0


def test_seconds_of_overlap_that_only_one_speaker_gets_are_missed() -> None:
    found = segments((0, 10_000, 0), (10_000, 20_000, 1), (20_000, 30_000, 0))
    error = diarization_error(TRUTH, found, 30_000, collar_s=0.0)
    assert error == ErrorSeconds(missed=2.0, false_alarm=0.0, confused=0.0, total=32.0)
    assert diarization_error(TRUTH, found, 30_000, overlap=False, collar_s=0.0).errors == 0.0


def test_a_quarter_of_a_second_on_each_side_of_a_boundary_is_not_scored() -> None:
    late = segments((0, 10_240, 0), (10_240, 20_000, 1), (18_000, 30_000, 0))
    assert diarization_error(TRUTH, late, 30_000).errors == pytest.approx(0.0)
    later = segments((0, 10_350, 0), (10_350, 20_000, 1), (18_000, 30_000, 0))
    assert diarization_error(TRUTH, later, 30_000).confused == pytest.approx(0.1)


def test_speech_where_nobody_speaks_is_a_false_alarm() -> None:
    found = segments((0, 10_000, 0), (10_000, 20_000, 1), (18_000, 30_000, 0), (31_000, 32_000, 1))
    assert diarization_error(TRUTH, found, 33_000).false_alarm == pytest.approx(1.0)


def test_roles_are_weighed_by_the_time_of_words() -> None:
    turns = [
        turn(0, 8000, Role.AGENT),
        turn(8000, 12_000, Role.CUSTOMER),  # 2 s of it are the seller's
        turn(12_000, 16_000, Role.UNKNOWN),
        turn(40_000, 50_000, Role.AGENT),  # nobody speaks: it counts nowhere
    ]
    roles = role_seconds(TRUTH, turns)
    assert (roles.right, roles.wrong, roles.abstained) == (10.0, 2.0, 4.0)


def test_pauses_of_a_turn_are_nobodys() -> None:
    words = (Word(0, 1000, "字", 1.0), Word(19_000, 20_000, "字", 1.0))
    roles = role_seconds(TRUTH, [Turn(0, Role.AGENT, 0, 20_000, "字字", words=words)])
    assert (roles.right, roles.wrong) == (2.0, 0.0)


def test_boundaries_are_compared_where_turns_are_each_others_best() -> None:
    starts, ends = boundary_errors(
        TRUTH,
        [turn(100, 4000, Role.AGENT), turn(4500, 9800, Role.AGENT), turn(10_050, 17_000, Role.CUSTOMER)],
    )
    assert starts == [4500, 50]
    assert ends == [200, 3000]


def test_the_interval_of_equal_recordings_is_their_rate() -> None:
    assert interval([(1.0, 10.0)] * 5) == (0.1, 0.1)


def test_folders_of_json_and_rttm_truths_are_read(tmp_path: Path) -> None:
    calls, meetings = tmp_path / "calls", tmp_path / "meetings"
    calls.mkdir()
    meetings.mkdir()
    (calls / "a.flac").write_bytes(b"")
    (meetings / "m.wav").write_bytes(b"")
    (calls / "a.json").write_text(
        json.dumps({"id": "a", "audio": "a.flac", "turns": [{"role": "agent", "start_ms": 0, "end_ms": 900}]})
    )
    (meetings / "m.rttm").write_text("SPEAKER m 1 1.5 2.25 <NA> <NA> Y <NA> <NA>\n")
    call, meeting = read_labelled_speakers(tmp_path)
    assert (call.id, call.has_roles, call.sets) == ("a", True, ("calls", "calls/mono"))
    assert (meeting.has_roles, meeting.sets) == (False, ("meetings",))
    assert meeting.spoken == (Spoken(1500, 3750, "Y"),)


def test_a_truth_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "m.wav").write_bytes(b"")
    (tmp_path / "m.rttm").write_text("SPEAKER m 1 soon 2.25 <NA> <NA> Y\n")
    with pytest.raises(InvalidConversation, match=r"m\.rttm, line 1"):
        read_labelled_speakers(tmp_path)


def test_a_truth_without_audio_and_an_empty_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        read_labelled_speakers(tmp_path)
    (tmp_path / "m.rttm").write_text("SPEAKER m 1 1.0 2.25 <NA> <NA> Y\n")
    with pytest.raises(NotFound, match=r"m\.rttm"):
        read_labelled_speakers(tmp_path)
