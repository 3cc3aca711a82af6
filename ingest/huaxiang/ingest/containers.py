"""Reads what FFmpeg does not tell about a file: encryption, a missing index, a missing end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import BinaryIO
from uuid import UUID

_MAX_ELEMENTS = 20_000
_MP4_PARENTS = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl"})
_MP4_ENCRYPTED = frozenset({b"enca", b"drms", b"drmi", b"encv"})

_ASF_HEADER = UUID("75b22630-668e-11cf-a6d9-00aa0062ce6c").bytes_le
_ASF_FILE = UUID("8cabdca1-a947-11cf-8ee4-00c00c205365").bytes_le
_ASF_ENCRYPTED = frozenset(
    UUID(guid).bytes_le
    for guid in (
        "2211b3fb-bd23-11d2-b4b7-00a0c955fc6e",
        "298ae614-2622-4c17-b935-dae07ee9289c",
        "43058533-6981-49e6-9b74-ad12cb86d58c",
    )
)

_MAX_OGG_PAGE_BYTES = 65_307

_EBML = b"\x1a\x45\xdf\xa3"
_CLUSTER, _CONTENT_ENCRYPTION = 0x1F43B675, 0x5035
# Segment, Tracks, TrackEntry, ContentEncodings, ContentEncoding
_EBML_PARENTS = frozenset({0x18538067, 0x1654AE6B, 0xAE, 0x6D80, 0x6240})


def is_encrypted(file: BinaryIO) -> bool:
    """Tell whether an MP4, ASF or Matroska file says that its content is encrypted."""
    head = _at(file, 0, 16)
    if head[4:8] == b"ftyp":
        return any(kind in _MP4_ENCRYPTED for kind, _, _ in _mp4_boxes(file))
    if head == _ASF_HEADER:
        return any(kind in _ASF_ENCRYPTED for kind, _, _ in _asf_objects(file))
    if head[:4] == _EBML:
        return any(kind == _CONTENT_ENCRYPTION for kind in _ebml_elements(file))
    return False


def lacks_index(file: BinaryIO) -> bool:
    """Tell whether an MP4 file was cut off before the index that it writes at its end (``moov``)."""
    if _at(file, 4, 4) != b"ftyp":
        return False
    return all(kind != b"moov" for kind, _, _ in _mp4_boxes(file))


def lacks_end(file: BinaryIO) -> bool:
    """Tell whether an Ogg file has no last page, or an ASF file is shorter than its header says."""
    head = _at(file, 0, 16)
    if head[:4] == b"OggS":
        return _lacks_last_ogg_page(file)
    if head == _ASF_HEADER:
        for kind, start, _ in _asf_objects(file):
            if kind == _ASF_FILE:
                return int.from_bytes(_at(file, start + 16, 8), "little") > _size(file)
    return False


def mp3_states_length(file: BinaryIO) -> bool:
    """Tell whether an MP3 file begins with a frame that states its length (Xing, Info or VBRI)."""
    head = _at(file, 0, 10)
    start = 0
    if head[:3] == b"ID3" and len(head) == 10:
        start = 10 + sum((byte & 0x7F) << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))
    first_frame = _at(file, start, 1024)
    return any(tag in first_frame for tag in (b"Xing", b"Info", b"VBRI"))


def _size(file: BinaryIO) -> int:
    return file.seek(0, os.SEEK_END)


def _at(file: BinaryIO, position: int, size_bytes: int) -> bytes:
    """Read at a position that the file itself may have made up."""
    if position >= _size(file):
        return b""
    file.seek(position)
    return file.read(size_bytes)


def _mp4_boxes(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Yield the boxes that matter with their kind, start and end (ISO/IEC 14496-12, 4.2)."""
    spans = [(0, _size(file))]
    for _ in range(_MAX_ELEMENTS):
        if not spans:
            return
        start, end = spans.pop()
        head = _at(file, start, 16)
        if start + 8 > end or len(head) < 8:
            continue
        size, kind, header = int.from_bytes(head[:4], "big"), head[4:8], 8
        if size == 1:
            size, header = int.from_bytes(head[8:16], "big"), 16
        box_end = end if size == 0 else start + max(size, header)
        yield kind, start, box_end
        spans.append((box_end, end))
        if kind in _MP4_PARENTS:
            spans.append((start + header, min(box_end, end)))
        elif kind == b"stsd":
            spans.append((start + header + 8, min(box_end, end)))


def _asf_objects(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Yield GUID, start of content and end of each object in the ASF header (ASF specification, 3)."""
    header = _at(file, 16, 12)
    end, count = int.from_bytes(header[:8], "little"), int.from_bytes(header[8:], "little")
    position = 30
    for _ in range(min(count, _MAX_ELEMENTS)):
        head = _at(file, position, 24)
        size = int.from_bytes(head[16:], "little")
        if len(head) < 24 or size < 24 or position >= end:
            return
        yield head[:16], position + 24, position + size
        position += size


def _ebml_elements(file: BinaryIO) -> Iterator[int]:
    """Yield the ids of a Matroska file's header elements, up to its first cluster (RFC 8794)."""
    position = 0
    for _ in range(_MAX_ELEMENTS):
        kind, id_bytes = _ebml_number(_at(file, position, 8), keep_marker=True)
        size, length_bytes = _ebml_number(_at(file, position + id_bytes, 8), keep_marker=False)
        if not id_bytes or not length_bytes or kind == _CLUSTER:
            return
        yield kind
        position += id_bytes + length_bytes
        if kind not in _EBML_PARENTS:
            position += size


def _ebml_number(data: bytes, keep_marker: bool) -> tuple[int, int]:
    """Return a variable-length integer and how many bytes it takes, (0, 0) where there is none."""
    width = 9 - data[0].bit_length() if data and data[0] else 0
    if not width or len(data) < width:
        return 0, 0
    value = int.from_bytes(data[:width], "big")
    return (value if keep_marker else value & ((1 << 7 * width) - 1)), width


def _lacks_last_ogg_page(file: BinaryIO) -> bool:
    """Tell whether the last page is missing, incomplete, or not marked as the end (RFC 3533, 6)."""
    tail = _at(file, max(0, _size(file) - 2 * _MAX_OGG_PAGE_BYTES), 2 * _MAX_OGG_PAGE_BYTES)
    page = tail.rfind(b"OggS")
    if page < 0 or page + 27 > len(tail):
        return True
    segments = tail[page + 27 : page + 27 + tail[page + 26]]
    whole = page + 27 + tail[page + 26] + sum(segments) <= len(tail)
    return not (whole and tail[page + 5] & 0x04)
