"""From a recorder's file to decoded audio: any supported format to 16 kHz WAV, streamed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from huaxiang.core.audio import SAMPLE_RATE
from huaxiang.core.errors import AudioError, AudioTooLong, EmptyAudio, NotAudio
from huaxiang.core.settings import AudioLimits
from huaxiang.core.types import AudioInfo
from huaxiang.ingest.dual_mono import DualMonoDetector
from huaxiang.ingest.media import Media, SourceFormat, Tally, is_cut, open_media
from huaxiang.ingest.sniff import refuse_early
from huaxiang.ingest.wav_file import MAX_DATA_BYTES, keep_channel, move, scratch_folder, wav_writer

Progress = Callable[[int], None]

_CUT_TOLERANCE_MS = 300  # encoders pad and trim; less than this is not worth a word
_MAX_DAMAGED_PER_DECODED = 9


class _MoreChannels(Exception):
    """A later part of the recording has more channels than its beginning."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        self.channels = channels


def probe(path: Path, limits: AudioLimits) -> AudioInfo:
    """Return what the header says without decoding: ``duration_ms`` is 0, ``declared_ms`` the claim.

    Raises NotFound for a missing file and what ``decode`` raises for what a header can show.
    """
    refuse_early(path)
    with open_media(path, limits) as media:
        _refuse_too_long(path, media.source.declared_ms or 0, limits)
        return AudioInfo(
            codec=media.source.codec,
            sample_rate=media.source.sample_rate,
            channels=media.source.channels,
            duration_ms=0,
            declared_ms=media.source.declared_ms,
        )


def decode(source: Path, target: Path, limits: AudioLimits, progress: Progress | None = None) -> AudioInfo:
    """Write ``source`` to ``target`` as a 16 kHz 16-bit WAV file and say what was found.

    The recording keeps its channels and is never mixed down; a stereo recording of one signal is
    reduced to its louder channel. Memory does not grow with the length. ``target`` appears whole or
    not at all. ``progress`` is called with the decoded length in ms about once a decoded second.

    Raises NotFound, EmptyAudio, EncryptedAudio, NotAudio, UnsupportedAudio, AudioTooLong (by the
    header, or once that much is decoded), AudioError, and StorageError where it cannot be written.
    """
    refuse_early(source)
    with scratch_folder(target) as scratch:
        whole = scratch / "whole.wav"
        channels: int | None = None
        while True:
            try:
                return _decode(source, whole, target, channels, limits, progress)
            except _MoreChannels as more:
                channels = more.channels


def _decode(
    source: Path,
    whole: Path,
    target: Path,
    channels: int | None,
    limits: AudioLimits,
    progress: Progress | None,
) -> AudioInfo:
    """Decode in one pass with as many channels as asked for, or as the header says."""
    with open_media(source, limits) as media:
        _refuse_too_long(source, media.source.declared_ms or 0, limits)
        channels = channels or media.source.channels
        detector = DualMonoDetector()
        frames = 0
        with wav_writer(whole, channels) as write:
            for block in _blocks(media, channels):
                frames += len(block)
                _refuse_too_long(source, _milliseconds(frames), limits)
                _refuse_too_large(source, frames * channels * 2)
                write(block)
                if channels == 2:
                    detector.update(block)
                if progress is not None:
                    progress(_milliseconds(frames))
    _refuse_unusable(source, frames, media.tally)
    if detector.found:
        keep_channel(whole, target, detector.louder)
    else:
        move(whole, target)
    return AudioInfo(
        codec=media.source.codec,
        sample_rate=media.source.sample_rate,
        channels=1 if detector.found else channels,
        duration_ms=_milliseconds(frames),
        declared_ms=media.source.declared_ms,
        damaged_frames=media.tally.damaged_packets + media.tally.lost_packets,
        truncated=_is_truncated(source, media.source, media.tally, _milliseconds(frames)),
        dual_mono=detector.found,
    )


def _blocks(media: Media, channels: int) -> Iterator[NDArray[np.int16]]:
    """Yield blocks of a second or a little more, shape ``(frames, channels)``."""
    parts: list[NDArray[np.int16]] = []
    frames = 0
    for samples in media.samples():
        parts.append(_spread(samples, channels))
        frames += len(samples)
        if frames >= SAMPLE_RATE:
            yield np.concatenate(parts)
            parts, frames = [], 0
    if frames:
        yield np.concatenate(parts)


def _spread(samples: NDArray[np.int16], channels: int) -> NDArray[np.int16]:
    """Fit a passage with fewer channels into the recording: mono on all of them, else silence added."""
    own = samples.shape[1]
    if own > channels:
        raise _MoreChannels(own)
    if own == channels:
        return samples
    if own == 1:
        return np.repeat(samples, channels, axis=1)
    return np.pad(samples, ((0, 0), (0, channels - own)))


def _milliseconds(frames: int) -> int:
    return frames * 1000 // SAMPLE_RATE


def _refuse_too_long(source: Path, duration_ms: int, limits: AudioLimits) -> None:
    if duration_ms > limits.max_duration_s * 1000:
        raise AudioTooLong(
            f"{source.name} is longer than {limits.max_duration_s} s; split it or raise "
            "HUAXIANG_AUDIO__MAX_DURATION_S"
        )


def _refuse_too_large(source: Path, data_bytes: int) -> None:
    if data_bytes > MAX_DATA_BYTES:
        raise AudioTooLong(f"{source.name} decodes to more than 4 GiB; split it or leave out channels")


def _refuse_unusable(source: Path, frames: int, tally: Tally) -> None:
    if not frames and not tally.damaged_packets:
        raise EmptyAudio(f"{source.name} holds a header but no sound; record or copy it again")
    if not frames:
        raise NotAudio(f"{source.name}: none of {tally.damaged_packets} audio frames can be decoded")
    if tally.damaged_packets > _MAX_DAMAGED_PER_DECODED * tally.decoded_packets:
        total = tally.damaged_packets + tally.decoded_packets
        raise AudioError(f"{source.name}: {tally.damaged_packets} of {total} audio frames are damaged")


def _is_truncated(path: Path, source: SourceFormat, tally: Tally, decoded_ms: int) -> bool:
    reached_ms = max(tally.reached_ms, decoded_ms)
    short = source.declared_ms is not None and source.declared_ms - reached_ms > _CUT_TOLERANCE_MS
    return tally.cut or short or is_cut(path)
