"""From the words of each channel to turns of speakers with their roles."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from huaxiang.asr.diarization import Diarization, Diarizer, SpeakerSegment
from huaxiang.asr.hotwords import JiebaWords
from huaxiang.asr.normalise import TextNormaliser
from huaxiang.asr.roles import RoleGuess, RoleJudge, Voice
from huaxiang.asr.speaker_encoder import KnownVoice, nearest_known
from huaxiang.asr.turns import Speech, TurnOptions, spoken_pieces, turns_by_channel
from huaxiang.core.audio import DecodedAudio
from huaxiang.core.types import CallMetadata, Role, Skipped, Turn, Word

_OVERLAP_MS = 100
_SENTENCE_CHARACTERS = 6  # with its mark; who is called answers with 喂 or 你好
# Different voices over one line reach a cosine of 0.93, one voice over different lines falls to 0.69.
_NEAR = 0.85


@dataclass(frozen=True, slots=True, eq=False)
class ChannelSpeech:
    """What one channel holds: its words in time order, and the probability of speech by frame."""

    words: tuple[Word, ...]
    probabilities: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Track:
    """The words of one speaker, on the channel where they are heard."""

    channel: int
    words: tuple[Word, ...]
    likeness: float | None = None


@dataclass(frozen=True, slots=True)
class Attributor:
    """Says who speaks: by channel, or by voice where one channel holds everybody.

    Without ``diarizer`` one channel is one speaker of unknown role. ``known`` gives the enrolled
    sellers; they count where voices are compared, that is on one channel. ``cut`` parts a text into words,
    within which no pause is marked.
    """

    normaliser: TextNormaliser
    judge: RoleJudge
    diarizer: Diarizer | None = None
    known: Callable[[], Sequence[KnownVoice]] = tuple
    turns: TurnOptions = field(default_factory=TurnOptions)
    cut: Callable[[str], Iterable[str]] = field(default_factory=lambda: JiebaWords().cut)

    def attribute(
        self,
        audio: DecodedAudio,
        channels: Sequence[ChannelSpeech],
        metadata: CallMetadata,
    ) -> tuple[tuple[Turn, ...], tuple[Skipped, ...]]:
        """Return the turns of a recording in time order, and what was left undone.

        Raises ModelError where the speaker encoder fails.
        """
        if len(channels) > 1:
            tracks = [_Track(place, heard.words) for place, heard in enumerate(channels)]
        elif self.diarizer is None:
            tracks = [_Track(0, heard.words) for heard in channels]
        else:
            told = self.diarizer.diarize(audio, 0, channels[0].probabilities)
            likenesses = _likenesses(told, self.known(), metadata.seller)
            tracks = _tracks(channels[0].words, told, likenesses)
        spoken = self._spoken(tracks)
        guess = self._roles(tracks, spoken, metadata.agent_channel if len(channels) > 1 else None)
        return _turns(spoken, tracks, guess), guess.skipped

    def _spoken(self, tracks: Sequence[_Track]) -> list[tuple[Speech, str]]:
        """Return each turn, its channel being the place of its track, with its readable text."""
        pieces = [
            piece
            for place, track in enumerate(tracks)
            for piece in spoken_pieces(place, track.words, self.turns)
        ]
        speech = turns_by_channel(pieces, self.turns) if len(tracks) > 1 else pieces
        readable = [
            (piece, self.normaliser.readable(piece.text_with_pauses(self.turns.comma_ms, self.cut)))
            for piece in speech
        ]
        return [(piece, text) for piece, text in readable if text]

    def _roles(
        self, tracks: Sequence[_Track], spoken: Sequence[tuple[Speech, str]], told: int | None
    ) -> RoleGuess:
        if len(tracks) == 1 and self.diarizer is None:
            note = Skipped("roles", "one_channel", "one channel holds all speakers")
            return RoleGuess(((Role.UNKNOWN, 0.0),), (note,))
        opening = next((piece.channel for piece, text in spoken if len(text) >= _SENTENCE_CHARACTERS), None)
        voices = [
            Voice(
                said=tuple(text for piece, text in spoken if piece.channel == place),
                opens=place == opening,
                likeness=track.likeness,
            )
            for place, track in enumerate(tracks)
        ]
        return self.judge.judge(voices, told) if voices else RoleGuess(())


def _likenesses(told: Diarization, known: Sequence[KnownVoice], seller: str | None) -> list[float | None]:
    """Return how near each voice is to an enrolled seller's, None where that says nothing.

    Where the recording names an enrolled seller, one of its voices is that seller's, however poor the
    line. Where it does not, the seller may be somebody else, and only a near match tells something.
    """
    comparable = [voice for voice in known if voice.encoder == told.encoder]
    named = [voice for voice in comparable if voice.seller == seller]
    likenesses = [nearest_known(voice, named or comparable) for voice in told.voices]
    near = max((value for value in likenesses if value is not None), default=0.0) >= _NEAR
    return likenesses if named or near else [None] * told.speakers


def _tracks(words: Sequence[Word], told: Diarization, likenesses: Sequence[float | None]) -> list[_Track]:
    """Share the words of one channel among its speakers; who says nothing has no track."""
    by_speaker: dict[int, list[Word]] = {}
    for word, speaker in zip(words, word_speakers(words, told.segments), strict=True):
        by_speaker.setdefault(speaker, []).append(word)
    return [
        _Track(0, tuple(said), likenesses[speaker] if likenesses else None)
        for speaker, said in by_speaker.items()
    ]


def word_speakers(words: Sequence[Word], segments: Sequence[SpeakerSegment]) -> list[int]:
    """Return the speaker of each word: whose segment covers most of it, else whose is nearest.

    Both are in time order. Where there is no segment, everything is speaker 0.
    """
    if not segments:
        return [0] * len(words)
    ends = [segment.end_ms for segment in segments]
    return [_word_speaker(word, segments, bisect_left(ends, word.start_ms)) for word in words]


def _word_speaker(word: Word, segments: Sequence[SpeakerSegment], first: int) -> int:
    covered: dict[int, int] = {}
    for segment in segments[first:]:
        if segment.start_ms >= word.end_ms:
            break
        shared = min(segment.end_ms, word.end_ms) - max(segment.start_ms, word.start_ms)
        covered[segment.speaker] = covered.get(segment.speaker, 0) + max(shared, 0)
    if any(covered.values()):
        return max(covered, key=lambda speaker: covered[speaker])
    near = segments[max(first - 1, 0) : first + 1]
    middle = (word.start_ms + word.end_ms) / 2
    return min(near, key=lambda one: max(one.start_ms - middle, middle - one.end_ms)).speaker


def _turns(
    spoken: Sequence[tuple[Speech, str]], tracks: Sequence[_Track], guess: RoleGuess
) -> tuple[Turn, ...]:
    names: dict[int, str] = {}
    overlapping = overlapped([piece for piece, _ in spoken])
    turns = []
    for index, (piece, text) in enumerate(spoken):
        role, confidence = guess.roles[piece.channel]
        turns.append(
            Turn(
                index=index,
                role=role,
                start_ms=piece.start_ms,
                end_ms=piece.end_ms,
                text=text,
                raw_text=piece.raw_text,
                role_confidence=confidence,
                channel=tracks[piece.channel].channel,
                words=tuple(
                    Word(word.start_ms, word.end_ms, word.text.strip(), word.confidence)
                    for word in piece.words
                ),
                speaker=names.setdefault(piece.channel, f"speaker-{len(names) + 1}"),
                overlap=index in overlapping,
            )
        )
    return tuple(turns)


def overlapped(speech: Iterable[Speech]) -> set[int]:
    """Return the places of turns during which somebody else speaks for a tenth of a second or more.

    Turns come in the order in which they begin.
    """
    found: set[int] = set()
    open_turns: list[tuple[int, Speech]] = []
    for place, turn in enumerate(speech):
        open_turns = [(at, one) for at, one in open_turns if one.end_ms - turn.start_ms >= _OVERLAP_MS]
        for at, one in open_turns:
            together = min(one.end_ms, turn.end_ms) - turn.start_ms
            if one.channel != turn.channel and together >= _OVERLAP_MS:
                found |= {at, place}
        open_turns.append((place, turn))
    return found
