"""The speech stage with scripted models: who said what, when, and how far to trust it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from invented_speech import MemoryAudio, hum, invented_recording

from huaxiang.asr.normalise import MandarinNormaliser
from huaxiang.asr.speech import SpeechOptions, SpeechPipeline
from huaxiang.asr.transcriber import Clip, ClipTranscript, Hints, ScriptedTranscriber, Utterance
from huaxiang.asr.voice_activity import ScriptedVoiceActivity
from huaxiang.core.types import AudioInfo, Role, Transcript

CALL = (
    Utterance(0, 512, 4000, "您好我是云帆软件的小何给您介绍一下"),
    Utterance(1, 4512, 6400, "多少钱一年"),
    Utterance(0, 7008, 9000, "三百六"),
)


def pipeline(transcriber: ScriptedTranscriber, clips_in_memory: int = 48) -> SpeechPipeline:
    spans = tuple((heard.channel, heard.start_ms, heard.end_ms) for heard in transcriber.utterances)
    return SpeechPipeline(
        transcriber,
        ScriptedVoiceActivity(spans),
        MandarinNormaliser(),
        SpeechOptions(clips_in_memory=clips_in_memory),
    )


def transcript(
    utterances: tuple[Utterance, ...] = CALL, channels: int = 2, agent_channel: int | None = 0
) -> Transcript:
    scripted = ScriptedTranscriber(utterances)
    return pipeline(scripted).run(invented_recording(agent_channel), hum(10_000, channels))


def test_a_stereo_call_is_told_by_channel_in_time_order() -> None:
    turns = transcript().turns
    assert [turn.role for turn in turns] == [Role.AGENT, Role.CUSTOMER, Role.AGENT]
    assert [turn.text for turn in turns] == [
        "您好我是云帆软件的小何给您介绍一下。",
        "多少钱一年？",
        "360。",
    ]
    assert [turn.index for turn in turns] == [0, 1, 2]
    assert all(turn.role_confidence == 1.0 for turn in turns)


def test_turn_times_are_those_of_their_words() -> None:
    for turn, heard in zip(transcript().turns, CALL, strict=True):
        assert abs(turn.start_ms - heard.start_ms) <= 32
        assert abs(turn.end_ms - heard.end_ms) <= 32


def test_the_words_joined_are_the_raw_text() -> None:
    for turn in transcript().turns:
        assert "".join(word.text for word in turn.words) == "".join(turn.raw_text.split())


def test_the_seller_is_known_by_what_is_said_where_no_channel_was_told() -> None:
    mirrored = tuple(replace(heard, channel=1 - heard.channel) for heard in CALL)
    turns = transcript(mirrored, agent_channel=None).turns
    assert [turn.role for turn in turns] == [Role.AGENT, Role.CUSTOMER, Role.AGENT]
    assert all(0.8 < turn.role_confidence < 1.0 for turn in turns)


def test_a_told_channel_that_what_is_said_contradicts_is_doubted() -> None:
    result = transcript(agent_channel=1)
    assert result.turns[0].role is Role.CUSTOMER
    assert result.turns[0].role_confidence == 0.5
    assert [skipped.code for skipped in result.skipped] == ["agent_channel_doubtful"]


def test_a_channel_that_the_audio_does_not_have_leaves_the_roles_unknown() -> None:
    result = transcript(agent_channel=5)
    assert {turn.role for turn in result.turns} == {Role.UNKNOWN}
    assert [skipped.code for skipped in result.skipped] == ["no_such_channel"]


def test_a_mono_call_has_turns_of_unknown_role_and_says_so() -> None:
    mono = tuple(replace(heard, channel=0) for heard in CALL)
    result = transcript(mono, channels=1)
    assert {turn.role for turn in result.turns} == {Role.UNKNOWN}
    assert {turn.role_confidence for turn in result.turns} == {0.0}
    assert [skipped.code for skipped in result.skipped] == ["one_channel"]
    assert len(result.turns) == 3


def test_silence_gives_a_transcript_without_turns() -> None:
    result = transcript(())
    assert result.turns == ()
    assert result.quality.no_speech_share == 1.0
    assert result.quality.mean_log_probability is None


def test_quality_tells_log_probability_silence_and_damage() -> None:
    audio = AudioInfo("amr_nb", 8000, 2, 10_000, damaged_frames=7)
    recording = replace(invented_recording(0), audio=audio)
    quality = pipeline(ScriptedTranscriber(CALL)).run(recording, hum(10_000, 2)).quality
    assert quality.mean_log_probability == pytest.approx(-0.2)
    assert quality.damaged_frames == 7
    assert quality.no_speech_share == pytest.approx(1 - 7368 / 10_000, abs=0.02)
    assert quality.dropped == {}


def test_invented_text_is_dropped_and_counted() -> None:
    invented = Utterance(1, 7500, 9000, "字幕由志愿者提供")
    result = transcript((*CALL[:2], invented))
    assert len(result.turns) == 2
    assert result.quality.dropped == {"known_phrase": 1}


def test_only_speech_is_heard_by_the_recogniser() -> None:
    scripted = ScriptedTranscriber(CALL)
    pipeline(scripted).run(invented_recording(0), hum(60_000, 2))
    assert scripted.heard
    assert max(end for _, _, end in scripted.heard) <= 9_500


class Hasty:
    """Hears only the first utterance in a clip, as Whisper does now and then."""

    name = "hasty@0"

    def __init__(self, utterances: tuple[Utterance, ...], log_probability: float = -0.2) -> None:
        self._utterances = utterances
        self._log_probability = log_probability
        self.calls = 0

    def transcribe(self, clips: Sequence[Clip], hints: Hints) -> Sequence[ClipTranscript]:
        self.calls += bool(clips)
        return [self._first(clip, hints) for clip in clips]

    def _first(self, clip: Clip, hints: Hints) -> ClipTranscript:
        for heard in self._utterances:
            inside = clip.start_ms <= heard.start_ms and heard.end_ms <= clip.end_ms
            if inside and heard.channel == clip.channel:
                log_probability = -0.2 if self.calls == 1 else self._log_probability
                return ScriptedTranscriber((heard,), log_probability).transcribe([clip], hints)[0]
        return ClipTranscript()


THREE_SENTENCES = (
    Utterance(0, 512, 3008, "您好我是小何"),
    Utterance(0, 3520, 6016, "您现在方便吗"),
    Utterance(0, 6528, 9024, "我们是做软件的"),
)
TWO_SENTENCES = THREE_SENTENCES[:2]


@pytest.mark.parametrize("sentences", [TWO_SENTENCES, THREE_SENTENCES])
def test_speech_that_the_recogniser_passed_over_is_heard_again_until_none_is(
    sentences: tuple[Utterance, ...],
) -> None:
    spans = tuple((heard.channel, heard.start_ms, heard.end_ms) for heard in sentences)
    hasty = Hasty(sentences)
    pipeline = SpeechPipeline(hasty, ScriptedVoiceActivity(spans), MandarinNormaliser())
    turns = pipeline.run(invented_recording(), hum(10_000)).turns
    assert hasty.calls == len(sentences)
    assert "".join(turn.raw_text for turn in turns) == "".join(heard.text for heard in sentences)


def test_a_stretch_in_which_nothing_is_heard_twice_is_left() -> None:
    attentive = Attentive()
    speech = ScriptedVoiceActivity(((0, 512, 40_000),))
    SpeechPipeline(attentive, speech, MandarinNormaliser()).run(invented_recording(), hum(41_000))
    assert attentive.calls == 2


def test_what_is_heard_the_second_time_without_confidence_is_left_out_and_counted() -> None:
    spans = tuple((heard.channel, heard.start_ms, heard.end_ms) for heard in TWO_SENTENCES)
    pipeline = SpeechPipeline(Hasty(TWO_SENTENCES, -1.5), ScriptedVoiceActivity(spans), MandarinNormaliser())
    result = pipeline.run(invented_recording(), hum(8000))
    assert "".join(turn.raw_text for turn in result.turns) == "您好我是小何"
    assert result.quality.dropped == {"doubtful": 1}


class Attentive:
    """Hears nothing, and keeps how it was asked to listen."""

    name = "attentive@0"

    def __init__(self) -> None:
        self.thorough: set[bool] = set()
        self.calls = 0

    def transcribe(self, clips: Sequence[Clip], hints: Hints) -> Sequence[ClipTranscript]:
        """Recognise each clip."""
        self.thorough.add(hints.thorough)
        self.calls += bool(clips)
        return [ClipTranscript() for _ in clips]


@pytest.mark.parametrize(("speech_ms", "thorough"), [(20_000, True), (40_000, False)])
def test_a_recording_of_little_speech_is_recognised_thoroughly(speech_ms: int, thorough: bool) -> None:
    attentive = Attentive()
    speech = ScriptedVoiceActivity(((0, 512, speech_ms),))
    SpeechPipeline(attentive, speech, MandarinNormaliser()).run(invented_recording(), hum(speech_ms + 1000))
    assert attentive.thorough == {thorough}


@pytest.mark.parametrize("held", [1, 2, 48])
def test_how_many_clips_are_held_at_once_changes_nothing(held: int) -> None:
    result = pipeline(ScriptedTranscriber(CALL), clips_in_memory=held).run(
        invented_recording(0), hum(10_000, 2)
    )
    assert result == transcript()


def test_progress_rises_to_one() -> None:
    told: list[float] = []
    pipeline(ScriptedTranscriber(CALL), clips_in_memory=1).run(
        invented_recording(0), hum(10_000, 2), progress=told.append
    )
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1.0)


def test_the_recogniser_is_named() -> None:
    assert transcript().recogniser == "scripted@0"


def test_memory_audio_reads_like_decoded_audio() -> None:
    audio: MemoryAudio = hum(1000, 2)
    assert (audio.channels, audio.duration_ms, len(audio.read(1, 100, 300))) == (2, 1000, 3200)
