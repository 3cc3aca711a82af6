"""The seam to PyAV: opens a recording and yields what can be decoded of it, 16 kHz, channel by channel.

Third-party errors stop here. FFmpeg is told which containers and decoders it may use and that files
are all it may open, so a playlist with an innocent name reads nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
from av.audio import AudioStream
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.container import InputContainer
from numpy.typing import NDArray

from huaxiang.core.audio import SAMPLE_RATE
from huaxiang.core.errors import NotAudio, UnsupportedAudio
from huaxiang.core.settings import AudioLimits
from huaxiang.ingest import containers
from huaxiang.ingest.formats import (
    BETTER_DECODERS,
    CODECS,
    DEMUXERS,
    GAPS_ARE_LOSSES,
    GUESSED_DURATION,
    is_amr_frame,
)

_MAX_GAP_MS = 60_000  # beyond that it is the time stamp that is damaged
_OPTIONS = {
    "format_whitelist": ",".join(DEMUXERS),
    "protocol_whitelist": "file",
    "codec_whitelist": ",".join(
        sorted({*CODECS, *BETTER_DECODERS.values(), "amrnb", "amrwb", "mp3float", "mp2float", "libopus"})
    ),
}


@dataclass(frozen=True, slots=True)
class SourceFormat:
    """What the header says: ``declared_ms`` is ``None`` where it states no length."""

    codec: str
    sample_rate: int
    channels: int
    declared_ms: int | None


@dataclass(slots=True)
class Tally:
    """What happened while decoding; ``reached_ms`` is the end of the last packet that was there.

    ``lost_packets`` are those that a damaged container swallowed, as its time stamps show.
    """

    decoded_packets: int = 0
    damaged_packets: int = 0
    lost_packets: int = 0
    reached_ms: int = 0
    cut: bool = False


class Media:
    """An opened recording: its format, and its samples as they are decoded."""

    def __init__(
        self,
        name: str,
        container: InputContainer,
        stream: AudioStream,
        source: SourceFormat,
        limits: AudioLimits,
    ) -> None:
        self.source = source
        self.tally = Tally()
        self._name = name
        self._container = container
        self._stream = stream
        self._limits = limits

    def samples(self) -> Iterator[NDArray[np.int16]]:
        """Yield 16 kHz samples, shape ``(frames, channels)``; the count of channels may change.

        Packets that cannot be decoded are counted in ``tally`` and left out. Raises UnsupportedAudio
        for a sample rate or a count of channels outside the limits.
        """
        resampler = _Resampler()
        for frame in self._frames():
            check_format(self._name, frame.sample_rate, frame.layout.nb_channels, self._limits)
            yield from resampler.convert(frame)
        yield from resampler.flush()

    def _frames(self) -> Iterator[AudioFrame]:
        decoder = self._decoder()
        last_was_damaged = False
        for packet in self._packets():
            frames = self._decoded(decoder, packet)
            last_was_damaged = frames is None
            if frames is None:
                self.tally.damaged_packets += 1
            else:
                self.tally.decoded_packets += 1
                yield from frames
        if last_was_damaged:
            self.tally.cut = True
        try:
            yield from decoder.decode(None)
        except av.FFmpegError:
            self.tally.cut = True

    def _decoded(self, decoder: AudioCodecContext, packet: Any) -> list[AudioFrame] | None:
        """Return the frames of a packet, ``None`` where it is damaged."""
        if self.source.codec in BETTER_DECODERS and not is_amr_frame(self.source.codec, bytes(packet)[0]):
            return None
        try:
            return decoder.decode(packet)
        except av.FFmpegError:
            return None

    def _decoder(self) -> AudioCodecContext:
        better = BETTER_DECODERS.get(self.source.codec)
        context = self._stream.codec_context if better is None else av.CodecContext.create(better, "r")
        return cast("AudioCodecContext", context)

    def _packets(self) -> Iterator[Any]:
        """Yield the stream's packets up to the end, or to where the file breaks off."""
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.FFmpegError:
                self.tally.cut = True
                return
            if not packet.size:
                continue  # the packet that PyAV appends to flush the decoder
            self.tally.cut = self.tally.cut or packet.is_corrupt
            self._note_position(packet)
            yield packet

    def _note_position(self, packet: Any) -> None:
        """Follow the time stamps: how far the file reaches, and what is missing in between."""
        if packet.pts is None or not packet.duration:
            return
        start = packet.pts - (self._stream.start_time or 0)
        end_ms = int((start + packet.duration) * packet.time_base * 1000)
        gap_ms = int(start * packet.time_base * 1000) - self.tally.reached_ms
        duration_ms = max(1, int(packet.duration * packet.time_base * 1000))
        if self._container.format.name in GAPS_ARE_LOSSES and duration_ms <= gap_ms <= _MAX_GAP_MS:
            self.tally.lost_packets += round(gap_ms / duration_ms)
        self.tally.reached_ms = max(self.tally.reached_ms, end_ms)


class _Resampler:
    """Converts frames to 16 kHz s16 with their own channels; starts anew where their form changes."""

    def __init__(self) -> None:
        self._form: tuple[str, str, int] | None = None
        self._graph = av.AudioResampler()

    def convert(self, frame: AudioFrame) -> Iterator[NDArray[np.int16]]:
        form = (frame.format.name, frame.layout.name, frame.sample_rate)
        if form != self._form:
            yield from self.flush()
            self._form = form
            self._graph = av.AudioResampler(format="s16", layout=frame.layout, rate=SAMPLE_RATE)
        frame.pts = None  # positions count samples; jumps in time stamps are of no concern here
        yield from map(_interleaved, self._graph.resample(frame))

    def flush(self) -> Iterator[NDArray[np.int16]]:
        if self._form is not None:
            yield from map(_interleaved, self._graph.resample(None))


def _interleaved(frame: AudioFrame) -> NDArray[np.int16]:
    samples: NDArray[np.int16] = np.asarray(frame.to_ndarray(), dtype=np.int16)
    return samples.reshape(-1, frame.layout.nb_channels)


@contextmanager
def open_media(path: Path, limits: AudioLimits) -> Iterator[Media]:
    """Open a recording and check what its header says.

    Raises NotAudio where no supported container or no audio stream is found, and UnsupportedAudio
    for a codec that is not in ``formats.CODECS`` or a rate or channel count outside the limits.
    """
    try:
        container = av.open(f"file:{path.absolute()}", "r", options=_OPTIONS, metadata_errors="replace")
    except av.FFmpegError as error:
        raise NotAudio(f"{path.name} is not a recording in a supported format") from error
    with container:
        stream = container.streams.best("audio")
        if not isinstance(stream, AudioStream):
            raise NotAudio(f"{path.name} holds no audio stream")
        source = _source_format(path, container, stream)
        check_format(path.name, source.sample_rate, source.channels, limits)
        yield Media(path.name, container, stream, source, limits)


def check_format(name: str, sample_rate: int, channels: int, limits: AudioLimits) -> None:
    """Raise UnsupportedAudio for a sample rate or a count of channels outside the limits."""
    if not limits.min_sample_rate <= sample_rate <= limits.max_sample_rate:
        raise UnsupportedAudio(
            f"{name}: {sample_rate} Hz is outside {limits.min_sample_rate} to {limits.max_sample_rate} Hz"
        )
    if not 1 <= channels <= limits.max_channels:
        raise UnsupportedAudio(f"{name}: {channels} channels are outside 1 to {limits.max_channels}")


def _source_format(path: Path, container: InputContainer, stream: AudioStream) -> SourceFormat:
    context = stream.codec_context
    codec = context.codec.canonical_name if context is not None else "unknown"
    if codec not in CODECS:
        raise UnsupportedAudio(f"{path.name} is encoded as {codec}, which is not supported; use WAV or MP3")
    return SourceFormat(
        codec=codec,
        sample_rate=context.sample_rate,
        channels=context.channels,
        declared_ms=_declared_ms(path, container, stream),
    )


def _declared_ms(path: Path, container: InputContainer, stream: AudioStream) -> int | None:
    """Return the length that the header states, ``None`` where FFmpeg only guesses it."""
    if container.format.name in GUESSED_DURATION:
        return None
    if container.format.name == "mp3":
        with path.open("rb") as file:
            if not containers.mp3_states_length(file):
                return None
    if stream.duration is not None and stream.time_base is not None:
        return int(stream.duration * stream.time_base * 1000)
    return None if container.duration is None else container.duration * 1000 // av.time_base


def is_cut(path: Path) -> bool:
    """Tell whether a file lacks the end that its container asks for."""
    with path.open("rb") as file:
        return containers.lacks_end(file)
