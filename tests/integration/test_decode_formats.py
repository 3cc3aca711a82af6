"""Decoding: every supported format, whole, cut short and damaged."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from audio_files import (
    AMR_WB_WITH_SILENCE_FRAMES,
    ENCODINGS,
    MONO_CALL,
    STEREO_CALL,
    Encoding,
    cut,
    encode,
    encoding,
    make,
    voices,
)
from numpy.typing import NDArray

from huaxiang.core.audio import WavAudio
from huaxiang.core.errors import AudioError
from huaxiang.core.settings import AudioLimits
from huaxiang.core.types import AudioInfo
from huaxiang.ingest.decode import decode, probe

LIMITS = AudioLimits()
SECONDS = 3.0
ALL = pytest.mark.parametrize("how", ENCODINGS, ids=lambda how: how.name)
INDEX_AT_THE_END = {"index-last.m4a", "lossless.m4a", "phone.3gp"}
LENGTH_UNKNOWABLE = {"headerless.mp3", "layer2.mp3"}


def decoded(source: Path) -> tuple[AudioInfo, WavAudio]:
    target = source.with_name("decoded.wav")
    info = decode(source, target, LIMITS)
    return info, WavAudio(target)


def samples(audio: WavAudio, channel: int) -> NDArray[np.float32]:
    return audio.read(channel, 0, audio.duration_ms)


def likeness(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """The correlation of two signals at their best alignment, 1.0 for the same signal."""
    size = len(one) + len(other)
    spectrum = np.fft.rfft(one, size) * np.conj(np.fft.rfft(other, size))
    best = np.abs(np.fft.irfft(spectrum, size)).max()
    return float(best / (np.linalg.norm(one) * np.linalg.norm(other)))


@ALL
def test_every_format_keeps_its_channels_and_its_sound(how: Encoding, tmp_path: Path) -> None:
    info, audio = decoded(make(tmp_path, how.name, SECONDS))

    assert info.codec == (how.canonical or how.codec)
    assert info.sample_rate == how.rate
    assert (info.channels, audio.channels) == (how.channels, how.channels)
    assert abs(audio.duration_ms - SECONDS * 1000) < 200
    assert info.duration_ms == audio.duration_ms
    assert (info.damaged_frames, info.truncated, info.dual_mono) == (0, False, False)
    original = voices(SECONDS, 16000, how.channels).astype(np.float32)
    for channel in range(how.channels):
        assert likeness(samples(audio, channel), original[channel]) > 0.85


@ALL
def test_a_header_is_read_without_decoding(how: Encoding, tmp_path: Path) -> None:
    info = probe(make(tmp_path, how.name, SECONDS), LIMITS)

    assert (info.sample_rate, info.channels, info.duration_ms) == (how.rate, how.channels, 0)
    assert info.declared_ms is None or abs(info.declared_ms - SECONDS * 1000) < 150


@ALL
def test_a_file_without_a_name_is_recognised_by_its_bytes(how: Encoding, tmp_path: Path) -> None:
    nameless = make(tmp_path, how.name, SECONDS).rename(tmp_path / "original")

    assert decode(nameless, tmp_path / "decoded.wav", LIMITS).codec == (how.canonical or how.codec)


@pytest.mark.parametrize(
    "how", [one for one in ENCODINGS if one.name not in INDEX_AT_THE_END], ids=lambda how: how.name
)
def test_a_truncated_file_is_used_as_far_as_it_goes(how: Encoding, tmp_path: Path) -> None:
    info, audio = decoded(cut(make(tmp_path, how.name, 6.0), 0.6))

    assert 2_400 < audio.duration_ms < 4_200
    assert info.truncated is (how.name not in LENGTH_UNKNOWABLE)


@pytest.mark.parametrize("name", sorted(INDEX_AT_THE_END))
def test_a_file_that_lost_its_index_says_so(name: str, tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=r"cut-.* before its index") as raised:
        decoded(cut(make(tmp_path, name), 0.6))

    assert raised.value.code == "audio_unusable"


@pytest.mark.parametrize(
    "name",
    ["lossless.flac", "adts.aac", "phone.amr", "lame.mp3", "voice.opus", "index-last.m4a", "windows.wma"],
)
def test_damaged_frames_are_counted_and_skipped(name: str, tmp_path: Path) -> None:
    path = make(tmp_path, name, SECONDS)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + len(data) // 20] = b"\xff" * (len(data) // 20)
    path.write_bytes(data)

    info, audio = decoded(path)

    assert info.damaged_frames > 0
    assert 0.6 * SECONDS * 1000 < audio.duration_ms < SECONDS * 1000
    assert not info.truncated


def test_amr_silence_frames_are_decoded_to_their_full_length(tmp_path: Path) -> None:
    speech = voices(1.0, 8000)
    pause = np.zeros((1, 16000))
    source = encode(tmp_path / "a.amr", encoding("silence.amr"), np.hstack([speech, pause, speech]))
    with av.open(str(source)) as container:
        kinds = {(bytes(packet)[0] >> 3) & 15 for packet in container.demux() if packet.size}
    assert kinds >= {8, 15}, "the encoder wrote no silence frames"

    info, audio = decoded(source)

    assert info.damaged_frames == 0
    assert abs(audio.duration_ms - 4000) < 60


def test_wideband_amr_with_silence_frames_is_decoded_to_its_full_length(tmp_path: Path) -> None:
    source = tmp_path / "call.amr"
    source.write_bytes(AMR_WB_WITH_SILENCE_FRAMES.read_bytes())

    info, audio = decoded(source)

    assert (info.codec, info.sample_rate, info.damaged_frames) == ("amr_wb", 16000, 0)
    assert audio.duration_ms == 8000


@pytest.mark.shared
def test_the_phone_call_with_silence_frames_is_whole(shared_dir: Path, tmp_path: Path) -> None:
    info = decode(shared_dir / "audio" / "synth" / "biz-001.amr", tmp_path / "decoded.wav", LIMITS)

    assert (info.damaged_frames, info.truncated) == (0, False)
    assert abs(info.duration_ms - 142_105) < 100


@pytest.mark.shared
def test_every_synthetic_call_has_its_true_length(shared_dir: Path, tmp_path: Path) -> None:
    folder = shared_dir / "audio" / "synth"
    calls = [path for path in sorted(folder.iterdir()) if path.suffix != ".json"]
    assert len(calls) >= 14
    for call in calls:
        info = decode(call, tmp_path / "decoded.wav", LIMITS)
        assert (info.damaged_frames, info.truncated, info.dual_mono) == (0, False, False)
        assert info.duration_ms > 80_000


@pytest.mark.parametrize(("call", "channels"), [(STEREO_CALL, 2), (MONO_CALL, 1)])
def test_the_demo_calls_are_decoded(call: Path, channels: int, tmp_path: Path) -> None:
    info = decode(call, tmp_path / "decoded.wav", LIMITS)

    assert (info.channels, info.damaged_frames, info.truncated) == (channels, 0, False)


def test_the_decoded_file_is_a_plain_wav(tmp_path: Path) -> None:
    target = tmp_path / "decoded.wav"
    decode(make(tmp_path, "lame.mp3"), target, LIMITS)

    with wave.open(str(target)) as header:
        assert (header.getnchannels(), header.getsampwidth(), header.getframerate()) == (2, 2, 16000)
        assert target.stat().st_size == 44 + header.getnframes() * 4


def test_five_channels_and_a_woofer_are_taken_as_they_are(tmp_path: Path) -> None:
    how = Encoding("surround.flac", "flac", "flac", 16000, 6)

    info, audio = decoded(encode(tmp_path / how.name, how, voices(2.0, 16000, 6)))

    assert (info.channels, audio.channels) == (6, 6)


@pytest.mark.parametrize("order", ["mono first", "stereo first"])
def test_a_recording_whose_form_changes_midway_is_taken_whole(order: str, tmp_path: Path) -> None:
    mono = encode(tmp_path / "m.aac", Encoding("m.aac", "adts", "aac", 8000), voices(3, 8000))
    stereo = encode(tmp_path / "s.aac", Encoding("s.aac", "adts", "aac", 48000, 2), voices(3, 48000, 2))
    parts = [mono, stereo] if order == "mono first" else [stereo, mono]
    both = tmp_path / "both.aac"
    both.write_bytes(b"".join(part.read_bytes() for part in parts))

    info, audio = decoded(both)

    assert audio.channels == 2
    assert abs(audio.duration_ms - 6000) < 400
    assert info.damaged_frames == 0
    mono_at = 500 if order == "mono first" else 3700
    left, right = (audio.read(channel, mono_at, mono_at + 1500) for channel in (0, 1))
    assert np.array_equal(left, right)
    assert np.abs(left).max() > 0.1


def test_the_audio_of_a_video_and_of_a_file_with_a_cover_is_taken(tmp_path: Path) -> None:
    for name, container, picture in (("meeting.webm", "webm", "libvpx-vp9"), ("cover.mp3", "mp3", "mjpeg")):
        how = encoding("browser.webm" if container == "webm" else "lame.mp3")
        path = tmp_path / name
        with_picture(path, container, how, picture)

        info, audio = decoded(path)

        assert info.codec == how.canonical
        assert abs(audio.duration_ms - 2000) < 150


def with_picture(path: Path, container: str, how: Encoding, codec: str) -> None:
    with av.open(str(path), "w", format=container) as output:
        pictures: Any = output.add_stream(codec, rate=5)
        pictures.width, pictures.height = 64, 64
        pictures.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        sound: Any = output.add_stream(how.codec, rate=how.rate, layout="mono")
        count = 1 if codec == "mjpeg" else 10
        for index in range(count):
            image = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 20 * index, np.uint8), format="rgb24")
            image.pts = index
            output.mux(pictures.encode(image))
        output.mux(pictures.encode(None))
        row = (voices(2.0, how.rate) * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(row, format="s16", layout="mono")
        frame.sample_rate, frame.pts = how.rate, 0
        output.mux(sound.encode(frame))
        output.mux(sound.encode(None))


def test_progress_rises_to_the_length(tmp_path: Path) -> None:
    seen: list[int] = []

    info = decode(make(tmp_path, "pcm16.wav", 5.0), tmp_path / "decoded.wav", LIMITS, seen.append)

    assert seen == sorted(seen)
    assert len(seen) >= 4
    assert seen[-1] == info.duration_ms
