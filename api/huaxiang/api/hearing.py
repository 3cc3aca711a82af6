"""Recognises recordings with known truth, for training the language stage on what is really written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from huaxiang.api.evaluation import LabelledCall, read_labelled_calls
from huaxiang.api.local import transcribe_file
from huaxiang.api.pipeline import Speech
from huaxiang.core.audio import Decoder
from huaxiang.core.errors import InvalidConversation
from huaxiang.nlp.heard import labelled_as_heard
from huaxiang.nlp.noise import Labelled
from huaxiang.nlp.training_run import TrainingData


def read_calls(folders: Sequence[Path]) -> list[LabelledCall]:
    """Return the labelled recordings of some folders.

    Raises NotFound, and InvalidConversation for a truth that cannot be read and two recordings of one id.
    """
    calls = [call for folder in folders for call in read_labelled_calls(folder)]
    for name, count in Counter(call.id for call in calls).items():
        if count > 1:
            raise InvalidConversation(f"{name} is there in {count} recordings; leave one of them")
    return calls


def with_recordings(
    data: TrainingData,
    calls: Sequence[LabelledCall],
    decode: Decoder,
    speech: Speech,
    advance: Callable[[float], None],
) -> TrainingData:
    """Return the training data with the recognised turns of calls whose conversations are in it.

    Raises InvalidConversation for a call that is not among them or is labelled otherwise there, before any
    is recognised, and AudioError for a recording that cannot be read.
    """
    data.refuse_strangers({call.id: [turn.truth for turn in call.turns] for call in calls})
    heard: dict[str, Sequence[Labelled]] = {}
    sums = {}
    for done, call in enumerate(calls, start=1):
        recording, transcript = transcribe_file(decode, speech, call.audio, call.metadata)
        heard[call.id] = labelled_as_heard(call.turns, transcript)
        sums[recording.filename] = recording.sha256
        advance(done / len(calls))
    return data.with_heard(heard, sums)
