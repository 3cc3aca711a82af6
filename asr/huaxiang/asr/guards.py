"""Guards against text that a recogniser invents where nobody spoke.

Whisper was trained on subtitles: silence, music and ringing tones bring out what stands at the ends of
videos, or one phrase without end (Koenecke et al. 2024, "Careless Whisper").
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from huaxiang.asr.transcriber import ClipTranscript
from huaxiang.core.types import Word


class Drop(StrEnum):
    """Why text was removed; the keys of ``TranscriptQuality.dropped``."""

    NO_SPEECH = "no_speech"
    KNOWN_PHRASE = "known_phrase"
    REPETITION = "repetition"
    COMPRESSION = "compression"
    SILENCE = "silence"
    DOUBTFUL = "doubtful"


# Nobody says these to a customer: dropped wherever they stand. Whisper gives back what announces Mandarin
# to it (``WhisperOptions.mandarin_prompt``) where it hears tones or noise, at times in other words.
_NEVER_SAID = re.compile(
    r"字幕(由|by|制作|组|志愿者|提供|校对|翻译)|不吝点赞|明镜(与|需要您的)|独播剧场|amara\.?org|普通话?的句子",
    re.IGNORECASE,
)
# These people do say: dropped only where they are all there is and the model doubts that it was speech.
_SELDOM_SAID = re.compile(
    r"(谢谢|感谢)(大家|您|你们)?的?(观看|收看|收听|聆听)|(请|欢迎)?(点赞|订阅|转发|打赏)+(支持)?|(我们)?下期(再见|节目再见)"
    r"|(词曲|作词|作曲|编曲)?李宗盛|中文字幕|(谢谢|拜拜|再见|嗯|啊)"
)
_SELDOM_DOUBT = 0.3
_PLAIN = re.compile(r"[^\w]+")
# How often a unit of so many words may come in a row: digits of a number, 对对对, 好的好的好的.
_REPEATS_BY_SIZE = {1: 9, 2: 5, 3: 4}
_REPEATS = 3
_LONGEST_UNIT = 12
_SENTENCE_PAUSE_MS = 500


@dataclass(frozen=True, slots=True)
class GuardOptions:
    """Where the guards bite.

    A result is dropped as no speech where the model doubts speech by more than
    ``no_speech_probability`` and is unsure of its words (mean log-probability under
    ``no_speech_log_probability``), as Whisper does; as silence where the clip never rises over
    ``silence_dbfs``; as too compressible where more than ``compression_ratio`` is left once loops are
    cut.
    """

    no_speech_probability: float = 0.6
    no_speech_log_probability: float = -1.0
    compression_ratio: float = 2.4
    silence_dbfs: float = -60.0


@dataclass(frozen=True, slots=True)
class Judged:
    """What is left of a result, and what was dropped of it."""

    words: tuple[Word, ...]
    dropped: Counter[Drop]


def judge(result: ClipTranscript, samples: NDArray[np.float32], options: GuardOptions) -> Judged:
    """Return the words of a result that may stand, and count each thing dropped by its guard."""
    dropped: Counter[Drop] = Counter()
    if not result.words:
        return Judged((), dropped)
    whole = _whole_drop(result, samples, options)
    if whole is not None:
        dropped[whole] += 1
        return Judged((), dropped)
    words, phrases = without_known_phrases(result.words)
    words, loops = without_loops(words)
    dropped.update({Drop.KNOWN_PHRASE: phrases, Drop.REPETITION: loops})
    if _compression_ratio(words) > options.compression_ratio:
        dropped[Drop.COMPRESSION] += 1
        words = ()
    return Judged(words, +dropped)


def _whole_drop(result: ClipTranscript, samples: NDArray[np.float32], options: GuardOptions) -> Drop | None:
    if loudest_dbfs(samples) < options.silence_dbfs:
        return Drop.SILENCE
    if (
        result.no_speech_probability > options.no_speech_probability
        and result.mean_log_probability < options.no_speech_log_probability
    ):
        return Drop.NO_SPEECH
    doubted = result.no_speech_probability > _SELDOM_DOUBT
    if doubted and _SELDOM_SAID.fullmatch(_PLAIN.sub("", result.text)):
        return Drop.KNOWN_PHRASE
    return None


def _compression_ratio(words: Sequence[Word]) -> float:
    """Return the UTF-8 text's length over its zlib-compressed length, as Whisper does."""
    text = "".join(word.text for word in words).encode()
    return len(text) / len(zlib.compress(text)) if text else 0.0


def loudest_dbfs(samples: NDArray[np.float32]) -> float:
    """Return the level of the loudest 20 ms in dB relative to full scale; -120 for digital silence."""
    if not len(samples):
        return -120.0
    frame = 320
    whole = (
        samples[: len(samples) // frame * frame].reshape(-1, frame)
        if len(samples) >= frame
        else samples[None]
    )
    power = float(np.max(np.mean(np.square(whole, dtype=np.float64), axis=1)))
    return max(10.0 * float(np.log10(max(power, 1e-12))), -120.0)


def without_known_phrases(words: Sequence[Word]) -> tuple[tuple[Word, ...], int]:
    """Cut out sentences that nobody says to a customer; gives the words left and how many were cut.

    A sentence ends at a pause of half a second or at its mark.
    """
    kept: list[Word] = []
    cut = 0
    for sentence in _sentences(words):
        if _NEVER_SAID.search("".join(word.text for word in sentence)):
            cut += 1
        else:
            kept.extend(sentence)
    return tuple(kept), cut


def _sentences(words: Sequence[Word]) -> list[list[Word]]:
    sentences: list[list[Word]] = []
    for word in words:
        if sentences and not _begins(sentences[-1][-1], word):
            sentences[-1].append(word)
        else:
            sentences.append([word])
    return sentences


def _begins(before: Word, after: Word) -> bool:
    return after.start_ms - before.end_ms >= _SENTENCE_PAUSE_MS or before.text[-1] in "。？！?!"


def without_loops(words: Sequence[Word]) -> tuple[tuple[Word, ...], int]:
    """Cut a unit of 1-12 words that comes more often in a row than people say it back to one.

    Gives the words left and the number of loops cut.
    """
    kept = list(words)
    plain = [_PLAIN.sub("", word.text) for word in kept]
    loops = 0
    start = 0
    while start < len(kept):
        found = _loop_at(plain, start)
        if found is not None:
            size, count = found
            del kept[start + size : start + size * count]
            del plain[start + size : start + size * count]
            loops += 1
        start += 1
    return tuple(kept), loops


def _loop_at(plain: Sequence[str], start: int) -> tuple[int, int] | None:
    for size in range(1, _LONGEST_UNIT + 1):
        unit = plain[start : start + size]
        if len(unit) < size or not any(unit):
            return None
        count = 1
        while plain[start + size * count : start + size * (count + 1)] == unit:
            count += 1
        if count > _REPEATS_BY_SIZE.get(size, _REPEATS):
            return size, count
    return None
