"""Recognises recordings with known truth, for training the language stage on what is really written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from huaxiang.api.evaluation import LabelledCall, read_labelled_calls
from huaxiang.api.local import transcribe_file
from huaxiang.api.pipeline import Speech
from huaxiang.core.audio import Decoder
from huaxiang.nlp.heard import labelled_as_heard
from huaxiang.nlp.noise import Labelled
from huaxiang.nlp.training_run import TrainingData


def read_calls(folders: Sequence[Path]) -> list[LabelledCall]:
    """Return the labelled recordings of some folders. Raises NotFound and InvalidConversation."""
    return [call for folder in folders for call in read_labelled_calls(folder)]


def with_recordings(
    data: TrainingData,
    calls: Sequence[LabelledCall],
    decode: Decoder,
    speech: Speech,
    advance: Callable[[float], None],
) -> TrainingData:
    """Return the training data with the recognised turns of calls whose conversations are in it.

    Raises InvalidConversation for a call that is not among them, before any is recognised, and AudioError
    for a recording that cannot be read.
    """
    data.refuse_strangers(call.id for call in calls)
    heard: dict[str, Sequence[Labelled]] = {}
    sums = {}
    for done, call in enumerate(calls, start=1):
        recording, transcript = transcribe_file(decode, speech, call.audio, call.metadata)
        heard[call.id] = labelled_as_heard(call.turns, transcript)
        sums[recording.filename] = recording.sha256
        advance(done / len(calls))
    return data.with_heard(heard, sums)
