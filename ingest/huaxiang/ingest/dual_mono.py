"""Finds stereo recordings whose two channels carry one signal, while they stream by."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_ACTIVE_MEAN_SQUARE = (32768 * 10 ** (-50 / 20)) ** 2  # quieter than -50 dBFS says nothing
_MAX_RESIDUAL = 0.1
_MAX_BLOCK_RESIDUAL = 0.4
_MAX_ODD_BLOCK_SHARE = 0.005

_FRAME = 4096  # samples: a quarter of a second, so that a delay of milliseconds does not matter
_LOUD_RANGE_DB = 20.0
_MIN_LOUD_FRAMES = 20
_MAX_ODD_DB = 6.0
_MAX_ODD_FRAME_SHARE = 0.02
_FEW_ODD_BLOCKS = 0.1
_MAX_GAIN_DB = 20.0
_SILENCE = 1e-3  # of a sample's square: keeps the logarithm of digital silence finite


class DualMonoDetector:
    """Compares two channels up to a factor, so inverted and scaled copies count as the same signal.

    The residual is the share of energy that one channel does not explain of the other,
    ``1 - (x·y)² / (x·x)(y·y)``. It has to be small over the whole recording, which noise of a lossy
    codec leaves it, and in practically every second: two people never speak in unison, and one
    sentence on one side alone makes it a true stereo recording.

    A copy that was delayed, filtered or coded by itself is no multiple of the other channel in many
    seconds, but rises and falls with it: its level stays within 6 dB of a constant distance. Two odd
    quarters of a second in a row are somebody who speaks on one side, and so are few odd seconds.
    """

    def __init__(self) -> None:
        self._energy = np.zeros(2)
        self._product = 0.0
        self._active = 0
        self._odd = 0
        self._levels: list[NDArray[np.float64]] = []

    def update(self, block: NDArray[np.int16]) -> None:
        """Take one second or so of both channels, shape ``(samples, 2)``."""
        samples = block.astype(np.float64)
        frames = samples[: len(samples) // _FRAME * _FRAME].reshape(-1, _FRAME, 2)
        self._levels.append(10 * np.log10(np.einsum("fij,fij->fj", frames, frames) / _FRAME + _SILENCE))
        # einsum, not @: a dot product of this size is slower in a pool of BLAS threads than without
        energy = np.einsum("ij,ij->j", samples, samples)
        product = float(np.einsum("i,i->", samples[:, 0], samples[:, 1]))
        self._energy += energy
        self._product += product
        if energy.max(initial=0.0) > _ACTIVE_MEAN_SQUARE * len(block):
            self._active += 1
            self._odd += _residual(energy, product) > _MAX_BLOCK_RESIDUAL

    @property
    def found(self) -> bool:
        """Whether all that was seen is one signal on two channels."""
        return self._one_signal or self._one_level

    @property
    def _one_signal(self) -> bool:
        return (
            self._active > 0
            and _residual(self._energy, self._product) <= _MAX_RESIDUAL
            and self._odd <= _MAX_ODD_BLOCK_SHARE * self._active
        )

    @property
    def _one_level(self) -> bool:
        levels = np.concatenate(self._levels) if self._levels else np.zeros((0, 2))
        floor = 10 * np.log10(_ACTIVE_MEAN_SQUARE)
        active = levels[levels.max(axis=1) > floor]
        if len(active) < _MIN_LOUD_FRAMES or self._odd < _FEW_ODD_BLOCKS * self._active:
            return False
        loud = active[(active > np.percentile(active, 95, axis=0) - _LOUD_RANGE_DB).any(axis=1)]
        distance = loud[:, 0] - loud[:, 1]
        gain = float(np.median(distance))
        odd = np.abs(distance - gain) > _MAX_ODD_DB
        return (
            len(loud) >= _MIN_LOUD_FRAMES
            and abs(gain) <= _MAX_GAIN_DB
            and float(odd.mean()) <= _MAX_ODD_FRAME_SHARE
            and not bool(np.any(odd[1:] & odd[:-1]))
        )

    @property
    def louder(self) -> int:
        """The channel to keep: the one with more energy."""
        return int(self._energy[1] > self._energy[0])


def _residual(energy: NDArray[np.float64], product: float) -> float:
    both = float(energy[0] * energy[1])
    return 1.0 - product * product / both if both else 1.0
