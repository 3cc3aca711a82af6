"""Exports conversations into a new folder; what is there already is never written over."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session, sessionmaker

from huaxiang.api.corrections import CallForm, Corrections
from huaxiang.api.export.clips import TrueClip, true_clips, write_clip
from huaxiang.api.export.labelled import labelled_conversation
from huaxiang.api.held_scores import held_scores
from huaxiang.core.audio import WavAudio
from huaxiang.core.blobs import BlobStore
from huaxiang.core.database import reading
from huaxiang.core.errors import Conflict
from huaxiang.core.types import Json
from huaxiang.ingest.recordings import RecordingFilters, RecordingStore
from huaxiang.nlp.conversation_file import parse_conversation
from huaxiang.quality.review.corrected_scorecards import with_corrected
from huaxiang.quality.review.corrections import CorrectionKind, standing, touched_turns
from huaxiang.quality.rule_store import RuleStore

if TYPE_CHECKING:
    from huaxiang.api.bootstrap import System

Advance = Callable[[float], None]
CONVERSATIONS, CLIPS, MANIFEST = "conversations.jsonl", "asr", "manifest.jsonl"
PAGE = 100


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is exported: calls that people corrected, or with ``everything`` all that are done.

    ``audio`` also cuts the turns whose words people wrote.
    """

    filters: RecordingFilters
    everything: bool = False
    audio: bool = True


@dataclass
class Exported:
    """What an export came to."""

    conversations: int = 0
    turns: int = 0
    corrected_turns: int = 0
    clips: int = 0
    clips_ms: int = 0
    without_consent: int = 0
    labels: Counter[str] = field(default_factory=Counter)

    def document(self) -> dict[str, Json]:
        """Return it as JSON."""
        return {
            "conversations": self.conversations,
            "turns": self.turns,
            "corrected_turns": self.corrected_turns,
            "clips": self.clips,
            "clips_s": round(self.clips_ms / 1000, 1),
            "without_consent": self.without_consent,
            "labels": dict(sorted(self.labels.items())),
        }


@dataclass(frozen=True, slots=True)
class Exporter:
    """What an export reads from."""

    sessions: sessionmaker[Session]
    recordings: RecordingStore
    corrections: Corrections
    blobs: BlobStore
    rules: RuleStore

    def run(
        self,
        wanted: Wanted,
        target: Path,
        advance: Advance = lambda share: None,
        *,
        dry_run: bool = False,
    ) -> Exported:
        """Write ``conversations.jsonl`` and, for corrected words, ``asr/manifest.jsonl`` with its audio.

        ``target`` is a folder that is not there yet, or empty. It is complete or not there: it is written
        beside and put in its place at the end. Calls whose customer did not consent to be recorded are
        left out and counted. Raises Conflict where something is in the folder.
        """
        refuse_used(target)
        ids = self._ids(wanted.filters)
        if dry_run:
            return self._each(wanted, ids, advance, None)
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        try:
            exported = self._each(wanted, ids, advance, partial)
            refuse_used(target)
            if target.is_dir():
                target.rmdir()
            partial.chmod(0o755)
            partial.rename(target)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        return exported

    def _each(self, wanted: Wanted, ids: Sequence[str], advance: Advance, folder: Path | None) -> Exported:
        exported = Exported()
        for done, recording_id in enumerate(ids, start=1):
            self._one(wanted, recording_id, exported, folder)
            advance(done / len(ids))
        return exported

    def _one(self, wanted: Wanted, recording_id: str, exported: Exported, folder: Path | None) -> None:
        with reading(self.sessions) as session:
            log = self.corrections.log.load(session, recording_id)
            if not wanted.everything and not standing(log).in_force:
                return
            call = self.corrections.form(session, recording_id)
            if call.recording.metadata.consent is False:
                exported.without_consent += 1
                return
            finals = held_scores(self.rules, session, recording_id, call.scorecards)
            scorecards = with_corrected(session, recording_id, call.scorecards)
            decoded_key = self.recordings.decoded_key(session, recording_id)
        touched = touched_turns(call.log)
        document = labelled_conversation(
            call.recording, call.transcript, call.insights, scorecards, finals, touched
        )
        if not call.transcript.turns:
            return
        parse_conversation(document)  # what is written has to be readable by `train nlp`
        clips = true_clips(call.transcript, written_turns(call)) if wanted.audio and decoded_key else ()
        _count(exported, document, clips)
        if folder is None:
            return
        with (folder / CONVERSATIONS).open("a", encoding="utf-8") as file:
            file.write(json.dumps(document, ensure_ascii=False) + "\n")
        if clips and decoded_key is not None:
            self._write_clips(folder / CLIPS, decoded_key, clips)

    def _write_clips(self, folder: Path, decoded_key: str, clips: Sequence[TrueClip]) -> None:
        (folder / "audio").mkdir(parents=True, exist_ok=True)
        with (
            self.blobs.local_path(decoded_key) as path,
            (folder / MANIFEST).open("a", encoding="utf-8") as manifest,
        ):
            audio = WavAudio(path)
            for clip in clips:
                write_clip(audio, clip, folder / "audio" / f"{clip.id}.wav")
                row = {"id": clip.id, "audio": f"audio/{clip.id}.wav", "text": clip.text}
                manifest.write(json.dumps(row, ensure_ascii=False) + "\n")

    def _ids(self, filters: RecordingFilters) -> list[str]:
        return list(self._pages(filters))

    def _pages(self, filters: RecordingFilters) -> Iterator[str]:
        cursor: str | None = None
        while True:
            with reading(self.sessions) as session:
                page = self.recordings.list(session, cursor, filters, PAGE)
            yield from (recording.id for recording in page.items)
            cursor = page.next_cursor
            if cursor is None:
                return


def build_exporter(system: System) -> Exporter:
    """Return what takes conversations out of an installation."""
    return Exporter(
        system.storage.sessions,
        system.stores.recordings,
        system.corrections,
        system.storage.blobs,
        system.inspecting.rules,
    )


def refuse_used(target: Path) -> None:
    """Refuse a folder that has something in it, or a file in its place. Raises Conflict."""
    if target.is_dir() and not any(target.iterdir()):
        return
    if target.exists():
        raise Conflict(f"{target} is there already; name a folder that is not, nothing is written over")


def written_turns(call: CallForm) -> frozenset[int]:
    """Return the turns whose text in force was written by a person."""
    heard = {turn.index: turn.text for turn in call.automatic.turns}
    in_force = standing(call.log).in_force
    confirmed = {one.change.turn for one in in_force if one.change.kind is CorrectionKind.TURN_TEXT}
    return frozenset(
        turn.index
        for turn in call.transcript.turns
        if turn.index in confirmed and turn.text != heard.get(turn.index)
    )


def _count(exported: Exported, document: Mapping[str, Json], clips: Sequence[TrueClip]) -> None:
    turns = document["turns"]
    corrected = document["corrected_turns"]
    exported.conversations += 1
    exported.turns += len(turns) if isinstance(turns, list) else 0
    exported.corrected_turns += len(corrected) if isinstance(corrected, list) else 0
    exported.clips += len(clips)
    exported.clips_ms += sum(clip.end_ms - clip.start_ms for clip in clips)
    for turn in turns if isinstance(turns, list) else ():
        if not isinstance(turn, dict):
            continue
        for group in ("acts", "intents"):
            exported.labels.update(f"{group}.{label}" for label in turn[group])
        if turn["objection"]:
            exported.labels[f"objection.{turn['objection']}"] += 1
        if turn["sentiment"] != "neutral":
            exported.labels[f"sentiment.{turn['sentiment']}"] += 1
        exported.labels.update(f"entities.{entity['type']}" for entity in turn["entities"])
