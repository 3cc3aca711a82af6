"""Which recordings are accepted, as FFmpeg names them. Everything else is refused before it is read."""

from __future__ import annotations

from collections.abc import Mapping

# Containers. A name that is not here is never opened, so a playlist that is named .wav reads nothing.
DEMUXERS = (
    "wav",
    "mp3",
    "aac",
    "mov",
    "mp4",
    "m4a",
    "3gp",
    "3g2",
    "mj2",
    "amr",
    "amrnb",
    "amrwb",
    "ogg",
    "flac",
    "asf",
    "matroska",
    "webm",
)

# Decoders by the name of the codec.
CODECS = (
    "pcm_u8",
    "pcm_s16le",
    "pcm_s24le",
    "pcm_s32le",
    "pcm_s64le",
    "pcm_f32le",
    "pcm_f64le",
    "pcm_alaw",
    "pcm_mulaw",
    "adpcm_ima_wav",
    "adpcm_ms",
    "gsm_ms",
    "mp2",
    "mp3",
    "aac",
    "alac",
    "amr_nb",
    "amr_wb",
    "opus",
    "vorbis",
    "flac",
    "wmav1",
    "wmav2",
    "wmapro",
    "wmavoice",
)

# FFmpeg's own AMR decoders fail on silence frames; those of OpenCORE decode them.
BETTER_DECODERS: Mapping[str, str] = {"amr_nb": "libopencore_amrnb", "amr_wb": "libopencore_amrwb"}

# Containers without a length in their header: FFmpeg guesses one from the bit rate.
GUESSED_DURATION = frozenset({"aac", "amr", "amrnb", "amrwb"})

# Containers whose time stamps run on without a gap unless a part was damaged. In Matroska a gap is
# as likely a pause in which a browser sent nothing.
GAPS_ARE_LOSSES = frozenset({"flac", "ogg", "asf"})

_AMR_RESERVED_TYPES: Mapping[str, range] = {"amr_nb": range(9, 15), "amr_wb": range(10, 14)}

EXTENSIONS = frozenset(
    {
        ".wav",
        ".mp3",
        ".m4a",
        ".mp4",
        ".aac",
        ".3gp",
        ".amr",
        ".awb",
        ".amrwb",
        ".ogg",
        ".oga",
        ".opus",
        ".flac",
        ".wma",
        ".asf",
        ".webm",
        ".mka",
        ".weba",
    }
)
"""File names that a watched folder takes for recordings."""


def is_amr_frame(codec: str, first_byte: int) -> bool:
    """Tell whether a byte can begin an AMR frame: ``0FFFFQ00`` with a frame type in use and Q set.

    RFC 4867, 5.3. Q is clear where the network marked the frame as damaged.
    """
    frame_type = first_byte >> 3 & 15
    return first_byte & 0b1000_0111 == 0b100 and frame_type not in _AMR_RESERVED_TYPES[codec]
