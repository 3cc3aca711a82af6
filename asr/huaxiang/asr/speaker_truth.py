"""Reads recordings with the truth of who speaks when: ``ID.json`` or ``ID.rttm`` beside the audio."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from huaxiang.core.errors import InvalidConversation, NotFound
from huaxiang.core.types import Role

_RTTM_FIELDS = 8
_AUDIO = {".wav", ".flac", ".mp3", ".m4a", ".opus", ".ogg", ".amr", ".aac", ".wma", ".webm", ".mp4"}


@dataclass(frozen=True, slots=True)
class Spoken:
    """One stretch of one person's speech; ``role`` is unknown where the truth names people only."""

    start_ms: int
    end_ms: int
    speaker: str
    role: Role = Role.UNKNOWN


@dataclass(frozen=True, slots=True)
class LabelledSpeakers:
    """A recording, who speaks in it, and the sets that it is counted in."""

    id: str
    audio: Path
    spoken: tuple[Spoken, ...]
    sets: tuple[str, ...]

    @property
    def has_roles(self) -> bool:
        """Whether the truth tells sellers from customers."""
        return any(one.role is not Role.UNKNOWN for one in self.spoken)


def read_labelled_speakers(folder: Path) -> tuple[LabelledSpeakers, ...]:
    """Return the recordings of a folder and of the folders in it.

    ``ID.json`` has ``audio`` and ``turns`` with ``role``, ``start_ms`` and ``end_ms`` (and ``speaker``
    where a role is several people); ``ID.rttm`` (NIST RT) lies beside one audio file of that name.
    Raises NotFound where there is nothing to read or audio is missing, and InvalidConversation, naming
    the file, for a truth that cannot be read.
    """
    if not folder.is_dir():
        raise NotFound(f"{folder}: no such folder")
    found = tuple(_in_folder(folder))
    if not found:
        raise NotFound(f"{folder} holds no ID.json and no ID.rttm beside audio")
    return found


def _in_folder(folder: Path) -> Iterator[LabelledSpeakers]:
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            yield from _in_folder(path)
        elif path.suffix == ".rttm":
            yield LabelledSpeakers(path.stem, _audio_of(path), tuple(_from_rttm(path)), (folder.name,))
        elif path.suffix == ".json":
            labelled = _from_json(path)
            if labelled is not None:
                yield labelled


def _audio_of(truth: Path) -> Path:
    beside = [
        path
        for path in sorted(truth.parent.iterdir())
        if path.suffix.lower() in _AUDIO and path.name.split(".")[0] == truth.stem.split(".")[0]
    ]
    if not beside:
        raise NotFound(f"{truth.name} lies beside no audio of its name")
    return beside[0]


def _from_rttm(path: Path) -> Iterator[Spoken]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        fields = line.split()
        if not fields or fields[0] != "SPEAKER":
            continue
        try:
            start_s, duration_s = float(fields[3]), float(fields[4])
            speaker = fields[_RTTM_FIELDS - 1]
        except (IndexError, ValueError) as error:
            raise InvalidConversation(f"{path.name}, line {number} is not RTTM") from error
        yield Spoken(round(start_s * 1000), round((start_s + duration_s) * 1000), speaker)


def _from_json(path: Path) -> LabelledSpeakers | None:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(document, dict) or not document.get("turns"):
            return None
        spoken = tuple(
            Spoken(
                int(turn["start_ms"]),
                int(turn["end_ms"]),
                str(turn.get("speaker") or turn["role"]),
                Role(turn["role"]),
            )
            for turn in document["turns"]
        )
        audio = path.parent / document["audio"]
        channels = "stereo" if document.get("channels", 1) > 1 else "mono"
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
        raise InvalidConversation(f"{path.name} is not the truth of a recording") from error
    if not audio.is_file():
        raise NotFound(f"{audio}, which the truth names, is missing")
    name = path.parent.name
    return LabelledSpeakers(str(document.get("id", path.stem)), audio, spoken, (name, f"{name}/{channels}"))
