"""The GE2E speaker encoder (Wan et al. 2018) with the weights of Resemblyzer (Apache-2.0).

The spectrum is that of the package, which takes it from librosa: power in 40 Slaney mel bands, windows
of 25 ms every 10 ms, no logarithm. The network is three LSTM layers of 256; the last state of the
window, through a linear layer and ReLU, brought to length one, is the voice.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray

from huaxiang.asr.speaker_encoder import Embeddings, Samples
from huaxiang.core.audio import SAMPLE_RATE
from huaxiang.core.errors import ModelCorrupt, ModelError
from huaxiang.core.torch_threads import bounded_threads

_BANDS = 40
_WINDOW = SAMPLE_RATE * 25 // 1000
_HOP = SAMPLE_RATE * 10 // 1000
_UNITS = 256
_LAYERS = 3
_LOUDNESS = 10 ** (-30 / 20)  # root mean square of -30 dBFS, at which the network was trained
_BATCH = 64
_EPSILON = 1e-9


class _Network(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = torch.nn.LSTM(_BANDS, _UNITS, _LAYERS, batch_first=True)
        self.linear = torch.nn.Linear(_UNITS, _UNITS)


class Ge2eSpeakerEncoder:
    """The real encoder: 256 dimensions, trained on windows of 1.6 s, usable from 0.5 s.

    Clips of like length share a batch; what is filled up behind a clip cannot be heard, since the
    state is read at the clip's own end. While it runs, torch has one thread: more make it slower.
    """

    dimensions = _UNITS

    def __init__(self, weights_file: Path, name: str) -> None:
        """Load the weights. Raises ModelCorrupt where the file is not the one expected."""
        self.name = name
        precise = _load(weights_file)
        # Half the time at the same result, where the processor multiplies bfloat16 itself.
        fast = torch.cpu.get_capabilities().get("avx512_bf16", False)
        self._type = torch.bfloat16 if fast else torch.float32
        self._network = precise.to(self._type)
        self._bands = torch.from_numpy(mel_bands())
        self._window = torch.hann_window(_WINDOW)

    def embed(self, clips: Sequence[Samples]) -> Embeddings:
        """Embed each clip, shape ``(clips, 256)``. Raises ModelError where the network fails."""
        vectors = np.zeros((len(clips), _UNITS), np.float32)
        sounding = [place for place, clip in enumerate(clips) if len(clip) and np.any(clip)]
        sounding.sort(key=lambda place: len(clips[place]))
        for start in range(0, len(sounding), _BATCH):
            places = sounding[start : start + _BATCH]
            with bounded_threads(1), torch.inference_mode():
                vectors[places] = self._infer([self._spectrum(clips[place]) for place in places])
        return vectors

    def _spectrum(self, clip: Samples) -> torch.Tensor:
        """Return the mel spectrum of a clip at the loudness of training, shape ``(frames, 40)``."""
        gain = _LOUDNESS / float(np.sqrt(np.mean(np.square(clip, dtype=np.float64))))
        spectrum = torch.stft(
            torch.from_numpy(np.asarray(clip * gain, np.float32)),
            _WINDOW,
            _HOP,
            window=self._window,
            center=True,
            pad_mode="constant",
            return_complex=True,
        )
        power = spectrum.real.square() + spectrum.imag.square()
        return (self._bands @ power).T

    def _infer(self, spectra: Sequence[torch.Tensor]) -> NDArray[np.float32]:
        lengths = torch.tensor([len(spectrum) for spectrum in spectra])
        batch = torch.nn.utils.rnn.pad_sequence(list(spectra), batch_first=True).to(self._type)
        try:
            states, _ = self._network.lstm(batch)
            last = states[torch.arange(len(spectra)), lengths - 1]
            voices = torch.relu(self._network.linear(last)).float()
        except RuntimeError as error:
            raise ModelError("speaker embedding failed", model=self.name) from error
        norms = torch.linalg.vector_norm(voices, dim=1, keepdim=True).clamp_min(_EPSILON)
        return cast("NDArray[np.float32]", (voices / norms).numpy())


def _load(weights_file: Path) -> _Network:
    network = _Network()
    try:
        state = torch.load(weights_file, map_location="cpu", weights_only=True)["model_state"]
        wanted = network.state_dict()
        network.load_state_dict({name: state[name] for name in wanted})
    except (OSError, RuntimeError, KeyError, pickle.UnpicklingError) as error:
        raise ModelCorrupt(
            f"{weights_file.name} holds no GE2E speaker encoder; run `huaxiang models pull`"
        ) from error
    return network.eval()


def mel_bands() -> NDArray[np.float32]:
    """Return the mel filters, shape ``(40, 201)``: Slaney's scale and area, as librosa has them."""
    edges = _hertz(np.linspace(_mel(0.0), _mel(SAMPLE_RATE / 2), _BANDS + 2))
    hertz = np.fft.rfftfreq(_WINDOW, 1 / SAMPLE_RATE)
    distance = edges[:, None] - hertz[None]
    width = np.diff(edges)[:, None]
    rising, falling = -distance[:-2] / width[:-1], distance[2:] / width[1:]
    filters = np.maximum(0.0, np.minimum(rising, falling))
    filters *= (2.0 / (edges[2:] - edges[:-2]))[:, None]
    return cast("NDArray[np.float32]", filters.astype(np.float32))


# Slaney's mel scale (Auditory Toolbox, 1998): linear to 1 kHz, then 27 bands to a factor of 6.4.
_LINEAR_HZ = 200.0 / 3.0
_BREAK_HZ = 1000.0
_BREAK_MEL = _BREAK_HZ / _LINEAR_HZ
_LOG_STEP = np.log(6.4) / 27.0


def _mel(hertz: float) -> float:
    if hertz < _BREAK_HZ:
        return hertz / _LINEAR_HZ
    return float(_BREAK_MEL + np.log(hertz / _BREAK_HZ) / _LOG_STEP)


def _hertz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    curved = _BREAK_HZ * np.exp(_LOG_STEP * (mel - _BREAK_MEL))
    return np.where(mel >= _BREAK_MEL, curved, mel * _LINEAR_HZ)
