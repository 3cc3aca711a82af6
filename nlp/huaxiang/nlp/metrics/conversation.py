"""All metrics of one conversation, and the reasons for those that could not be measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from huaxiang.core.types import Finding, Json, Role, Skipped, Transcript
from huaxiang.nlp.metrics import floor, language, mood
from huaxiang.nlp.metrics.intervals import length
from huaxiang.nlp.metrics.questions import count_questions
from huaxiang.nlp.metrics.speech import PARTIES, Speech, known_share, speeches, talk

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
# Rates over less speech than this say nothing.
MIN_TALK_MS = 1000
_ROLES_UNKNOWN = "who speaks is not known, or for one party only"
_PARTS_BY_PARTY = ("agent", "customer", "sum", "overlap")


@dataclass(frozen=True, slots=True)
class _Call:
    transcript: Transcript
    spoken: Sequence[Speech]
    duration_ms: int
    sentiment: Mapping[int, int]
    non_talk_threshold_ms: int

    @property
    def parties_known(self) -> bool:
        """Whether both parties were told apart, or nobody of unknown party speaks.

        With one party known beside unknown speech, the other's silence would be invented.
        """
        roles = {speech.role for speech in self.spoken} or {turn.role for turn in self.transcript.turns}
        return Role.UNKNOWN not in roles or roles.issuperset(PARTIES)


class _NotMeasured(Exception):
    """A metric that this conversation does not allow; becomes a Skipped with this code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def conversation_metrics(
    transcript: Transcript, findings: Iterable[Finding], non_talk_threshold_ms: int = 3000
) -> tuple[dict[str, Json], tuple[Skipped, ...]]:
    """Measure a conversation.

    Returns metrics by name (docs/metrics.md has units and definitions) and, for each that was not
    measured, its name with a reason code: ``untimed`` (a typed conversation), ``no_speech``,
    ``roles_unknown`` (a party was not told apart), ``party_silent``, ``no_replies``. A metric is in one
    of the two, never in both. Where some turns have no known party, metrics by party stand on the
    others, and ``quality.known_role_share`` tells how much of the speech that is.
    """
    spoken = speeches(transcript) if transcript.timed else []
    call = _Call(
        transcript=transcript,
        spoken=spoken,
        duration_ms=max((end for speech in spoken for _, end in speech.sounding), default=0),
        sentiment=mood.sentiment_scores(findings),
        non_talk_threshold_ms=non_talk_threshold_ms,
    )
    metrics: dict[str, Json] = {}
    skipped: list[Skipped] = []
    for name, measure in _METRICS.items():
        try:
            _check(name, call)
            metrics[name] = measure(call)
        except _NotMeasured as reason:
            skipped.append(Skipped(name, reason.code, str(reason)))
    if call.spoken and not call.parties_known:
        skipped += [
            Skipped(f"talk_time_ms.{part}", "roles_unknown", _ROLES_UNKNOWN) for part in _PARTS_BY_PARTY
        ]
    return metrics, tuple(skipped)


def _check(name: str, call: _Call) -> None:
    if name not in _UNTIMED and not call.transcript.timed:
        raise _NotMeasured("untimed", "the turns of a typed conversation have no times")
    if not (call.spoken if call.transcript.timed else call.transcript.turns):
        raise _NotMeasured("no_speech", "nothing was said")
    if name in _BY_PARTY and not call.parties_known:
        raise _NotMeasured("roles_unknown", _ROLES_UNKNOWN)


def _talk_time(call: _Call) -> Json:
    if not call.parties_known:
        return {"union": length(talk(call.spoken))}
    agent, customer = (length(talk(call.spoken, role)) for role in PARTIES)
    either = length(talk([speech for speech in call.spoken if speech.role in PARTIES]))
    total = agent + customer
    return {
        "agent": agent, "customer": customer, "union": either, "sum": total, "overlap": total - either,
    }  # fmt: skip


def _talk_ratio(call: _Call) -> Json:
    agent, customer = (length(talk(call.spoken, role)) for role in PARTIES)
    if agent + customer == 0:
        raise _NotMeasured("no_speech", "neither party speaks")
    return round(agent / (agent + customer), 4)


def _agent_talk(call: _Call) -> Json:
    return round(100 * length(talk(call.spoken, Role.AGENT)) / call.duration_ms, 2)


def _non_talk(call: _Call) -> Json:
    spans = floor.non_talk(call.spoken, call.non_talk_threshold_ms)
    return {
        "threshold_ms": call.non_talk_threshold_ms,
        "count": len(spans),
        "total_ms": length(spans),
        "share": round(length(spans) / call.duration_ms, 4),
        "spans": [{"start_ms": start, "end_ms": end} for start, end in spans],
    }


def _back_channel(call: _Call) -> Json:
    return {
        role.value: sum(speech.back_channel for speech in call.spoken if speech.role is role)
        for role in PARTIES
    }


def _interruptions(call: _Call) -> Json:
    return [
        {"by": cut.by.value, "turn": cut.turn, "start_ms": cut.start_ms, "end_ms": cut.end_ms}
        for cut in floor.interruptions(call.spoken)
    ]


def _per_talk_minute(count: Callable[[Speech], int]) -> Callable[[_Call], Json]:
    def measure(call: _Call) -> Json:
        rates: dict[str, Json] = {}
        for role in PARTIES:
            time_ms = length(talk(call.spoken, role))
            said = sum(count(speech) for speech in call.spoken if speech.role is role)
            rates[role.value] = round(said * MINUTE_MS / time_ms, 2) if time_ms >= MIN_TALK_MS else None
        if all(rate is None for rate in rates.values()):
            raise _NotMeasured("no_speech", "neither party speaks for a second")
        return rates

    return measure


def _length_as_read(speech: Speech) -> int:
    return language.characters_read(speech.text)


def _fillers(speech: Speech) -> int:
    """A listener's 嗯 fills no pause of one's own."""
    return 0 if speech.back_channel else language.count_fillers(speech.text)


def _longest(role: Role) -> Callable[[_Call], Json]:
    def measure(call: _Call) -> Json:
        longest = floor.longest_run_ms(call.spoken, role)
        if longest == 0:
            raise _NotMeasured("party_silent", f"the {role.value} says nothing")
        return longest

    return measure


def _patience(call: _Call) -> Json:
    waits = floor.patience(call.spoken)
    if waits is None:
        raise _NotMeasured("no_replies", "the agent never answers a turn of the customer")
    return {"median": waits.median, "p25": waits.p25, "p90": waits.p90, "replies": waits.replies}


def _interactivity(call: _Call) -> Json:
    return round(floor.speaker_changes(call.spoken) * MINUTE_MS / call.duration_ms, 2)


def _questions(call: _Call) -> dict[str, int]:
    return {
        role.value: sum(count_questions(turn.text) for turn in call.transcript.turns if turn.role is role)
        for role in PARTIES
    }


def _question_rate(call: _Call) -> Json:
    return {role: round(count * HOUR_MS / call.duration_ms, 2) for role, count in _questions(call).items()}


def _sentiment(call: _Call) -> Json:
    moods: dict[str, Json] = {}
    for role in PARTIES:
        found = mood.mood(call.spoken, role, call.sentiment)
        moods[role.value] = None if found is None else _mood_json(found)
    if all(found is None for found in moods.values()):
        raise _NotMeasured("no_speech", "neither party says anything")
    return moods


def _mood_json(found: mood.Mood) -> Json:
    return {
        "overall": round(found.overall, 3),
        "quarters": [None if value is None else round(value, 3) for value in found.quarters],
        "change": None if found.change is None else round(found.change, 3),
    }


def _quality(call: _Call) -> Json:
    confidences = [turn.role_confidence for turn in call.transcript.turns if turn.role in PARTIES]
    return {
        "known_role_share": round(known_share(call.spoken), 4),
        "mean_role_confidence": round(fmean(confidences), 4) if confidences else None,
        "mean_log_probability": call.transcript.quality.mean_log_probability,
    }


_METRICS: Mapping[str, Callable[[_Call], Json]] = {
    "duration_ms": lambda call: call.duration_ms,
    "media_duration_ms": lambda call: call.transcript.duration_ms,
    "talk_time_ms": _talk_time,
    "talk_ratio": _talk_ratio,
    "agent_talk_pct": _agent_talk,
    "non_talk": _non_talk,
    "back_channel": _back_channel,
    "interruption": _interruptions,
    "speech_rate": _per_talk_minute(_length_as_read),
    "longest_monologue_ms": _longest(Role.AGENT),
    "longest_customer_story_ms": _longest(Role.CUSTOMER),
    "patience_ms": _patience,
    "interactivity": _interactivity,
    "question_count": _questions,
    "question_rate": _question_rate,
    "filler_rate": _per_talk_minute(_fillers),
    "sentiment": _sentiment,
    "quality": _quality,
}
_UNTIMED = frozenset({"question_count"})
_BY_PARTY = frozenset(_METRICS) - {"duration_ms", "media_duration_ms", "talk_time_ms", "non_talk", "quality"}
