"""Trains how sellers talk, from labelled conversations (``huaxiang train roles``)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np

from huaxiang.asr.normalise import TextNormaliser
from huaxiang.asr.seller_talk import SellerTalk, character_runs
from huaxiang.core.errors import InvalidConversation
from huaxiang.core.types import Json, Role

FOLDS = 5
_SEED = 20
_RARE = 12  # a run in fewer turns than this says nothing
_STRENGTH = 0.1  # inverse of the L2 penalty, chosen by the smallest margins in cross-validation
_DECIMALS = 3
# What calibration sees: recognisers mistake characters, and recordings begin late or end early.
_MISTAKES = (0.0, 0.3, 0.6)
_LENGTHS = (4, 8, 1000)


@dataclass(frozen=True, slots=True)
class Conversation:
    """What the seller and the customer say, turn by turn."""

    id: str
    turns: tuple[tuple[Role, str], ...]

    def said_by(self, role: Role) -> list[str]:
        """Return the turns of one side."""
        return [text for speaker, text in self.turns if speaker is role]


def read_conversations(
    path: Path, normaliser: TextNormaliser, held_out: Collection[str] = ()
) -> list[Conversation]:
    """Return the conversations of a JSONL file but those held out, as a transcript would have them.

    Raises InvalidConversation, naming the line, for one that cannot be read.
    """
    conversations = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            row = json.loads(line)
            turns = tuple((Role(turn["role"]), normaliser.readable(turn["text"])) for turn in row["turns"])
            if row["id"] not in held_out:
                conversations.append(Conversation(row["id"], turns))
        except (json.JSONDecodeError, KeyError, TypeError, ValueError) as error:
            raise InvalidConversation(f"{path.name}, line {number}: no conversation") from error
    return conversations


def train_seller_talk(conversations: Sequence[Conversation]) -> tuple[SellerTalk, dict[str, Json]]:
    """Return the weights, and how often conversations out of their fold are judged right.

    The same conversations give the same weights.
    """
    folds = [int(hashlib.sha256(one.id.encode()).hexdigest(), 16) % FOLDS for one in conversations]
    differences: list[float] = []
    right = 0
    for fold in range(FOLDS):
        talk = _fitted([one for one, of in zip(conversations, folds, strict=True) if of != fold])
        for one in (one for one, of in zip(conversations, folds, strict=True) if of == fold):
            right += talk.log_odds(one.said_by(Role.AGENT), one.said_by(Role.CUSTOMER)) > 0
            differences += [
                talk.log_odds(heard.said_by(Role.AGENT), heard.said_by(Role.CUSTOMER))
                for heard in _as_recognised(one, conversations)
            ]
    scale = _scale(np.array([difference for difference in differences if difference]))
    final = _fitted(conversations)
    report: dict[str, Json] = {
        "conversations": len(conversations),
        "right": round(right / len(conversations), 4),
        "right_when_misheard": round(float(np.mean(np.array(differences) > 0)), 4),
        "scale": scale,
    }
    return SellerTalk(final.weights, final.intercept, scale), report


def write_seller_talk(talk: SellerTalk, path: Path, made_from: str, held_out: Collection[str]) -> None:
    """Write the weights with what they were made from: the sha256 of the corpus, and what was held out."""
    document = {
        "made_from": made_from,
        "held_out": sorted(held_out),
        "seed": _SEED,
        "intercept": talk.intercept,
        "scale": talk.scale,
        "weights": dict(sorted(talk.weights.items())),
    }
    path.write_text(json.dumps(document, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")


def _fitted(conversations: Sequence[Conversation]) -> SellerTalk:
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression

    said = [(text, role) for one in conversations for role, text in one.turns if role is not Role.UNKNOWN]
    counter = CountVectorizer(analyzer=lambda text: sorted(character_runs(text)), min_df=_RARE, binary=True)
    present = counter.fit_transform([text for text, _ in said])
    model = LogisticRegression(C=_STRENGTH, max_iter=500, random_state=_SEED)
    model.fit(present, [role is Role.AGENT for _, role in said])
    weights = {
        run: round(float(weight), _DECIMALS)
        for run, weight in zip(counter.get_feature_names_out(), model.coef_[0], strict=True)
    }
    return SellerTalk(weights, round(float(model.intercept_[0]), _DECIMALS), 1.0)


def _as_recognised(one: Conversation, among: Sequence[Conversation]) -> list[Conversation]:
    """Return a conversation as it might be heard: characters mistaken for others, and cut short."""
    random = Random(f"{_SEED} {one.id}")  # noqa: S311  # reproducible noise
    other = "".join(text for _, text in among[random.randrange(len(among))].turns)
    heard = []
    for mistakes in _MISTAKES:
        for length in _LENGTHS:
            turns = tuple(
                (role, "".join(random.choice(other) if random.random() < mistakes else c for c in text))
                for role, text in one.turns[:length]
            )
            heard.append(Conversation(one.id, turns))
    return heard


def _scale(differences: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    """Return the factor that makes differences log-odds: logistic regression without intercept."""
    from sklearn.linear_model import LogisticRegression

    both = np.concatenate([differences, -differences])[:, None]
    answers = np.concatenate([np.ones(len(differences)), np.zeros(len(differences))])
    model = LogisticRegression(fit_intercept=False, C=1e6, max_iter=500)
    return round(float(model.fit(both, answers).coef_[0, 0]), _DECIMALS)
