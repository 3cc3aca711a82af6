"""Inspects a conversation by every scorecard that is meant for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from huaxiang.core.types import Insights, Scorecard, Transcript
from huaxiang.nlp.encoder import SentenceEncoder
from huaxiang.quality.applies import applying
from huaxiang.quality.definition import ScorecardDefinition
from huaxiang.quality.heard import Heard, Told
from huaxiang.quality.inspector import inspect_all
from huaxiang.quality.likeness import EncodedLikeness, LazyEncoder, SentenceVectors
from huaxiang.quality.loader import shipped_scorecards


class ScorecardInspection:
    """Gives a conversation all scorecards that apply to it, the main one first.

    ``load_encoder`` is called when the first rule compares meanings, so that a company without such a
    rule pays nothing for it; without one such rules cannot be told. Threads may share it.
    """

    def __init__(self, load_encoder: Callable[[], SentenceEncoder] | None = None) -> None:
        self._encoder = LazyEncoder(load_encoder) if load_encoder else None
        self._sentences = SentenceVectors(self._encoder) if self._encoder else None

    def inspect(
        self,
        transcript: Transcript,
        insights: Insights,
        told: Told | None = None,
        definitions: Sequence[ScorecardDefinition] | None = None,
    ) -> tuple[Scorecard, ...]:
        """Return the automatic scores, the scorecard of the highest priority first.

        ``told`` is what is known about the recording. ``definitions`` are the scorecards to choose from,
        those that ship with the package if not given; none of them may apply. Raises ModelError where a
        rule compares meanings and the encoder fails.
        """
        heard = self.heard(transcript, insights, told)
        chosen = shipped_scorecards() if definitions is None else definitions
        return inspect_all(applying(chosen, heard), heard)

    def heard(self, transcript: Transcript, insights: Insights, told: Told | None = None) -> Heard:
        """Return a conversation as conditions see it, with meanings compared on demand."""
        likeness = None
        if self._encoder is not None and self._sentences is not None:
            likeness = EncodedLikeness(self._encoder, self._sentences)
        return Heard(transcript, insights, told or Told(), likeness)
