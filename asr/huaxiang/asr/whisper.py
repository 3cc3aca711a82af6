"""Speech recognition by a local Whisper in CTranslate2's format."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from huaxiang.asr.lattice import Step, stretches
from huaxiang.asr.packing import ClipPacker, balanced
from huaxiang.asr.rescoring import Rescorer, is_han
from huaxiang.asr.transcriber import MAX_CLIP_MS, Clip, ClipTranscript, Hints
from huaxiang.asr.whisper_tokens import TokenTable
from huaxiang.core.audio import SAMPLE_RATE
from huaxiang.core.errors import InvalidInput, ModelError
from huaxiang.core.heap import give_back, share_one_heap
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

    Each of ``threads`` decodes a batch of its own; ``beam_size`` 1 is greedy. The encoder hears a clip and
    ``tail_ms`` of silence, rounded up to ``context_step_ms``, at least ``context_ms``, not always 30 s:
    attention costs its square. Clips of like length that are asked for together have one context, and only
    clips with the same share a batch. A clip whose result has a
    mean log-probability under ``retry_log_probability`` or compresses over ``retry_compression_ratio`` is
    decoded again with the whole 30 s and ``thorough_beam_size``, and the better result stands; where
    thoroughness is asked for, all clips are decoded so. Mandarin is announced by ``mandarin_prompt``, the
    only text before: it steadies the model where speech is unclear.
    """

    compute_type: str = "int8"
    threads: int = 2
    beam_size: int = 1
    batch_size: int = 4
    tail_ms: int = 2000
    context_ms: int = 7_000
    context_step_ms: int = 500
    thorough_beam_size: int = 5
    retry_log_probability: float = -1.0
    retry_compression_ratio: float = 2.4
    mandarin_prompt: str = "以下是普通话的句子。"


@dataclass(frozen=True, slots=True)
class _Decoded:
    """One decoded window: token ids with time stamps, what else was likely, and the model's figures."""

    tokens: list[int]
    steps: tuple[Step, ...]
    mean_log_probability: float
    no_speech_probability: float
    compression_ratio: float


class WhisperTranscriber:
    """The real adapter: faster-whisper's model, features and alignment, with batches of our own.

    ``model_dir`` is a verified folder with ``model.bin`` and ``tokenizer.json``; nothing is fetched. With a
    ``rescorer``, Mandarin is written with the words that people say. Several threads may ask at once: their
    clips share batches (``ClipPacker``), and what is heard in a clip depends on nothing but the clips that
    were asked for with it and the hints, never on what else waits. Raises ModelError where the folder cannot
    be loaded.
    """

    def __init__(
        self,
        model_dir: Path,
        name: str,
        options: WhisperOptions | None = None,
        rescorer: Rescorer | None = None,
    ) -> None:
        from faster_whisper import WhisperModel

        self.name = name
        self._options = options or WhisperOptions()
        self._rescorer = rescorer
        self._tables: dict[str, TokenTable] = {}
        self._tables_lock = threading.Lock()
        share_one_heap()
        self._packer = ClipPacker(self._decode_batch, self._options.threads, self._options.batch_size)
        if not (model_dir / "tokenizer.json").is_file():
            raise ModelError(f"{name} has no tokenizer.json: pull or add the model again", model=name)
        try:
            self._model = WhisperModel(
                str(model_dir),
                device="cpu",
                compute_type=self._options.compute_type,
                cpu_threads=1,
                num_workers=self._options.threads,
                local_files_only=True,
            )
        except (RuntimeError, ValueError) as error:
            raise ModelError(
                f"the recogniser {name} cannot be loaded: pull or add the model again", model=name
            ) from error
        give_back()  # reading the rescorer's words took five times what they need

    def transcribe(self, clips: Sequence[Clip], hints: Hints) -> Sequence[ClipTranscript]:
        """Recognise each clip; clips of like length share a batch, with those of others who ask meanwhile.

        Raises InvalidInput for a clip over 30 s or a language that the model does not know, and
        ModelError where the model fails.
        """
        if any(clip.duration_ms > MAX_CLIP_MS for clip in clips):
            raise InvalidInput("a clip to recognise is at most 30 s long")
        self._table(hints.language)
        results = [ClipTranscript()] * len(clips)
        heard = [place for place, clip in enumerate(clips) if len(clip.samples)]
        spoken = [clips[place] for place in heard]
        found = self._packer.transcribe(spoken, hints, self._contexts_ms(spoken))
        for place, result in zip(heard, found, strict=True):
            results[place] = result
        return results

    def _table(self, language: str) -> TokenTable:
        from faster_whisper.tokenizer import Tokenizer

        with self._tables_lock:
            if language not in self._tables:
                try:
                    tokenizer = Tokenizer(
                        self._model.hf_tokenizer, self._model.model.is_multilingual, "transcribe", language
                    )
                except ValueError as error:
                    raise InvalidInput(f"the recogniser does not know the language {language!r}") from error
                self._tables[language] = TokenTable(tokenizer)
            return self._tables[language]

    def _contexts_ms(self, clips: Sequence[Clip]) -> list[int]:
        """Return how much the encoder hears for each of the clips that are asked for together.

        Clips of like length have the context of the longest of them, so that they may share a batch. The
        groups are of like work, as many for each thread.
        """
        order = sorted(range(len(clips)), key=lambda place: -len(clips[place].samples))
        own = [self._context_ms(clips[place].duration_ms) for place in order]
        rounds = -(-len(order) // (self._options.batch_size * self._options.threads))
        sizes = balanced(own, rounds * self._options.threads, self._options.batch_size)
        contexts = [0] * len(clips)
        for first, size in zip(accumulate(sizes, initial=0), sizes, strict=False):
            for place in order[first : first + size]:
                contexts[place] = own[first]
        return contexts

    def _context_ms(self, duration_ms: int) -> int:
        """Return how much the encoder hears for a clip of such a length."""
        step_ms = self._options.context_step_ms
        context_ms = -(-(duration_ms + self._options.tail_ms) // step_ms) * step_ms
        return min(max(context_ms, self._options.context_ms), MAX_CLIP_MS)

    def _decode_batch(self, clips: Sequence[Clip], hints: Hints, context_ms: int) -> list[ClipTranscript]:
        """Recognise clips that have the same context, each as it would be by itself."""
        try:
            return self._decoded(clips, hints, context_ms)
        except (RuntimeError, ValueError) as error:
            raise ModelError("speech recognition failed", model=self.name) from error

    def _decoded(self, clips: Sequence[Clip], hints: Hints, context_ms: int) -> list[ClipTranscript]:
        options, table = self._options, self._table(hints.language)
        # the longest context is that of clips with less than the tail behind them too
        most_ms = MAX_CLIP_MS if context_ms == MAX_CLIP_MS else context_ms - options.tail_ms
        beam_size = options.thorough_beam_size if hints.thorough else options.beam_size
        encoded = self._encode(self._features(clips, MAX_CLIP_MS if hints.thorough else context_ms))
        decoded = self._generate(encoded, table, hints, beam_size, most_ms)
        doubtful = [place for place, result in enumerate(decoded) if self._doubts(result)]
        if doubtful and not hints.thorough:  # then it was decoded so already
            # A short context makes the model unsteady now and then; the whole one it was trained with helps.
            whole = self._encode(self._features([clips[place] for place in doubtful], MAX_CLIP_MS))
            results = self._generate(whole, table, hints, options.thorough_beam_size, most_ms)
            for place, result in zip(doubtful, results, strict=True):
                decoded[place] = self._better(decoded[place], result)
        return [
            self._with_words(clip, result, heard, table)
            for clip, result, heard in zip(clips, decoded, encoded, strict=True)
        ]

    def _features(self, clips: Sequence[Clip], context_ms: int) -> NDArray[np.float32]:
        """Return log-mel features of clips and the silence after them, shape ``(clips, mels, frames)``."""
        frames = -(-context_ms // (2 * _FRAME_MS)) * 2  # the encoder halves them
        features = []
        for clip in clips:
            samples = np.zeros(frames * _FRAME_SAMPLES, np.float32)
            samples[: len(clip.samples)] = clip.samples[: len(samples)]
            features.append(self._model.feature_extractor(samples)[:, :frames])
        return np.stack(features).astype(np.float32)

    def _encode(self, features: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Return what the encoder hears, clip by clip: what four need together leaves the caches."""
        return [np.asarray(self._model.encode(clip[np.newaxis])) for clip in features]

    def _generate(
        self,
        encoded: Sequence[NDArray[np.float32]],
        table: TokenTable,
        hints: Hints,
        beam_size: int,
        most_ms: int,
    ) -> list[_Decoded]:
        """Decode together what was encoded of clips, none of them longer than ``most_ms``."""
        from ctranslate2 import StorageView
        from faster_whisper.transcribe import get_compression_ratio

        # The scores of a beam's branches cannot be told apart: what a beam chose stands.
        rescored = beam_size == 1 and self._rescores(table)
        announced = self._options.mandarin_prompt if table.tokenizer.language_code == "zh" else ""
        before = " ".join((announced, *hints.phrases)).strip()
        prompt = self._model.get_prompt(table.tokenizer, [], hotwords=before or None)
        most = len(prompt) + _FREE_TOKENS + most_ms * _TOKENS_PER_S // 1000
        results = self._model.model.generate(
            StorageView.from_array(np.concatenate(encoded)),
            [prompt] * len(encoded),
            beam_size=beam_size,
            max_length=min(most, _MAX_TOKENS),
            suppress_tokens=table.suppressed,
            max_initial_timestamp_index=_FIRST_TIMESTAMP_MS // _TOKEN_MS,
            return_scores=True,
            return_logits_vocab=rescored,
            return_no_speech_prob=True,
        )
        decoded = []
        for result in results:
            tokens = result.sequences_ids[0]
            decoded.append(
                _Decoded(
                    tokens=tokens,
                    steps=table.steps(tokens, result.logits[0]) if rescored else (),
                    # the score is divided by the length without the end token; count it
                    mean_log_probability=result.scores[0] * len(tokens) / (len(tokens) + 1),
                    no_speech_probability=result.no_speech_prob,
                    compression_ratio=get_compression_ratio(table.tokenizer.decode(tokens).strip()),
                )
            )
        return decoded

    def _rescores(self, table: TokenTable) -> bool:
        return self._rescorer is not None and table.tokenizer.language_code == "zh"

    def _text_tokens(self, result: _Decoded, table: TokenTable) -> list[int]:
        """Return the text tokens of a result, with the words that people say where it was rescored."""
        if self._rescorer is None or not result.steps:
            return [token for token in result.tokens if token < table.tokenizer.eot]
        text = self._rescorer.rescored(stretches(result.steps, table.bytes_of, is_han))
        tokens: list[int] = table.tokenizer.encode(text)
        return tokens

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
        self, clip: Clip, result: _Decoded, encoded: NDArray[np.float32], table: TokenTable
    ) -> ClipTranscript:
        """Align the words of one clip; by itself it takes less time than in a batch."""
        from ctranslate2 import StorageView
        from faster_whisper.transcribe import merge_punctuations

        text = self._text_tokens(result, table)
        frames = max(len(clip.samples) // _FRAME_SAMPLES, 2)
        heard = StorageView.from_array(encoded)
        (alignment,) = self._model.find_alignment(table.tokenizer, [text], heard, [frames])
        merge_punctuations(alignment, _PREPENDED, _APPENDED)
        return ClipTranscript(
            words=_words(alignment, clip),
            mean_log_probability=result.mean_log_probability,
            no_speech_probability=result.no_speech_probability,
            compression_ratio=result.compression_ratio,
            tokens=len(text),
        )


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
