"""``huaxiang eval asr``: what was recognised against what was said, beside the plain library."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from huaxiang.asr.error_rate import CharacterErrors, ErrorRate, count_errors, error_rate
from huaxiang.asr.manifest import LabelledAudio, read_labelled_audio
from huaxiang.asr.plain import PlainRecogniser
from huaxiang.asr.speech import SpeechPipeline
from huaxiang.asr.trials import OURS, Asked, Trial, trials
from huaxiang.core.audio import Decoder
from huaxiang.core.types import Json

Counts = dict[str, CharacterErrors]


@dataclass(slots=True)
class AsrScores:
    """Error counts by way and set, those of single channels, and the work done."""

    counts: dict[str, dict[str, Counts]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(dict))
    )
    channels: Counts = field(default_factory=dict)
    work_s: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    audio_s: float = 0.0

    def add(self, labelled: LabelledAudio, trial: Trial) -> None:
        """Count one recording."""
        self.audio_s += trial.audio_s
        for way, heard in trial.heard.items():
            errors = count_errors(labelled.text, heard.text)
            for name in ("", *labelled.sets):
                self.counts[way][name][labelled.id] = errors
            self.work_s[way] += heard.work_s
        for channel, (said, heard_text) in enumerate(
            zip(labelled.channel_texts, trial.heard[OURS].channel_texts, strict=False)
        ):
            self.channels[f"{labelled.id}/{channel}"] = count_errors(said, heard_text)

    def document(self) -> dict[str, Json]:
        """Return the JSON that the command promises: ``{"asr": {…}, "speed": {…}}``."""
        sets: dict[str, Json] = {name: self._set(name) for name in sorted(self.counts[OURS]) if name}
        speed: dict[str, Json] = {"audio_s": round(self.audio_s, 2)}
        for way, work_s in self.work_s.items():
            speed[_key(way, "rtf")] = round(work_s / self.audio_s, 4)
        asr = {**self._set(""), "sets": sets}
        if self.channels:
            asr["channel_cer"] = round(error_rate(self.channels).rate, 4)
        return {"asr": asr, "speed": speed}

    def _set(self, name: str) -> dict[str, Json]:
        document = rate_json(error_rate(self.counts[OURS][name]))
        for way in self.counts:
            if way != OURS:
                document[_key(way, "cer")] = round(error_rate(self.counts[way][name]).rate, 4)
        return document


def evaluate_asr(
    manifest: Path,
    speech: SpeechPipeline,
    plain: Mapping[str, PlainRecogniser],
    decode: Decoder,
    advance: Callable[[float], None] | None = None,
) -> dict[str, Json]:
    """Score recognition on labelled recordings (see ``read_labelled_audio``).

    Gives ``{"asr": {"cer", "low", "high", "n", …, "plain_cer", "sets"}, "speed": {"rtf", …}}``, with a
    ``…_cer`` and ``…_rtf`` for every plain way. Stereo calls are scored as a whole, in the order in
    which turns begin, and by channel (``channel_cer``). Raises NotFound and InvalidConversation for
    the manifest, AudioError and ModelError.
    """
    labelled = {one.id: one for one in read_labelled_audio(manifest)}
    asked = [Asked(one.id, one.audio, one.agent_channel) for one in labelled.values()]
    scores = AsrScores()
    for done, trial in enumerate(trials(asked, speech, plain, decode), start=1):
        scores.add(labelled[trial.id], trial)
        if advance is not None:
            advance(done / len(asked))
    return scores.document()


def rate_json(rate: ErrorRate) -> dict[str, Json]:
    """Return a rate as JSON: the ids of its worst, never their text."""
    return {
        "cer": round(rate.rate, 4),
        "low": round(rate.low, 4),
        "high": round(rate.high, 4),
        "n": rate.utterances,
        "reference_characters": rate.reference_characters,
        "substitutions": rate.substitutions,
        "deletions": rate.deletions,
        "insertions": rate.insertions,
        "worst": [[name, round(value, 4)] for name, value in rate.worst],
    }


def _key(way: str, measure: str) -> str:
    return measure if way == OURS else f"{way}_{measure}"
