"""The port through which turns get their labels, and a scripted twin of the model behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from huaxiang.core.types import Role, Turn

TRUSTED_ROLE_CONFIDENCE = 0.75
"""An attribution less sure than this is not taken as given."""


@dataclass(frozen=True, slots=True)
class LabelScore:
    """One label of one turn.

    ``probability`` is calibrated (0–1). ``chosen`` says whether it passed the threshold that was
    set for the label when the model was trained; ``floor`` is the probability under which it is
    offered for review only (above the threshold for forbidden acts, which fail a seller).
    ``char_start``/``char_end`` bound the clause of ``Turn.text`` that speaks for the label most.
    """

    label: str
    probability: float
    chosen: bool
    floor: float
    char_start: int
    char_end: int


@dataclass(frozen=True, slots=True)
class TurnLabels:
    """All that a classifier says about one turn.

    ``intents`` and ``acts`` hold every label of the inventory, ``objection`` the likeliest type
    (``None`` on a turn that cannot hold one), ``any_objection`` the probability that there is one
    of whatever type, ``sentiment`` the likeliest of three. ``customer_probability`` is the belief
    that the customer speaks, 1 or 0 where the role is known.
    """

    intents: tuple[LabelScore, ...] = ()
    acts: tuple[LabelScore, ...] = ()
    objection: LabelScore | None = None
    any_objection: float = 0.0
    sentiment: LabelScore | None = None
    customer_probability: float = 0.5

    def chosen_intents(self) -> tuple[str, ...]:
        """Return the intents that passed their thresholds."""
        return tuple(score.label for score in self.intents if score.chosen)

    def chosen_acts(self) -> tuple[str, ...]:
        """Return the acts that passed their thresholds."""
        return tuple(score.label for score in self.acts if score.chosen)

    def chosen_objection(self) -> str | None:
        """Return the objection's type where one was found."""
        return self.objection.label if self.objection is not None and self.objection.chosen else None

    def chosen_sentiment(self) -> str:
        """Return the sentiment, ``neutral`` where nothing else was found."""
        return self.sentiment.label if self.sentiment is not None and self.sentiment.chosen else "neutral"

    def chosen(self) -> Mapping[str, Sequence[str]]:
        """Return all that was chosen, by task."""
        objection = self.chosen_objection()
        return {
            "intents": self.chosen_intents(),
            "objection": [objection] if objection else [],
            "sentiment": [self.chosen_sentiment()],
            "acts": self.chosen_acts(),
        }


def role_in_doubt(turn: Turn) -> bool:
    """Return whether the turn has to be read without knowing who speaks."""
    return turn.role is Role.UNKNOWN or turn.role_confidence < TRUSTED_ROLE_CONFIDENCE


class Classifier(Protocol):
    """Labels the turns of one conversation, given in order and as a whole."""

    @property
    def source(self) -> str:
        """``model id @ version``, written on every finding."""
        ...

    def classify(self, turns: Sequence[Turn]) -> Sequence[TurnLabels]:
        """Return the labels of each turn, in the order of ``turns``.

        A turn is read with its role and the turns around it. Turns of unknown role are judged for
        both roles, and their probabilities weighted by the belief in each.
        """
        ...


@dataclass(frozen=True)
class ScriptedClassifier:
    """Answers from a table by the text of the turn; a turn that is not in it has no labels."""

    script: Mapping[str, TurnLabels] = field(default_factory=dict)
    source: str = "scripted @ 1"

    def classify(self, turns: Sequence[Turn]) -> Sequence[TurnLabels]:
        """Return the scripted labels of each turn."""
        return [self.script.get(turn.text, TurnLabels()) for turn in turns]
