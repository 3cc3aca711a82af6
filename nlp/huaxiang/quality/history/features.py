"""Everything that rules look at of one conversation, packed small and read back fast.

The encoding is versioned: four bytes of length, that much JSON by columns, then the words as JSON,
both compressed with zlib. Quotes are not written, since they are cut from their turns again; words are
opened only where somebody asks for them.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast, overload

from huaxiang.core.errors import StorageError
from huaxiang.core.types import (
    Evidence,
    Finding,
    FindingKind,
    Insights,
    Json,
    Role,
    Transcript,
    Turn,
    Word,
)

ENCODING = 1
"""Raise it with every change of what is written; older ones are then indexed again."""

_LEVEL = 6
_ROLES = {Role.AGENT: "a", Role.CUSTOMER: "c", Role.UNKNOWN: "u"}
_ROLE_OF = {letter: role for role, letter in _ROLES.items()}
_PER_MILLE = 1000
_LENGTH_BYTES = 4


@dataclass(frozen=True)
class Features:
    """One conversation as rules see it.

    Turns, findings and metrics are as stored by the stages, but for what no condition reads: the raw text
    is left out, a finding's id is its place in the conversation, and a word's confidence is rounded to a
    thousandth. ``told`` is what was told about the recording, by the names of
    ``huaxiang.quality.heard.FACTS``. ``packed_findings`` are opened kind by kind, as they are asked for.
    """

    recording_id: str
    told: Mapping[str, Json]
    transcript: Transcript
    metrics: Mapping[str, Json]
    model: str
    packed_findings: Sequence[Sequence[Any]] = field(repr=False)

    @cached_property
    def insights(self) -> Insights:
        """Everything that was understood, in the order of the conversation."""
        findings = (self._finding(place, packed) for place, packed in enumerate(self.packed_findings))
        return Insights(tuple(findings), self.metrics, (), self.model)

    def findings(self, kind: FindingKind) -> tuple[Finding, ...]:
        """Return the findings of one kind, in the order of the conversation."""
        name = kind.value
        return tuple(
            self._finding(place, packed)
            for place, packed in enumerate(self.packed_findings)
            if packed[0] == name
        )

    @cached_property
    def _texts(self) -> Mapping[int, str]:
        return {turn.index: turn.text for turn in self.transcript.turns}

    def _finding(self, place: int, packed: Sequence[Any]) -> Finding:
        kind, label, confidence, source, for_review, value, spans = packed
        texts, recording_id = self._texts, self.recording_id
        evidence = tuple(
            [
                Evidence(recording_id, turn, first, last, start_ms, end_ms, texts[turn][first:last])
                for turn, first, last, start_ms, end_ms in spans
            ]
        )
        return Finding(FindingKind(kind), label, confidence, source, evidence, value, for_review, str(place))


class _WordPart:
    """The packed words of all turns, opened once, when those of any turn are asked for."""

    def __init__(self, payload: bytes) -> None:
        self._payload = payload

    @cached_property
    def turns(self) -> Sequence[tuple[str, Sequence[int]]]:
        """For each turn what its words say, joined, and their columns."""
        opened: Sequence[tuple[str, Sequence[int]]] = json.loads(zlib.decompress(self._payload))
        return opened


class StoredWords(Sequence[Word]):
    """The words of a turn, unpacked when first asked for; equal to the tuple that they were."""

    def __init__(self, part: _WordPart, place: int, count: int) -> None:
        self._part = part
        self._place = place
        self._count = count

    @cached_property
    def _words(self) -> tuple[Word, ...]:
        return tuple(_unpacked_words(*self._part.turns[self._place]))

    @overload
    def __getitem__(self, place: int) -> Word: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Word]: ...
    def __getitem__(self, place: int | slice) -> Word | Sequence[Word]:
        return self._words[place]

    def __iter__(self) -> Iterator[Word]:
        return iter(self._words)

    def __len__(self) -> int:
        return self._count

    def __eq__(self, other: object) -> bool:
        return self._words == (other._words if isinstance(other, StoredWords) else other)

    def __hash__(self) -> int:
        return hash(self._words)


def pack(told: Mapping[str, Json], transcript: Transcript, insights: Insights) -> bytes:
    """Return the features of a conversation as bytes; ``told`` by the names of ``FACTS``."""
    turns = transcript.turns
    ordered = sorted(insights.findings, key=lambda finding: (finding.turn, finding.id))
    document = {
        "id": transcript.recording_id,
        "told": dict(told),
        "ms": transcript.duration_ms,
        "channels": transcript.channels,
        "by": transcript.recogniser,
        "timed": transcript.timed,
        "i": [turn.index for turn in turns],
        "r": "".join(_ROLES[turn.role] for turn in turns),
        "s": [turn.start_ms for turn in turns],
        "e": [turn.end_ms - turn.start_ms for turn in turns],
        "x": [turn.text for turn in turns],
        "p": [round(turn.role_confidence, 4) for turn in turns],
        "h": [turn.channel for turn in turns],
        "k": [turn.speaker for turn in turns],
        "o": [turn.index for turn in turns if turn.overlap],
        "w": [len(turn.words) for turn in turns],
        "f": [_finding_json(finding) for finding in ordered],
        "m": insights.metrics,
        "model": insights.model,
    }
    words = [("".join(word.text for word in turn.words), _packed_words(turn)) for turn in turns]
    main = _compressed(document)
    return len(main).to_bytes(_LENGTH_BYTES, "big") + main + _compressed(words)


def unpack(payload: bytes, encoding: int = ENCODING) -> Features:
    """Return what ``pack`` wrote. Raises StorageError for an encoding of another version."""
    if encoding != ENCODING:
        raise StorageError(
            f"features of encoding {encoding} are stored, this program reads {ENCODING}: "
            "run `huaxiang rules index`"
        )
    end = _LENGTH_BYTES + int.from_bytes(payload[:_LENGTH_BYTES], "big")
    document = json.loads(zlib.decompress(payload[_LENGTH_BYTES:end]))
    recording_id: str = document["id"]
    turns = tuple(_turns(document, _WordPart(payload[end:])))
    transcript = Transcript(
        recording_id=recording_id,
        turns=turns,
        duration_ms=document["ms"],
        channels=document["channels"],
        recogniser=document["by"],
        timed=document["timed"],
    )
    return Features(
        recording_id=recording_id,
        told=document["told"],
        transcript=transcript,
        metrics=document["m"],
        model=document["model"],
        packed_findings=document["f"],
    )


def _compressed(value: object) -> bytes:
    return zlib.compress(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(), _LEVEL)


def _turns(document: Mapping[str, Any], part: _WordPart) -> Iterator[Turn]:
    overlapping = set(document["o"])
    columns = (document[name] for name in ("i", "r", "s", "e", "x", "p", "h", "k", "w"))
    for place, (index, role, start, length, text, sure, channel, speaker, words) in enumerate(
        zip(*columns, strict=True)
    ):
        yield Turn(
            index,
            _ROLE_OF[role],
            start,
            start + length,
            text,
            "",
            sure,
            channel,
            # A sequence that stands where the tuple would: most rules never ask for words.
            cast("tuple[Word, ...]", StoredWords(part, place, words)) if words else (),
            speaker,
            index in overlapping,
        )


def _packed_words(turn: Turn) -> list[int]:
    """Write each word as characters, ms since the end of the last, ms long, confidence in thousandths."""
    packed: list[int] = []
    position_ms = turn.start_ms
    packed_from = [turn.start_ms] if turn.words else []
    for word in turn.words:
        packed += (
            len(word.text),
            word.start_ms - position_ms,
            word.end_ms - word.start_ms,
            round(word.confidence * _PER_MILLE),
        )
        position_ms = word.end_ms
    return packed_from + packed


def _unpacked_words(text: str, packed: Sequence[int]) -> Iterator[Word]:
    position_ms, at = packed[0], 0
    rest = iter(packed[1:])
    for length, gap_ms, long_ms, confidence in zip(rest, rest, rest, rest, strict=True):
        start_ms = position_ms + gap_ms
        position_ms = start_ms + long_ms
        yield Word(start_ms, position_ms, text[at : at + length], confidence / _PER_MILLE)
        at += length


def _finding_json(finding: Finding) -> list[Any]:
    spans = [
        [said.turn, said.char_start, said.char_end, said.start_ms, said.end_ms] for said in finding.evidence
    ]
    return [
        finding.kind.value,
        finding.label,
        finding.confidence,
        finding.source,
        finding.for_review,
        finding.value,
        spans,
    ]
