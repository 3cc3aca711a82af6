"""Speech recognition by a local Whisper in CTranslate2's format."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from opencc import OpenCC

from huaxiang.asr.transcriber import MAX_CLIP_MS, Clip, ClipTranscript, Hints
from huaxiang.core.audio import SAMPLE_RATE
from huaxiang.core.errors import InvalidInput, ModelError
from huaxiang.core.types import Word

_FRAME_MS = 10
_FRAME_SAMPLES = SAMPLE_RATE * _FRAME_MS // 1000
_TOKEN_MS = 20
_MAX_TOKENS = 448
# Nobody speaks 14 tokens (about 8 characters) a second; what goes on beyond is a loop.
_TOKENS_PER_S, _FREE_TOKENS = 14, 20
_FIRST_TIMESTAMP_MS = 1000
_PREPENDED, _APPENDED = "\"'“¿([{-", "\"'.。,，!！?？:：”)]}、"


@dataclass(frozen=True, slots=True)
class WhisperOptions:
    """How a local Whisper decodes.

    ``threads`` are used for one batch; ``beam_size`` 1 is greedy. The encoder hears a clip and
    ``tail_ms`` of silence, not always 30 s: attention costs its square. A clip whose result has a mean
    log-probability under ``retry_log_probability`` or compresses over ``retry_compression_ratio`` is
    decoded again with the whole 30 s and ``retry_beam_size``, and the better result stands.
    """

    compute_type: str = "int8"
    threads: int = 2
    beam_size: int = 1
    batch_size: int = 8
    tail_ms: int = 3000
    retry_beam_size: int = 5
    retry_log_probability: float = -1.0
    retry_compression_ratio: float = 2.4


@dataclass(frozen=True, slots=True)
class _Decoded:
    """One decoded window: token ids with time stamps, and the model's figures."""

    tokens: list[int]
    mean_log_probability: float
    no_speech_probability: float
    compression_ratio: float


class WhisperTranscriber:
    """The real adapter: faster-whisper's model, features and alignment, with batches of our own.

    ``model_dir`` is a verified folder with ``model.bin`` and ``tokenizer.json``; nothing is fetched.
    Raises ModelError where the folder cannot be loaded.
    """

    def __init__(self, model_dir: Path, name: str, options: WhisperOptions | None = None) -> None:
        from faster_whisper import WhisperModel

        self.name = name
        self._options = options or WhisperOptions()
        self._never: dict[str, list[int]] = {}
        if not (model_dir / "tokenizer.json").is_file():
            raise ModelError(f"{model_dir} has no tokenizer.json: pull or add the model again", model=name)
        try:
            self._model = WhisperModel(
                str(model_dir),
                device="cpu",
                compute_type=self._options.compute_type,
                cpu_threads=self._options.threads,
                local_files_only=True,
            )
        except (RuntimeError, ValueError) as error:
            raise ModelError(f"the recogniser in {model_dir} cannot be loaded", model=name) from error

    def transcribe(self, clips: Sequence[Clip], hints: Hints) -> Sequence[ClipTranscript]:
        """Recognise each clip; clips of like length share a batch.

        Raises InvalidInput for a clip over 30 s or a language that the model does not know, and
        ModelError where the model fails.
        """
        if any(clip.duration_ms > MAX_CLIP_MS for clip in clips):
            raise InvalidInput("a clip to recognise is at most 30 s long")
        tokenizer = self._tokenizer(hints.language)
        results: list[ClipTranscript] = [ClipTranscript()] * len(clips)
        for places in self._batches(clips):
            try:
                batch = self._decode_batch([clips[place] for place in places], tokenizer, hints)
            except (RuntimeError, ValueError) as error:
                raise ModelError("speech recognition failed", model=self.name) from error
            for place, result in zip(places, batch, strict=True):
                results[place] = result
        return results

    def _tokenizer(self, language: str) -> Any:
        from faster_whisper.tokenizer import Tokenizer

        try:
            return Tokenizer(
                self._model.hf_tokenizer, self._model.model.is_multilingual, "transcribe", language
            )
        except ValueError as error:
            raise InvalidInput(f"the recogniser does not know the language {language!r}") from error

    def _batches(self, clips: Sequence[Clip]) -> Iterator[list[int]]:
        order = sorted(
            (place for place, clip in enumerate(clips) if len(clip.samples)),
            key=lambda place: len(clips[place].samples),
        )
        for start in range(0, len(order), self._options.batch_size):
            yield order[start : start + self._options.batch_size]

    def _decode_batch(self, clips: Sequence[Clip], tokenizer: Any, hints: Hints) -> list[ClipTranscript]:
        longest_ms = max(clip.duration_ms for clip in clips)
        context_ms = min(longest_ms + self._options.tail_ms, MAX_CLIP_MS)
        encoded = self._model.encode(self._features(clips, context_ms))
        decoded = self._generate(encoded, clips, tokenizer, hints, self._options.beam_size)
        doubtful = [place for place, result in enumerate(decoded) if self._doubts(result)]
        if doubtful:
            # A short context makes the model unsteady now and then; the whole one it was trained with helps.
            again = [clips[place] for place in doubtful]
            whole = self._model.encode(self._features(again, MAX_CLIP_MS))
            results = self._generate(whole, again, tokenizer, hints, self._options.retry_beam_size)
            for place, result in zip(doubtful, results, strict=True):
                decoded[place] = self._better(decoded[place], result)
        return self._with_words(clips, decoded, encoded, tokenizer)

    def _features(self, clips: Sequence[Clip], context_ms: int) -> NDArray[np.float32]:
        """Return log-mel features of clips and the silence after them, shape ``(clips, mels, frames)``."""
        frames = -(-context_ms // (2 * _FRAME_MS)) * 2  # the encoder halves them
        features = []
        for clip in clips:
            samples = np.zeros(frames * _FRAME_SAMPLES, np.float32)
            samples[: len(clip.samples)] = clip.samples[: len(samples)]
            features.append(self._model.feature_extractor(samples)[:, :frames])
        return np.stack(features).astype(np.float32)

    def _generate(
        self, encoded: Any, clips: Sequence[Clip], tokenizer: Any, hints: Hints, beam_size: int
    ) -> list[_Decoded]:
        from faster_whisper.transcribe import get_compression_ratio

        prompt = self._model.get_prompt(tokenizer, [], hotwords=" ".join(hints.phrases) or None)
        longest_ms = max(clip.duration_ms for clip in clips)
        most = len(prompt) + _FREE_TOKENS + longest_ms * _TOKENS_PER_S // 1000
        results = self._model.model.generate(
            encoded,
            [prompt] * len(clips),
            beam_size=beam_size,
            max_length=min(most, _MAX_TOKENS),
            suppress_tokens=self._suppressed(tokenizer),
            max_initial_timestamp_index=_FIRST_TIMESTAMP_MS // _TOKEN_MS,
            return_scores=True,
            return_no_speech_prob=True,
        )
        decoded = []
        for result in results:
            tokens = result.sequences_ids[0]
            decoded.append(
                _Decoded(
                    tokens=tokens,
                    # the score is divided by the length without the end token; count it
                    mean_log_probability=result.scores[0] * len(tokens) / (len(tokens) + 1),
                    no_speech_probability=result.no_speech_prob,
                    compression_ratio=get_compression_ratio(tokenizer.decode(tokens).strip()),
                )
            )
        return decoded

    def _suppressed(self, tokenizer: Any) -> list[int]:
        """Return the tokens that are never to be emitted; for Mandarin, traditional characters too."""
        from faster_whisper.transcribe import get_suppressed_tokens

        if tokenizer.language_code not in self._never:
            never = set(get_suppressed_tokens(tokenizer, [-1]))
            if tokenizer.language_code == "zh":
                never.update(_traditional(tokenizer))
            self._never[tokenizer.language_code] = sorted(never)
        return self._never[tokenizer.language_code]

    def _doubts(self, result: _Decoded) -> bool:
        return (
            result.mean_log_probability < self._options.retry_log_probability
            or result.compression_ratio > self._options.retry_compression_ratio
        )

    def _better(self, first: _Decoded, second: _Decoded) -> _Decoded:
        limit = self._options.retry_compression_ratio
        if (first.compression_ratio > limit) != (second.compression_ratio > limit):
            return second if first.compression_ratio > limit else first
        return max(first, second, key=lambda result: result.mean_log_probability)

    def _with_words(
        self, clips: Sequence[Clip], decoded: Sequence[_Decoded], encoded: Any, tokenizer: Any
    ) -> list[ClipTranscript]:
        from faster_whisper.transcribe import merge_punctuations

        texts = [[token for token in result.tokens if token < tokenizer.eot] for result in decoded]
        frames = [max(len(clip.samples) // _FRAME_SAMPLES, 2) for clip in clips]
        alignments = self._model.find_alignment(tokenizer, texts, encoded, frames)
        transcripts = []
        for clip, result, text, alignment in zip(clips, decoded, texts, alignments, strict=True):
            merge_punctuations(alignment, _PREPENDED, _APPENDED)
            transcripts.append(
                ClipTranscript(
                    words=_words(alignment, clip),
                    mean_log_probability=result.mean_log_probability,
                    no_speech_probability=result.no_speech_probability,
                    compression_ratio=result.compression_ratio,
                    tokens=len(text),
                )
            )
        return transcripts


def _traditional(tokenizer: Any) -> list[int]:
    """Return the tokens that hold traditional characters: the model else changes script by chance."""
    simplifier = OpenCC("t2s")
    tokens = []
    for token in range(tokenizer.eot):
        text = tokenizer.decode([token])
        if "\ufffd" not in text and simplifier.convert(text) != text:
            tokens.append(token)
    return tokens


def _words(alignment: Sequence[dict[str, Any]], clip: Clip) -> tuple[Word, ...]:
    """Turn aligned words (s from the clip's start) into ours, with times that do not go backward."""
    words: list[Word] = []
    earliest, space = clip.start_ms, ""
    for aligned in alignment:
        text = space + aligned["word"]
        space = " " if text.isspace() else ""
        if not text.strip():
            continue
        start_ms = min(max(clip.start_ms + round(aligned["start"] * 1000), earliest), clip.end_ms)
        end_ms = min(max(clip.start_ms + round(aligned["end"] * 1000), start_ms), clip.end_ms)
        words.append(Word(start_ms, end_ms, text, float(np.clip(aligned["probability"], 0.0, 1.0))))
        earliest = start_ms
    return tuple(words)
