"""Joins the stages' own scores into the documents that ``huaxiang eval`` prints."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from huaxiang.api.local import process_file
from huaxiang.api.pipeline import Analysis, Conversation, Pipeline
from huaxiang.asr.error_rate import CharacterErrors, count_errors, error_rate, joined
from huaxiang.asr.evaluate import rate_json
from huaxiang.core.errors import AudioError, InvalidConversation, NotFound
from huaxiang.core.types import CallMetadata, Json, Setting, Transcript, Turn
from huaxiang.nlp.alignment import TimedTruth, read_timed_truth, score_aligned
from huaxiang.nlp.conversation_file import Conversation as Labelled
from huaxiang.nlp.conversation_file import read_conversations
from huaxiang.nlp.encoder import SentenceEncoder
from huaxiang.nlp.evaluate import NlpScores, Understood, labels_document, loss, score

Advance = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class LabelledCall:
    """A recording with its truth: where it is, what was told about it, what was said."""

    id: str
    audio: Path
    duration_ms: int
    format: str
    metadata: CallMetadata
    turns: tuple[TimedTruth, ...]
    call: Mapping[str, Any]


def evaluate_corpus(
    corpus: Path, analysis: Analysis, advance: Advance, encoder: SentenceEncoder | None = None
) -> dict[str, Json]:
    """Score the shipped model on labelled conversations, ``{"nlp": {…}}``.

    With an ``encoder`` its ``baselines`` say what keyword lists reach on the same conversations, and what
    a regression on the encoder's embeddings does. Raises InvalidConversation naming file, line and cause.
    """
    conversations = list(read_conversations(corpus))
    understood = []
    for done, item in enumerate(conversations, start=1):
        understood.append(_understood(item, analysis))
        advance(done / len(conversations))
    report: dict[str, Json] = score(understood)
    return with_baselines(report, conversations, encoder)


def with_baselines(
    report: dict[str, Json], conversations: Sequence[Labelled], encoder: SentenceEncoder | None
) -> dict[str, Json]:
    """Return the report with what simple means reach on the same conversations beside the model."""
    if encoder is None:
        return report
    from huaxiang.nlp.baselines import embedding_scores, keyword_scores

    found: dict[str, Json] = {"keywords": keyword_scores(conversations)}
    regression = embedding_scores(conversations, encoder)
    if regression is not None:
        found["embeddings_and_regression"] = regression
    nlp = report["nlp"]
    return {**report, "nlp": {**(nlp if isinstance(nlp, dict) else {}), "baselines": found}}


def evaluate_recordings(folder: Path, pipeline: Pipeline, advance: Advance) -> dict[str, Json]:
    """Score the whole pipeline on a folder of ``ID.json`` beside ``ID.<format>``.

    Gives ``{"asr": {"cer", "sets"}, "nlp": {…}, "nlp_true_text": {…}, "loss": {…}, "unreadable": […],
    "speed": {"rtf", …}}``. ``sets`` is by format; ``nlp_true_text`` scores the same calls from their true
    turns, and ``loss`` is the share of each F1 that recognition costs. A recording that cannot be read is
    listed with its reason and left out of every figure. ``rtf`` is over the audio that was processed.

    Raises NotFound where a recording is missing and InvalidConversation for a truth that cannot be read.
    """
    calls = read_labelled_calls(folder)
    heard_calls = HeardCalls()
    for done, call in enumerate(calls, start=1):
        heard_calls.take(call, pipeline)
        advance(done / len(calls))
    return heard_calls.report()


@dataclass(slots=True)
class HeardCalls:
    """What is counted over the recordings of an evaluation."""

    errors: dict[str, CharacterErrors] = field(default_factory=dict)
    sets: dict[str, dict[str, CharacterErrors]] = field(default_factory=lambda: defaultdict(dict))
    heard: list[NlpScores] = field(default_factory=list)
    true: list[NlpScores] = field(default_factory=list)
    unreadable: list[dict[str, Json]] = field(default_factory=list)
    work_s: float = 0.0
    audio_ms: int = 0

    def take(self, call: LabelledCall, pipeline: Pipeline) -> None:
        """Process one recording and count what came of it; one that cannot be read is noted."""
        started = time.perf_counter()
        try:
            heard = process_file(pipeline, call.audio, call.metadata)
        except AudioError as error:
            self.unreadable.append({"id": call.id, "code": error.code, "message": error.message})
            return
        self.work_s += time.perf_counter() - started
        self.audio_ms += heard.recording.audio.duration_ms if heard.recording.audio else 0
        counted = _character_errors(call, heard)
        self.errors[call.id] = self.sets[call.format][call.id] = counted
        self.heard.append(_scored(call, heard))
        self.true.append(_scored(call, pipeline.analyse(heard.recording, true_transcript(call))))

    def report(self) -> dict[str, Json]:
        """Return the document of ``evaluate_recordings``."""
        report: dict[str, Json] = {"unreadable": self.unreadable}
        if not self.heard:
            return report
        heard, true = (NlpScores.joined(parts).document() for parts in (self.heard, self.true))
        audio_s = self.audio_ms / 1000
        return report | {
            "asr": {
                **rate_json(error_rate(self.errors)),
                "sets": {name: rate_json(error_rate(part)) for name, part in sorted(self.sets.items())},
            },
            "nlp": heard | labels_document(self.heard),
            "nlp_true_text": true,
            "loss": loss(heard, true),
            "speed": {
                "rtf": round(self.work_s / audio_s, 4),
                "audio_s": audio_s,
                "work_s": round(self.work_s, 2),
            },
        }


def true_transcript(call: LabelledCall) -> Transcript:
    """Return the transcript that a recogniser without a fault would have given."""
    turns = sorted(call.turns, key=lambda turn: turn.start_ms)
    return Transcript(
        recording_id=call.id,
        turns=tuple(
            Turn(index, turn.role, turn.start_ms, turn.end_ms, turn.text, turn.text)
            for index, turn in enumerate(turns)
        ),
        duration_ms=call.duration_ms,
        recogniser="truth",
    )


def _scored(call: LabelledCall, understood: Conversation) -> NlpScores:
    scores = score_aligned(call.turns, understood.transcript, understood.insights)
    if understood.scorecard is not None:
        scores.add_items(understood.scorecard, call.call.get("qa", {}))
    return scores


def read_labelled_calls(folder: Path) -> list[LabelledCall]:
    """Return the labelled recordings of a folder by id. Raises NotFound and InvalidConversation."""
    calls = [_labelled_call(path) for path in sorted(folder.glob("*.json"))]
    if not calls:
        raise NotFound(f"{folder} holds no ID.json with a recording beside it")
    return calls


def _labelled_call(path: Path) -> LabelledCall:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        audio = path.parent / document["audio"]
        call = LabelledCall(
            id=document["id"],
            audio=audio,
            duration_ms=int(document["duration_ms"]),
            format="".join(audio.suffixes).lstrip("."),
            metadata=CallMetadata(
                agent_channel=document.get("agent_channel"),
                setting=Setting(document["channel"]) if document.get("channel") else None,
            ),
            turns=read_timed_truth(document),
            call=document.get("call", {}),
        )
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
        raise InvalidConversation(f"{path.name} is not the truth of a recording ({error})") from error
    if not audio.is_file():
        raise NotFound(f"{audio.name}, which {path.name} names, is missing")
    return call


def _understood(item: Labelled, analysis: Analysis) -> Understood:
    insights = analysis.language.run(item.transcript)
    scorecards = analysis.inspection.inspect(item.transcript, insights)
    return Understood(item, insights, scorecards[0] if scorecards else None)


def _character_errors(call: LabelledCall, heard: Conversation) -> CharacterErrors:
    reference = [turn.text for turn in sorted(call.turns, key=lambda turn: turn.start_ms)]
    return count_errors(joined(reference), joined([turn.text for turn in heard.transcript.turns]))
