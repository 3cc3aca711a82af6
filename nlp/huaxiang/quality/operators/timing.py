"""Searches for how it was said: silence, speech rate, interruption."""

from __future__ import annotations

from collections.abc import Sequence

from huaxiang.core.types import Evidence, Role, Turn
from huaxiang.nlp.metrics.floor import interruptions
from huaxiang.nlp.metrics.intervals import length
from huaxiang.nlp.metrics.language import characters_read
from huaxiang.nlp.metrics.speech import Speech
from huaxiang.quality.condition_types import InterruptionCondition, SilenceCondition, SpeechRateCondition
from huaxiang.quality.heard import Heard, spoken_by
from huaxiang.quality.operators.found import Found, NotJudged, enough
from huaxiang.quality.verdicts import Hit, Quotable, Span

MINUTE_MS = 60_000
MIN_TALK_MS = 1_000
"""A rate over less speech than this says nothing."""
QUOTED_CHARS = 12


def find_silence(condition: SilenceCondition, heard: Heard, turns: Sequence[Turn]) -> Found:
    """Find gaps between turns; the quote is what was said last, and it sounds on to the end of the gap."""
    _need_times(heard)
    places = {turn.index for turn in turns if spoken_by(turn, condition.role)}
    hits: list[Hit] = []
    last: Speech | None = None
    for speech in heard.speech:
        if last is not None and speech.turn in places and _is_gap(condition, last, speech):
            gap = (last.end_ms, speech.start_ms)
            quotes = _either_side(heard, last, speech)
            if quotes:
                hits.append(Hit(speech.turn, quotes, bounds=gap))
        if last is None or speech.end_ms >= last.end_ms:
            last = speech
    return enough(hits, condition.at_least)


def _is_gap(condition: SilenceCondition, last: Speech, speech: Speech) -> bool:
    gap_ms = speech.start_ms - last.end_ms
    if gap_ms <= 0:
        return False
    if condition.longer_than_ms is not None and gap_ms <= condition.longer_than_ms:
        return False
    if condition.shorter_than_ms is not None and gap_ms >= condition.shorter_than_ms:
        return False
    return condition.between == "any" or (condition.between == "same") == (last.role is speech.role)


def _either_side(heard: Heard, last: Speech, speech: Speech) -> tuple[Quotable, ...]:
    quotes: list[Quotable] = []
    if last.text:
        tail = heard.quote(last.turn, max(len(last.text) - QUOTED_CHARS, 0), len(last.text))
        quotes.append(
            Evidence(
                tail.recording_id,
                tail.turn,
                tail.char_start,
                tail.char_end,
                tail.start_ms,
                speech.start_ms,
                tail.quote,
            )
        )
    if speech.text:
        quotes.append(Span(speech.turn, 0, min(QUOTED_CHARS, len(speech.text))))
    return tuple(quotes)


def find_speech_rate(condition: SpeechRateCondition, heard: Heard, turns: Sequence[Turn]) -> Found:
    """Find turns that are spoken too fast or too slowly, or tell it of all together."""
    _need_times(heard)
    places = {turn.index for turn in turns if spoken_by(turn, condition.role)}
    measured: list[tuple[float, Speech, int, int]] = []
    for speech in heard.speech:
        characters = characters_read(speech.text) if speech.turn in places else 0
        talk_ms = length(speech.sounding)
        if characters >= max(condition.min_chars, 1) and talk_ms >= MIN_TALK_MS:
            measured.append((characters * MINUTE_MS / talk_ms, speech, characters, talk_ms))
    if not measured:
        raise NotJudged("nothing_measured")
    if condition.per == "turn":
        within = [entry for entry in measured if _is_rate(condition, entry[0])]
        hits = [_rate_hit(speech) for _, speech, _, _ in within]
        return enough(hits, condition.at_least)
    rate = sum(entry[2] for entry in measured) * MINUTE_MS / sum(entry[3] for entry in measured)
    if not _is_rate(condition, rate):
        return Found(False)
    fastest_first = condition.above is not None
    extremes = sorted(measured, key=lambda entry: -entry[0] if fastest_first else entry[0])
    shown = [_rate_hit(entry[1]) for entry in extremes[:3]]
    return Found(True, tuple(sorted(shown, key=lambda hit: hit.turn)), tuple(shown))


def _is_rate(condition: SpeechRateCondition, rate: float) -> bool:
    above = condition.above is None or rate > condition.above
    return above and (condition.below is None or rate < condition.below)


def _rate_hit(speech: Speech) -> Hit:
    return Hit(speech.turn, (Span(speech.turn, 0, len(speech.text)),))


def find_interruption(condition: InterruptionCondition, heard: Heard, turns: Sequence[Turn]) -> Found:
    """Find turns that cut in on the other party's."""
    _need_times(heard)
    places = {turn.index for turn in turns}
    cuts = interruptions(heard.speech, condition.delay_ms, condition.overlap_ms)
    hits = []
    for cut in cuts:
        turn = heard.turn(cut.turn)
        fits = condition.role in (None, Role.UNKNOWN, cut.by)
        if fits and turn is not None and turn.text and cut.turn in places:
            whole = Span(cut.turn, 0, len(turn.text))
            hits.append(Hit(cut.turn, (whole,), bounds=(cut.start_ms, cut.end_ms)))
    return enough(hits, condition.at_least)


def _need_times(heard: Heard) -> None:
    if not heard.timed:
        raise NotJudged("no_seconds")
