"""Reads recordings with their true text: a JSONL manifest, or a folder of ``ID.json`` truths."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from huaxiang.asr.error_rate import joined
from huaxiang.core.errors import InvalidConversation, NotFound

MANIFEST = "manifest.jsonl"


@dataclass(frozen=True, slots=True)
class LabelledAudio:
    """A recording and what is said in it.

    ``text`` is everything in the order in which it begins; ``channel_texts`` the same for each channel
    where the truth tells them apart. ``sets`` are the sets that it is counted in.
    """

    id: str
    audio: Path
    text: str
    sets: tuple[str, ...]
    agent_channel: int | None = None
    channel_texts: tuple[str, ...] = ()


def read_labelled_audio(path: Path) -> tuple[LabelledAudio, ...]:
    """Return the recordings of a manifest file, or of a folder and the folders in it.

    A manifest has one ``{"audio", "text"}`` a line, ``id`` if it is not the file's name, paths relative
    to itself. A folder has a ``manifest.jsonl``, or ``ID.json`` files whose ``turns`` carry ``role``,
    ``start_ms`` and ``text``. What has no text is passed over.

    Raises NotFound where there is nothing to read or a recording is missing, and InvalidConversation,
    naming the file and the line, for a truth that cannot be read.
    """
    if not path.exists():
        raise NotFound(f"{path}: no such file or folder")
    found = tuple(_from_manifest(path) if path.is_file() else _from_folder(path))
    if not found:
        raise NotFound(f"{path} holds no {MANIFEST} and no ID.json of a recording with its text")
    missing = next((labelled for labelled in found if not labelled.audio.is_file()), None)
    if missing is not None:
        raise NotFound(f"{missing.audio}, which the truth names, is missing")
    return _told_apart(found)


def truth_beside(audio: Path) -> LabelledAudio | None:
    """Return what is said in a recording where ``ID.json`` lies beside ``ID.<format>``, else None.

    Raises InvalidConversation for a truth that cannot be read.
    """
    truth = audio.with_name(audio.name.partition(".")[0] + ".json")
    labelled = _from_truth(truth) if truth.is_file() else None
    return labelled if labelled is not None and labelled.audio.name == audio.name else None


def _told_apart(found: tuple[LabelledAudio, ...]) -> tuple[LabelledAudio, ...]:
    """Put its folder before an id that several recordings share."""
    often = Counter(labelled.id for labelled in found)
    return tuple(
        replace(labelled, id=f"{labelled.audio.parent.name}/{labelled.audio.name}")
        if often[labelled.id] > 1
        else labelled
        for labelled in found
    )


def _from_folder(folder: Path) -> Iterator[LabelledAudio]:
    manifest = folder / MANIFEST
    if manifest.is_file():
        yield from _from_manifest(manifest)
        return
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            yield from _from_folder(path)
        elif path.suffix == ".json":
            labelled = _from_truth(path)
            if labelled is not None:
                yield labelled


def _from_manifest(path: Path) -> Iterator[LabelledAudio]:
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
                audio = path.parent / row["audio"]
                text = row.get("text")
                identity = str(row.get("id", audio.name))
            except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
                raise InvalidConversation(f"{path.name}, line {number}: no audio with its text") from error
            if text:
                yield LabelledAudio(identity, audio, text, (path.parent.name,))


def _from_truth(path: Path) -> LabelledAudio | None:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(document, dict) or not document.get("turns"):
            return None
        turns = sorted(document["turns"], key=lambda turn: int(turn["start_ms"]))
        audio = path.parent / document["audio"]
        return LabelledAudio(
            id=str(document.get("id", path.stem)),
            audio=audio,
            text=joined([turn["text"] for turn in turns]),
            sets=_sets(path.parent.name, audio, document),
            agent_channel=document.get("agent_channel"),
            channel_texts=_by_channel(turns, document),
        )
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
        raise InvalidConversation(f"{path.name} is not the truth of a recording") from error


def _sets(folder: str, audio: Path, document: dict[str, Any]) -> tuple[str, ...]:
    channels = "stereo" if document.get("channels", 1) > 1 else "mono"
    written = "".join(audio.suffixes).lstrip(".")
    return (folder, f"{folder}/{channels}", f"{folder}/{written}")


def _by_channel(turns: list[dict[str, Any]], document: dict[str, Any]) -> tuple[str, ...]:
    agent_channel = document.get("agent_channel")
    if document.get("channels") != 2 or agent_channel is None:
        return ()
    texts = []
    for channel in range(2):
        role = "agent" if channel == agent_channel else "customer"
        texts.append(joined([turn["text"] for turn in turns if turn["role"] == role]))
    return tuple(texts)
