"""Whatever bytes come in: decoded audio or a typed error, and neither takes long."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import pytest
from audio_files import AMR_WB_WITH_SILENCE_FRAMES, ENCODINGS, make
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from huaxiang.core.audio import WavAudio
from huaxiang.core.errors import AudioError
from huaxiang.core.settings import AudioLimits
from huaxiang.ingest.decode import decode

LIMITS = AudioLimits()
SLOWEST_S = 20.0


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """One second of every format."""
    folder = tmp_path_factory.mktemp("formats")
    made = [make(folder, how.name, 1.0).read_bytes() for how in ENCODINGS]
    return [*made, AMR_WB_WITH_SILENCE_FRAMES.read_bytes()]


def holds(content: bytes) -> None:
    """Decode ``content``: it is audio of the length that was said, or an AudioError that names it."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "call", Path(folder) / "decoded.wav"
        source.write_bytes(content)
        begin = time.monotonic()
        refusal = ""
        try:
            info = decode(source, target, LIMITS)
        except AudioError as error:
            refusal = error.message
        else:
            audio = WavAudio(target)
            assert (audio.duration_ms, audio.channels) == (info.duration_ms, info.channels)
        assert time.monotonic() - begin < SLOWEST_S
        assert target.exists() is not (source.name in refusal)
        assert {path.name for path in Path(folder).iterdir()} <= {"call", "decoded.wav"}


@given(content=st.binary(max_size=4000))
@settings(deadline=None, max_examples=60)
def test_any_bytes(content: bytes) -> None:
    holds(content)


@given(data=st.data())
@settings(deadline=None, max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_truncation(recordings: list[bytes], data: st.DataObject) -> None:
    whole = data.draw(st.sampled_from(recordings))
    holds(whole[: data.draw(st.integers(0, len(whole)))])


@given(data=st.data())
@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_damage(recordings: list[bytes], data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from(recordings)))
    header_first = st.one_of(st.integers(0, 255), st.integers(0, len(content) - 1))
    for position in data.draw(st.lists(header_first, min_size=1, max_size=30)):
        content[position : position + 1] = data.draw(st.binary(max_size=3))
    holds(bytes(content))
