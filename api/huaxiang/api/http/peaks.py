"""The outline of decoded audio for drawing: the loudest sample of each of equal stretches."""

from __future__ import annotations

import json

import numpy as np

from huaxiang.core.audio import SAMPLE_RATE, DecodedAudio, WavAudio
from huaxiang.core.blobs import BlobStore

POINTS = 1200
_BLOCK_MS = 60_000


def peaks_of(audio: DecodedAudio, points: int = POINTS) -> list[list[float]]:
    """Return for each channel ``points`` peaks in 0–1 (fewer where there are fewer samples).

    Reads a minute at a time, so an hour takes no more memory than a minute.
    """
    samples = audio.duration_ms * SAMPLE_RATE // 1000
    points = max(min(points, samples), 1)
    found = np.zeros((audio.channels, points), dtype=np.float32)
    for channel in range(audio.channels):
        for start_ms in range(0, audio.duration_ms, _BLOCK_MS):
            block = np.abs(audio.read(channel, start_ms, min(start_ms + _BLOCK_MS, audio.duration_ms)))
            first = start_ms * SAMPLE_RATE // 1000
            last = min(first + len(block), samples) - 1
            buckets = np.arange(first * points // samples, last * points // samples + 1)
            starts = np.maximum(-(-buckets * samples // points), first) - first
            found[channel, buckets] = np.maximum(found[channel, buckets], np.maximum.reduceat(block, starts))
    return [[round(float(value), 3) for value in channel] for channel in found]


def stored_peaks(blobs: BlobStore, decoded_key: str) -> bytes:
    """Return the peaks of a decoded blob as JSON; they are made once and kept beside it.

    Raises BlobMissing where the decoded audio is not there, AudioError where it cannot be read.
    """
    key = f"{decoded_key}.peaks.json"
    if blobs.exists(key):
        return b"".join(blobs.read(key))
    with blobs.local_path(decoded_key) as path:
        audio = WavAudio(path)
        document = {"duration_ms": audio.duration_ms, "peaks": peaks_of(audio)}
    encoded = json.dumps(document, separators=(",", ":")).encode()
    blobs.put(key, [encoded])
    return encoded
