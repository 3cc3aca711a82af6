"""The port of speaker embedding, and the twin that tests script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
Embeddings = NDArray[np.float32]


class SpeakerEncoder(Protocol):
    """Turns stretches of speech into vectors that lie close together where one person speaks.

    ``embed`` takes mono clips of any length at 16 kHz and gives one unit vector a clip, shape
    ``(clips, dimensions)``, whatever the loudness; a clip without sound gives zeros. The same clip
    gives the same vector up to rounding, whatever is embedded beside it. Raises ModelError where the
    model fails.
    """

    @property
    def name(self) -> str:
        """The model at its revision; vectors of different names must not be compared."""

    @property
    def dimensions(self) -> int:
        """The length of a vector."""

    def embed(self, clips: Sequence[Samples]) -> Embeddings:
        """Embed each clip."""


@dataclass(frozen=True, slots=True, eq=False)
class KnownVoice:
    """The voice of an enrolled seller: a unit vector, and the name of the encoder it was made with."""

    seller: str
    encoder: str
    vector: NDArray[np.float32]


def nearest_known(vector: NDArray[np.float32], known: Sequence[KnownVoice]) -> float | None:
    """Return the highest cosine of a voice with those known, None where none is."""
    return max((float(vector @ voice.vector) for voice in known), default=None)


@dataclass(frozen=True, slots=True)
class ScriptedSpeakerEncoder:
    """The scripted twin: a voice is the pitch of its tone.

    The vector of a clip is its share of energy in each band of ``band_hz``, so clips of one tone agree
    (cosine 1) and clips of tones in different bands do not (cosine near 0).
    """

    dimensions: int = 16
    band_hz: int = 100
    name: str = "scripted-voices@0"

    def embed(self, clips: Sequence[Samples]) -> Embeddings:
        """Embed each clip."""
        vectors = np.zeros((len(clips), self.dimensions), np.float32)
        for place, clip in enumerate(clips):
            vectors[place] = self._vector(np.asarray(clip, np.float64))
        return vectors

    def _vector(self, clip: NDArray[np.float64]) -> NDArray[np.float64]:
        energy = np.abs(np.fft.rfft(clip)) ** 2 if len(clip) else np.zeros(1)
        hertz = np.fft.rfftfreq(max(len(clip), 1), 1 / 16_000)[: len(energy)]
        band = np.minimum(hertz // self.band_hz, self.dimensions - 1).astype(int)
        vector = np.bincount(band, weights=energy, minlength=self.dimensions).astype(np.float64)
        norm = float(np.linalg.norm(vector))
        return vector / norm if norm else vector
