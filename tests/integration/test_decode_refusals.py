"""What is no usable recording gets the error that says why, and leaves nothing behind."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from audio_files import Encoding, cut, encode, make, voices, wav_bytes

from huaxiang.core.errors import (
    AudioError,
    AudioTooLong,
    EmptyAudio,
    EncryptedAudio,
    NotAudio,
    NotFound,
    StorageError,
    UnsupportedAudio,
)
from huaxiang.core.settings import AudioLimits
from huaxiang.ingest.decode import decode, probe

LIMITS = AudioLimits()
SECOND_OF_PCM = b"\x01\x02" * 8000


def refused(tmp_path: Path, content: bytes, error: type[AudioError], name: str = "call.wav") -> AudioError:
    """Decode and probe ``content``; return the error, which has to name the file."""
    source = tmp_path / name
    source.write_bytes(content)
    target = tmp_path / "decoded.wav"
    with pytest.raises(AudioError) as raised:
        decode(source, target, LIMITS)
    assert type(raised.value) is error
    assert name in raised.value.message
    assert sorted(tmp_path.iterdir()) == [source], "something was left behind"
    return raised.value


def test_an_empty_file(tmp_path: Path) -> None:
    refused(tmp_path, b"", EmptyAudio)


def test_a_header_without_sound(tmp_path: Path) -> None:
    refused(tmp_path, wav_bytes(b""), EmptyAudio)


@pytest.mark.parametrize(
    "content",
    [
        b"this is a note, not a recording\n" * 500,
        b"\x00" * 100_000,
        b"%PDF-1.7\n" + b"x" * 1000,
        b"\xff\xd8\xff\xe0" + b"picture" * 100,
        b"RIFF\x00\x00",
        b"\xff",
        wav_bytes(SECOND_OF_PCM)[:30],
        np.random.default_rng(5).bytes(200_000),
    ],
    ids=["text", "zeros", "pdf", "jpeg", "six bytes", "one byte", "half a header", "noise"],
)
@pytest.mark.parametrize("name", ["call.wav", "call.mp3", "call"])
def test_a_file_that_is_no_audio(content: bytes, name: str, tmp_path: Path) -> None:
    refused(tmp_path, content, NotAudio, name)


def test_a_playlist_named_wav_reads_no_other_file(tmp_path: Path) -> None:
    other = tmp_path / "elsewhere"
    other.mkdir()
    secret = make(other, "pcm16.wav")
    for script in (
        f"ffconcat version 1.0\nfile {secret}\n",
        f"# a comment first\nffconcat version 1.0\nfile '{secret}'\n",
        f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{secret}\n",
    ):
        source = tmp_path / "call.wav"
        source.write_text(script)
        with pytest.raises(NotAudio):
            decode(source, tmp_path / "decoded.wav", LIMITS)
        assert not (tmp_path / "decoded.wav").exists()


def test_a_path_that_looks_like_a_protocol_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    source = make(tmp_path, "pcm16.wav").rename(tmp_path / "concat:call.wav")

    assert decode(Path(source.name), Path("decoded.wav"), LIMITS).codec == "pcm_s16le"


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"call\.wav"):
        decode(tmp_path / "call.wav", tmp_path / "decoded.wav", LIMITS)
    with pytest.raises(NotAudio, match="is a folder"):
        decode(tmp_path, tmp_path / "decoded.wav", LIMITS)


def test_encrypted_archives_and_plain_ones(tmp_path: Path) -> None:
    plain = tmp_path / "plain.zip"
    with zipfile.ZipFile(plain, "w") as archive:
        archive.writestr("call.wav", wav_bytes(SECOND_OF_PCM))
    data = bytearray(plain.read_bytes())
    plain.unlink()
    refused(tmp_path, bytes(data), NotAudio, "call.zip")
    (tmp_path / "call.zip").unlink()
    data[6] |= 1
    refused(tmp_path, bytes(data), EncryptedAudio, "locked.zip")


@pytest.mark.parametrize(
    "magic", [b"Salted__", b"-----BEGIN PGP MESSAGE-----\n", b"age-encryption.org/v1\n", b"CTENFDAM"]
)
def test_encrypted_files(magic: bytes, tmp_path: Path) -> None:
    refused(tmp_path, magic + bytes(range(256)) * 20, EncryptedAudio)


@pytest.mark.parametrize("name", ["index-last.m4a", "index-first.m4a"])
@pytest.mark.parametrize("entry", [b"drms", b"enca"])
def test_an_mp4_file_under_rights_management(entry: bytes, name: str, tmp_path: Path) -> None:
    path = make(tmp_path, name)
    data = path.read_bytes()
    path.unlink()
    assert data.count(b"mp4a") == 1

    refused(tmp_path, data.replace(b"mp4a", entry), EncryptedAudio, name)


def test_a_windows_media_file_under_rights_management(tmp_path: Path) -> None:
    path = make(tmp_path, "windows.wma")
    data = bytearray(path.read_bytes())
    path.unlink()
    protection = bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e") + struct.pack("<Q", 24 + 16) + b"\x00" * 16
    data[30:30] = protection
    size, count = struct.unpack_from("<QI", data, 16)
    struct.pack_into("<QI", data, 16, size + len(protection), count + 1)

    refused(tmp_path, bytes(data), EncryptedAudio, "call.wma")


def test_an_encrypted_matroska_file(tmp_path: Path) -> None:
    path = make(tmp_path, "browser.webm")
    data = bytearray(path.read_bytes())
    path.unlink()
    # ContentEncodings(ContentEncoding(ContentEncryption())) into the place of the codec's name
    encryption = bytes.fromhex("6d8086624083503580")
    name = data.index(b"\x86\x86A_OPUS")
    data[name : name + 8] = encryption[:3] + bytes([0x85]) + encryption[4:8]
    data[name : name + 8] = bytes.fromhex("6d8085624082") + b"\x50\x35"

    refused(tmp_path, bytes(data), EncryptedAudio, "call.webm")


def test_a_wav_of_one_hertz(tmp_path: Path) -> None:
    refused(tmp_path, wav_bytes(b"\x00" * 2000, rate=1), UnsupportedAudio)


def test_a_wav_of_too_many_hertz_or_channels(tmp_path: Path) -> None:
    refused(tmp_path, wav_bytes(SECOND_OF_PCM, rate=2_000_000), UnsupportedAudio, "fast.wav")
    (tmp_path / "fast.wav").unlink()
    refused(tmp_path, wav_bytes(SECOND_OF_PCM, channels=40), UnsupportedAudio, "wide.wav")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"FORM\x00\x00\x10\x00AIFFCOMM" + b"\x00" * 64, "AIFF"),
        (b"\x02#!SILK_V3" + b"\x00" * 64, "SILK"),
        (b"MAC \x96\x0f" + b"\x00" * 64, "Monkey"),
    ],
)
def test_audio_of_a_format_that_is_not_supported(content: bytes, what: str, tmp_path: Path) -> None:
    assert what in refused(tmp_path, content, UnsupportedAudio).message


def test_a_codec_that_is_not_supported_in_a_container_that_is(tmp_path: Path) -> None:
    how = Encoding("call.m4a", "mp4", "ac3", 48000, 2)
    path = encode(tmp_path / "source.mp4", how, voices(1.0, 48000, 2))
    content = path.read_bytes()
    path.unlink()

    assert "ac3" in refused(tmp_path, content, UnsupportedAudio, "call.m4a").message


def test_ten_hours_by_the_header_are_refused_without_decoding(tmp_path: Path) -> None:
    path = make(tmp_path, "lossless.flac")
    data = bytearray(path.read_bytes())
    samples = 10 * 3600 * 8000
    data[21] = data[21] & 0xF0 | samples >> 32
    struct.pack_into(">I", data, 22, samples & 0xFFFFFFFF)
    path.write_bytes(data)

    for attempt in (probe, lambda source, limits: decode(source, tmp_path / "decoded.wav", limits)):
        with pytest.raises(AudioTooLong, match=r"lossless\.flac is longer than 21600 s"):
            attempt(path, LIMITS)


@pytest.mark.parametrize("name", ["phone.amr", "headerless.mp3", "adts.aac", "voice.opus", "pcm16.wav"])
def test_what_turns_out_too_long_while_decoding_is_refused(name: str, tmp_path: Path) -> None:
    source = make(tmp_path, name, 5.0)

    with pytest.raises(AudioTooLong, match=name):
        decode(source, tmp_path / "decoded.wav", AudioLimits(max_duration_s=3))

    assert list(tmp_path.iterdir()) == [source]


def test_decoded_audio_that_no_wav_header_can_count_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huaxiang.ingest.decode.MAX_DATA_BYTES", 100_000)

    with pytest.raises(AudioTooLong, match="4 GiB"):
        decode(make(tmp_path, "pcm16.wav", 5.0), tmp_path / "decoded.wav", LIMITS)


def test_a_file_of_damage_alone_is_no_recording(tmp_path: Path) -> None:
    path = make(tmp_path, "phone.amr")
    path.write_bytes(path.read_bytes()[:6] + b"\xff" * 3000)

    with pytest.raises(NotAudio, match="none of 3000 audio frames"):
        decode(path, tmp_path / "decoded.wav", LIMITS)


def test_a_file_that_is_nearly_all_damage_says_how_much(tmp_path: Path) -> None:
    path = make(tmp_path, "phone.amr")
    path.write_bytes(path.read_bytes()[:200] + b"\xff" * 3000)

    with pytest.raises(AudioError, match=r"2999 of 3014 audio frames are damaged"):
        decode(path, tmp_path / "decoded.wav", LIMITS)


def test_a_failure_keeps_what_was_decoded_before(tmp_path: Path) -> None:
    target = tmp_path / "decoded.wav"
    decode(make(tmp_path, "pcm16.wav"), target, LIMITS)
    before = target.read_bytes()

    with pytest.raises(AudioTooLong):
        decode(make(tmp_path, "phone.amr", 5.0), target, AudioLimits(max_duration_s=3))

    assert target.read_bytes() == before


def test_a_folder_that_cannot_be_written_is_a_storage_error(tmp_path: Path) -> None:
    source = make(tmp_path, "pcm16.wav")
    (tmp_path / "decoded.wav").mkdir()

    with pytest.raises(StorageError, match=r"decoded\.wav"):
        decode(source, tmp_path / "decoded.wav", LIMITS)
    with pytest.raises(StorageError, match=r"decoded\.wav"):
        decode(source, tmp_path / "nowhere" / "decoded.wav", LIMITS)


def test_a_cut_header_is_no_recording(tmp_path: Path) -> None:
    with pytest.raises(AudioError):
        decode(cut(make(tmp_path, "lossless.flac"), 0.002), tmp_path / "decoded.wav", LIMITS)
