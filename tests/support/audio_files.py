"""Recordings made for a test by real encoders, and files that only pretend to be recordings."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

DATA = Path(__file__).parents[1] / "data"
STEREO_CALL = DATA / "calls" / "saas-007.mp3"
MONO_CALL = DATA / "calls" / "ins-009.mp3"
AMR_WB_WITH_SILENCE_FRAMES = DATA / "audio" / "silence-frames.amrwb"
_LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}

Samples = NDArray[np.float64]


@dataclass(frozen=True)
class Encoding:
    """One way to encode audio: container, codec, and what they need to be told."""

    name: str
    container: str
    codec: str
    rate: int
    channels: int = 1
    canonical: str = ""
    bit_rate: int | None = None
    container_options: Mapping[str, str] = field(default_factory=dict)
    codec_options: Mapping[str, str] = field(default_factory=dict)


ENCODINGS = (
    Encoding("pcm8.wav", "wav", "pcm_u8", 8000),
    Encoding("pcm16.wav", "wav", "pcm_s16le", 16000, 2),
    Encoding("pcm24.wav", "wav", "pcm_s24le", 48000, 2),
    Encoding("pcm32.wav", "wav", "pcm_s32le", 44100),
    Encoding("float.wav", "wav", "pcm_f32le", 32000, 2),
    Encoding("alaw.wav", "wav", "pcm_alaw", 8000, 2),
    Encoding("mulaw.wav", "wav", "pcm_mulaw", 8000),
    Encoding("ima.wav", "wav", "adpcm_ima_wav", 8000),
    Encoding("ms.wav", "wav", "adpcm_ms", 8000),
    Encoding("lame.mp3", "mp3", "libmp3lame", 16000, 2, "mp3"),
    Encoding("layer2.mp3", "mp2", "mp2", 32000, 1),
    Encoding("headerless.mp3", "mp3", "libmp3lame", 8000, 1, "mp3", container_options={"write_xing": "0"}),
    Encoding("index-last.m4a", "ipod", "aac", 16000, 2),
    Encoding("index-first.m4a", "ipod", "aac", 44100, 1, container_options={"movflags": "faststart"}),
    Encoding("lossless.m4a", "ipod", "alac", 16000, 1),
    Encoding("adts.aac", "adts", "aac", 16000, 2),
    Encoding("phone.3gp", "3gp", "libopencore_amrnb", 8000, 1, "amr_nb"),
    Encoding("phone.amr", "amr", "libopencore_amrnb", 8000, 1, "amr_nb"),
    Encoding("silence.amr", "amr", "libopencore_amrnb", 8000, 1, "amr_nb", codec_options={"dtx": "1"}),
    Encoding("voice.opus", "ogg", "libopus", 48000, 2, "opus"),
    Encoding("lossless.flac", "flac", "flac", 8000, 2),
    Encoding("windows.wma", "asf", "wmav2", 16000, 2, bit_rate=64_000),
    Encoding("old.wma", "asf", "wmav1", 16000, 1, bit_rate=32_000),
    Encoding("browser.webm", "webm", "libopus", 48000, 1, "opus"),
)
"""Every format that PyAV can encode; AMR-WB has a file of its own in tests/data."""


def encoding(name: str) -> Encoding:
    """Return the encoding of that name."""
    return next(one for one in ENCODINGS if one.name == name)


def voices(seconds: float, rate: int, channels: int = 1, seed: int = 0) -> Samples:
    """Return one unlike signal a channel, shape ``(channels, samples)`` within ±0.5.

    Tones that come and go like syllables, over a little noise.
    """
    random = np.random.default_rng(seed)
    time_s = np.arange(round(seconds * rate)) / rate
    rows = []
    for channel in range(channels):
        syllables = np.sin(2 * np.pi * (1.3 + 0.4 * channel) * time_s) > 0
        tone = np.sin(2 * np.pi * 220 * (channel + 1) * time_s) + 0.5 * np.sin(
            2 * np.pi * 530 * (channel + 1) * time_s
        )
        rows.append(0.3 * tone * syllables + random.normal(0, 0.002, time_s.size))
    return np.stack(rows)


def encode(path: Path, how: Encoding, samples: Samples) -> Path:
    """Encode samples of shape ``(channels, samples)`` at ``how.rate`` and return the path."""
    layout = _LAYOUTS[len(samples)]
    with av.open(str(path), "w", format=how.container, options=dict(how.container_options)) as container:
        stream: Any = container.add_stream(
            how.codec, rate=how.rate, layout=layout, options=dict(how.codec_options)
        )
        if how.bit_rate:
            stream.bit_rate = how.bit_rate
        interleaved = (samples * 32767).clip(-32768, 32767).astype(np.int16).T.reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(interleaved), format="s16", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = how.rate, 0, Fraction(1, how.rate)
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def make(folder: Path, name: str, seconds: float = 3.0) -> Path:
    """Write the encoding ``name`` of some voices into ``folder`` and return its path."""
    how = encoding(name)
    return encode(folder / name, how, voices(seconds, how.rate, how.channels))


def cut(path: Path, share: float) -> Path:
    """Return a copy that ends after ``share`` of the bytes, the beginning of an interrupted transfer."""
    whole = path.read_bytes()
    target = path.with_name(f"cut-{path.name}")
    target.write_bytes(whole[: int(len(whole) * share)])
    return target


def wav_bytes(data: bytes, rate: int = 8000, channels: int = 1, claimed_bytes: int | None = None) -> bytes:
    """Return 16-bit PCM in a WAV header that may claim what is not so."""
    claimed = len(data) if claimed_bytes is None else claimed_bytes
    return (
        b"RIFF"
        + struct.pack("<I", min(36 + claimed, 0xFFFFFFFF))
        + b"WAVEfmt "
        + struct.pack("<IHHIIHH", 16, 1, channels, rate, rate * channels * 2 % 2**32, channels * 2, 16)
        + b"data"
        + struct.pack("<I", claimed)
        + data
    )
