"""``huaxiang eval nlp``: what was understood against what the annotators wrote."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from huaxiang.core.types import Finding, FindingKind, Insights, Scorecard, Transcript
from huaxiang.nlp.confusions import Confusions
from huaxiang.nlp.conversation_file import Conversation, TurnTruth, next_step_kind
from huaxiang.nlp.entity_scores import score_entities
from huaxiang.nlp.intervals import task_intervals
from huaxiang.nlp.labels import ACTS, FORBIDDEN_ACTS, INTENTS, OBJECTIONS, QA_ITEMS, SENTIMENTS
from huaxiang.nlp.scores import LabelCounts, TaskCounts, calibration_error
from huaxiang.nlp.understand import Understanding


class Inspects(Protocol):
    """Scores a conversation."""

    def inspect(self, transcript: Transcript, insights: Insights) -> Scorecard:
        """Return the scorecard."""
        ...


@dataclass(frozen=True, slots=True)
class Understood:
    """A labelled conversation with what was understood of it."""

    conversation: Conversation
    insights: Insights
    scorecard: Scorecard | None = None


TASKS = ("intents", "objection", "sentiment", "acts")


@dataclass(slots=True)
class NlpScores:
    """All counts of an evaluation, or of one conversation of it."""

    intents: TaskCounts = field(default_factory=lambda: TaskCounts.of(INTENTS))
    objections: TaskCounts = field(default_factory=lambda: TaskCounts.of(OBJECTIONS))
    any_objection: LabelCounts = field(default_factory=LabelCounts)
    sentiment: TaskCounts = field(default_factory=lambda: TaskCounts.of(SENTIMENTS))
    acts: TaskCounts = field(default_factory=lambda: TaskCounts.of(ACTS))
    failing: TaskCounts = field(default_factory=lambda: TaskCounts.of(FORBIDDEN_ACTS))
    qa_right: dict[str, list[bool]] = field(default_factory=dict)
    next_step_right: list[bool] = field(default_factory=list)
    claims: list[tuple[float, bool]] = field(default_factory=list)
    confusions: dict[str, Confusions] = field(default_factory=lambda: {task: Confusions() for task in TASKS})

    @classmethod
    def joined(cls, parts: Iterable[NlpScores]) -> NlpScores:
        """Return the counts of several conversations together."""
        whole = cls()
        for part in parts:
            for name in ("intents", "objections", "sentiment", "acts", "failing"):
                getattr(whole, name).extend(getattr(part, name))
            whole.any_objection.extend(part.any_objection)
            for item, right in part.qa_right.items():
                whole.qa_right.setdefault(item, []).extend(right)
            whole.next_step_right += part.next_step_right
            whole.claims += part.claims
            for task, confusions in whole.confusions.items():
                confusions.extend(part.confusions[task])
        return whole

    def task(self, name: str) -> TaskCounts:
        """Return the counts of one of ``TASKS``."""
        counts: TaskCounts = getattr(self, "objections" if name == "objection" else name)
        return counts

    def add_labels(self, found: Mapping[str, Sequence[str]], truth: TurnTruth) -> None:
        """Count the labels that a turn was given, by task, against its truth."""
        true = _true_labels(truth)
        for name in TASKS:
            self.task(name).add(found[name], true[name])
            self.confusions[name].add(found[name], true[name])
        self.any_objection.add(found=bool(found["objection"]), true=bool(true["objection"]))

    def add_items(self, scorecard: Scorecard, qa: Mapping[str, Any]) -> None:
        """Count the items that the truth of a conversation (``call.qa`` of the guideline) judges too."""
        for item in scorecard.items:
            if item.id in FORBIDDEN_ACTS and "forbidden" in qa:
                right = (item.passed is False) == (item.id in qa["forbidden"])
            elif item.id in QA_ITEMS and item.id in qa:
                right = item.passed == qa[item.id]
            else:
                continue
            self.qa_right.setdefault(item.id, []).append(right)

    def _qa(self) -> dict[str, Any]:
        """Return the accuracy over all items, and each item's with its number of conversations."""
        items = {
            name: {"accuracy": _share(self.qa_right[name]), "n": len(self.qa_right[name])}
            for name in (*QA_ITEMS, *FORBIDDEN_ACTS)
            if name in self.qa_right
        }
        every = [one for right in self.qa_right.values() for one in right]
        return {"accuracy": _share(every), "items": items}

    def document(self) -> dict[str, Any]:
        """Return the JSON keys that `huaxiang eval nlp` promises, entities aside."""
        forbidden = self.acts.total(FORBIDDEN_ACTS)
        failing = self.failing.total()
        return {
            "intents": _both(self.intents),
            "objection": {
                "any_f1": round(self.any_objection.f1, 4),
                "macro_f1": round(self.objections.macro_f1, 4),
            },
            "sentiment": {"macro_f1": round(self.sentiment.macro_f1, 4)},
            "acts": _both(self.acts),
            "forbidden": {
                "precision": round(forbidden.precision, 4),
                "recall": round(forbidden.recall, 4),
                "micro_f1": round(forbidden.f1, 4),
                "failing_precision": round(failing.precision, 4),
                "failing_recall": round(failing.recall, 4),
            },
            "qa": self._qa(),
            "next_step": {"accuracy": _share(self.next_step_right)},
            "ece": round(calibration_error(self.claims), 4),
        }


def labels_document(parts: Sequence[NlpScores]) -> dict[str, Any]:
    """Return what is told label by label, from the scores of each conversation.

    ``labels``: precision, recall, F1, support and the interval of F1; ``intervals``: those of the
    tasks' micro and macro F1; ``confusions``: the most frequent pairs of each task.
    """
    whole = NlpScores.joined(parts)
    labels: dict[str, Any] = {}
    intervals: dict[str, Any] = {}
    for name in TASKS:
        labels[name] = whole.task(name).document()
        spread = task_intervals([part.task(name) for part in parts])
        if spread is not None:
            intervals[name] = {"micro_f1": list(spread.micro), "macro_f1": list(spread.macro)}
            for label, interval in spread.labels.items():
                labels[name][label]["f1_interval"] = list(interval)
    confusions = {name: pairs.document() for name, pairs in whole.confusions.items()}
    return {"labels": labels, "intervals": intervals, "confusions": confusions}


def loss(heard: Mapping[str, Any], true: Mapping[str, Any]) -> dict[str, Any]:
    """Return for each F1 which share of that on true text is lost from audio (negative: none is)."""
    lost: dict[str, Any] = {}
    for task in (*TASKS, "forbidden"):
        for name in ("any_f1", "micro_f1", "macro_f1"):
            whole = true.get(task, {}).get(name)
            if whole:
                lost[f"{task}.{name}"] = round(1.0 - heard[task][name] / whole, 4)
    return lost


def evaluate_nlp(
    conversations: Iterable[Conversation], understanding: Understanding, inspector: Inspects | None = None
) -> dict[str, Any]:
    """Understand labelled conversations and return the scores, ``{"nlp": {…}}``.

    Beside the promised keys it holds ``labels`` (every label's figures), ``by_industry`` and
    ``by_channel``. A finding under its floor counts as found; ``forbidden.failing_precision`` counts
    only those above it, which may fail a seller.
    """
    understood = []
    for conversation in conversations:
        insights = understanding.run(conversation.transcript)
        scorecard = inspector.inspect(conversation.transcript, insights) if inspector else None
        understood.append(Understood(conversation, insights, scorecard))
    return score(understood)


def score(understood: Sequence[Understood]) -> dict[str, Any]:
    """Return the scores of conversations that were understood already, ``{"nlp": {…}}``."""
    parts = [_scores_of(item) for item in understood]
    document = NlpScores.joined(parts).document() | {"entities": _entities(understood)}
    document |= labels_document(parts)
    for name, key in (("by_industry", "industry"), ("by_channel", "setting")):
        groups: dict[str, list[NlpScores]] = defaultdict(list)
        for item, part in zip(understood, parts, strict=True):
            groups[str(getattr(item.conversation, key) or "unknown")].append(part)
        document[name] = {
            group: {"conversations": len(inside)} | NlpScores.joined(inside).document()
            for group, inside in sorted(groups.items())
        }
    return {"nlp": document}


def _scores_of(item: Understood) -> NlpScores:
    scores = NlpScores()
    by_turn: dict[int, list[Finding]] = defaultdict(list)
    for finding in item.insights.findings:
        by_turn[finding.turn].append(finding)
    turns = zip(item.conversation.transcript.turns, item.conversation.labels.turns, strict=True)
    for turn, truth in turns:
        add_turn(scores, by_turn[turn.index], truth)
    _add_call(scores, item)
    return scores


def add_turn(scores: NlpScores, findings: Sequence[Finding], truth: TurnTruth) -> None:
    """Count what was found of one turn against its truth."""
    labels = {kind: [f.label for f in findings if f.kind is kind] for kind in FindingKind}
    found = {
        "intents": labels[FindingKind.INTENT],
        "objection": labels[FindingKind.OBJECTION],
        "sentiment": labels[FindingKind.SENTIMENT][:1] or ["neutral"],
        "acts": labels[FindingKind.ACT],
    }
    scores.add_labels(found, truth)
    sure = [f.label for f in findings if f.kind is FindingKind.ACT and not f.for_review]
    scores.failing.add(sure, truth.acts)
    true = _true_labels(truth)
    right = {
        FindingKind.INTENT: true["intents"],
        FindingKind.ACT: true["acts"],
        FindingKind.OBJECTION: true["objection"],
        FindingKind.SENTIMENT: true["sentiment"],
    }
    scores.claims += [(f.confidence, f.label in right[f.kind]) for f in findings if f.kind in right]


def _true_labels(truth: TurnTruth) -> dict[str, Sequence[str]]:
    return {
        "intents": sorted(truth.intents),
        "objection": [truth.objection] if truth.objection else [],
        "sentiment": [truth.sentiment],
        "acts": sorted(truth.acts),
    }


def _add_call(scores: NlpScores, item: Understood) -> None:
    call = item.conversation.labels.call
    if "next_step" in call:
        found = [f.label for f in item.insights.findings if f.kind is FindingKind.NEXT_STEP] or ["none"]
        scores.next_step_right.append(found[-1] == next_step_kind(item.conversation.labels))
    qa: Mapping[str, Any] = call.get("qa", {})
    if item.scorecard is None or not qa:
        return
    scores.add_items(item.scorecard, qa)


def _entities(understood: Sequence[Understood]) -> dict[str, float]:
    scores = score_entities(
        (
            item.conversation.transcript,
            [truth.entities for truth in item.conversation.labels.turns],
            item.insights.findings,
        )
        for item in understood
    )
    return {"f1": round(scores.f1, 4), "value_f1": round(scores.value_f1, 4)}


def _both(counts: TaskCounts) -> dict[str, float]:
    return {"micro_f1": round(counts.micro_f1, 4), "macro_f1": round(counts.macro_f1, 4)}


def _share(right: Sequence[bool]) -> float | None:
    return round(sum(right) / len(right), 4) if right else None
