"""An hour of audio takes no more memory than a minute."""

from __future__ import annotations

import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from audio_files import make, voices

MEASURE = """
import json, resource, sys
from pathlib import Path
from huaxiang.core.settings import AudioLimits
from huaxiang.ingest.decode import decode

def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

target = Path(sys.argv[3])
decode(Path(sys.argv[1]), target, AudioLimits())
before = peak_mb()
info = decode(Path(sys.argv[2]), target, AudioLimits())
print(json.dumps({"extra_mb": peak_mb() - before, "duration_ms": info.duration_ms, "mono": info.dual_mono}))
"""


def write_an_hour(path: Path, channels: int) -> Path:
    """Encode the same minute sixty times; a WAV of one signal for two channels."""
    minute = np.repeat(voices(60, 16000), channels, axis=0)
    layout = "stereo" if channels == 2 else "mono"
    interleaved = np.ascontiguousarray((minute * 32767).astype(np.int16).T.reshape(1, -1))
    with av.open(str(path), "w") as container:
        codec = "flac" if path.suffix == ".flac" else "pcm_mulaw"
        stream: Any = container.add_stream(codec, rate=16000, layout=layout)
        for index in range(60):
            frame = av.AudioFrame.from_ndarray(interleaved, format="s16", layout=layout)
            frame.sample_rate, frame.pts, frame.time_base = 16000, index * 960_000, Fraction(1, 16000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.slow
@pytest.mark.parametrize(("name", "channels"), [("hour.flac", 1), ("hour.wav", 2)])
def test_an_hour_is_decoded_in_bounded_memory(name: str, channels: int, tmp_path: Path) -> None:
    hour = write_an_hour(tmp_path / name, channels)
    short = make(tmp_path, "pcm16.wav")

    result = subprocess.run(
        [sys.executable, "-c", MEASURE, short, hour, tmp_path / "decoded.wav"],
        capture_output=True,
        text=True,
        check=True,
    )

    measured = json.loads(result.stdout)
    assert abs(measured["duration_ms"] - 3_600_000) < 100
    assert measured["mono"] is (channels == 2)
    assert measured["extra_mb"] < 40
