"""What Whisper's tokens spell, which of them are never to be written, and what else was likely."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from opencc import OpenCC

from huaxiang.asr.lattice import Step

_MOST_ALTERNATIVES = 24
# What is e^10 times less likely than the best is not worth a look.
_WITHIN = 10.0
_SURE = -0.02


class TokenTable:
    """The tokens of one loaded tokenizer for one language.

    ``tokenizer`` is faster-whisper's. For Mandarin, tokens of traditional characters are never written
    (the model else changes script by chance), and count for the simplified ones.
    """

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        self._mandarin: bool = tokenizer.language_code == "zh"
        self._simplifier = OpenCC("t2s")

    @cached_property
    def spelled(self) -> tuple[bytes, ...]:
        """The UTF-8 bytes of each text token, traditional characters simplified."""
        byte_of = _bytes_by_sign()
        spelled = []
        for token in range(self.tokenizer.eot):
            signs = self.tokenizer.tokenizer.id_to_token(token) or ""
            spelled.append(self._simplified(bytes(byte_of[sign] for sign in signs)))
        return tuple(spelled)

    @cached_property
    def suppressed(self) -> list[int]:
        """The tokens that are never to be written."""
        from faster_whisper.transcribe import get_suppressed_tokens

        never = set(get_suppressed_tokens(self.tokenizer, [-1]))
        if self._mandarin:
            for token in range(self.tokenizer.eot):
                text = self.tokenizer.decode([token])
                if "\ufffd" not in text and self._simplifier.convert(text) != text:
                    never.add(token)
        return sorted(never)

    def bytes_of(self, token: int) -> bytes:
        """Return the bytes of a text token."""
        return self.spelled[token]

    def steps(self, tokens: Sequence[int], logits: Sequence[Any]) -> tuple[Step, ...]:
        """Return the text tokens of a result with what else was likely at each.

        ``logits`` are the model's scores of the whole vocabulary for each token, shape ``(1, vocabulary)``.
        """
        return tuple(
            self._step(token, np.asarray(scores).reshape(-1))
            for token, scores in zip(tokens, logits, strict=False)
            if token < self.tokenizer.eot
        )

    def _step(self, token: int, scores: NDArray[np.float32]) -> Step:
        best = float(scores.max())
        total = best + float(np.log(np.exp(scores - best).sum()))
        log_probability = float(scores[token]) - total
        if log_probability > _SURE:
            return Step(token, log_probability)
        near = np.flatnonzero(scores[: self.tokenizer.eot] > best - _WITHIN)
        near = near[np.argsort(-scores[near], kind="stable")][:_MOST_ALTERNATIVES]
        return Step(
            token, log_probability, tuple((int(other), float(scores[other]) - total) for other in near)
        )

    def _simplified(self, spelled: bytes) -> bytes:
        if not self._mandarin:
            return spelled
        try:
            simplified: str = self._simplifier.convert(spelled.decode())
        except UnicodeDecodeError:
            return spelled
        return simplified.encode()


def _bytes_by_sign() -> dict[str, int]:
    """Return the byte that each sign of GPT-2's vocabulary stands for (Radford et al. 2019).

    Printable bytes stand for themselves; the others follow from U+0100 on.
    """
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in printable]
    signs = {chr(byte): byte for byte in printable}
    return signs | {chr(256 + place): byte for place, byte in enumerate(hidden)}
