"""Measures speed on this machine: recognition beside the plain library, and the share of all the rest."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from huaxiang.api import bootstrap
from huaxiang.api.language import build_classifiers_to_compare
from huaxiang.api.local import recording_of
from huaxiang.api.pipeline import Pipeline
from huaxiang.api.samples import sample_calls
from huaxiang.asr.benchmark import benchmark_asr, peak_memory_mb
from huaxiang.asr.trials import Asked, together
from huaxiang.core.audio import WavAudio
from huaxiang.core.settings import Settings, load_settings
from huaxiang.core.types import CallMetadata, Json

Advance = Callable[[float], None]
_PLAINLY = "import sys; from huaxiang.api.benchmark import recognise_plainly; recognise_plainly(sys.argv[1:])"
_TOGETHER = (
    "import sys; from huaxiang.api.benchmark import recognise_together; recognise_together(sys.argv[1:])"
)


def bench_pipeline(calls: Sequence[Path], settings: Settings, advance: Advance) -> dict[str, Json]:
    """Take recordings through every stage and return how long each took.

    ``rtf`` is seconds of work per second of audio with the models loaded, ``after_asr_share`` the time
    of everything but recognition over the time of recognition, ``stages_s`` the seconds of each stage.
    """
    pipeline = bootstrap.build_pipeline(settings)
    seconds = {"decode": 0.0, "transcribe": 0.0, "analyse": 0.0}
    audio_s = 0.0
    with tempfile.TemporaryDirectory(prefix="huaxiang-") as folder:
        decoded = Path(folder) / "decoded.wav"
        _through(pipeline, calls[0], decoded)  # loads what is loaded by the first that need it
        for done, call in enumerate(calls, start=1):
            duration_s, marks = _through(pipeline, call, decoded)
            for stage, start, end in zip(seconds, marks, marks[1:], strict=False):
                seconds[stage] += end - start
            audio_s += duration_s
            advance(done / len(calls))
    rest_s = seconds["decode"] + seconds["analyse"]
    return {
        "rtf": round(sum(seconds.values()) / audio_s, 4),
        "after_asr_share": round(rest_s / seconds["transcribe"], 4),
        "stages_s": {stage: round(value, 3) for stage, value in seconds.items()},
        "audio_s": round(audio_s, 1),
    }


def _through(pipeline: Pipeline, call: Path, decoded: Path) -> tuple[float, list[float]]:
    """Take a recording through every stage; return its length in s, and the times between the stages."""
    recording = recording_of(call, CallMetadata())
    marks = [time.perf_counter()]
    info = pipeline.decode(call, decoded)
    marks.append(time.perf_counter())
    transcript = pipeline.speech.run(recording, WavAudio(decoded))
    marks.append(time.perf_counter())
    pipeline.analyse(recording, transcript)
    marks.append(time.perf_counter())
    return info.duration_ms / 1000, marks


def bench_speech(calls: Sequence[Path], settings: Settings, advance: Advance) -> dict[str, Json]:
    """Recognise recordings by our path and by the library used plainly, in turn.

    ``rtf``, ``plain_rtf``, ``ratio`` and the rest as in ``benchmark_asr``; ``peak_mb``, ``packed_peak_mb``
    and ``plain_peak_mb`` are the most memory that a process held which transcribed them, models included.
    """
    figures = benchmark_asr(
        calls,
        bootstrap.build_speech(settings),
        bootstrap.build_plain_recognisers(settings),
        bootstrap.build_decoder(settings),
        advance=advance,
        at_once=settings.worker_recordings,
    )
    command = [sys.executable, "-m", "huaxiang.api", "transcribe", "--json", *map(str, calls)]
    plainly = [sys.executable, "-c", _PLAINLY, *map(str, calls)]
    packed = [sys.executable, "-c", _TOGETHER, *map(str, calls)]
    peak_mb, plain_peak_mb = peak_memory_mb(command), peak_memory_mb(plainly)
    return {
        **figures,
        "peak_mb": round(peak_mb, 1),
        "packed_peak_mb": round(peak_memory_mb(packed), 1),
        "plain_peak_mb": round(plain_peak_mb, 1),
        "peak_ratio": round(peak_mb / plain_peak_mb, 4),
    }


def recognise_together(calls: Sequence[str]) -> None:
    """Recognise recordings as many at a time as a worker does, for the memory that it takes."""
    settings = load_settings()
    asked = [Asked(call, Path(call)) for call in calls]
    together(
        asked, bootstrap.build_speech(settings), bootstrap.build_decoder(settings), settings.worker_recordings
    )


def recognise_plainly(calls: Sequence[str]) -> None:
    """Recognise recordings by the library used plainly, for the memory that it takes."""
    settings = load_settings()
    plain = bootstrap.build_plain_recognisers(settings)["plain"]
    decode = bootstrap.build_decoder(settings)
    with tempfile.TemporaryDirectory(prefix="huaxiang-") as folder:
        for call in calls:
            decoded = Path(folder) / "decoded.wav"
            decode(Path(call), decoded)
            plain.text(WavAudio(decoded))


def bench_language(corpus: Path | None, settings: Settings, advance: Advance) -> dict[str, Json]:
    """Label conversations by our path and one turn at a time, ``turns_per_s`` and ``ratio`` among the rest.

    ``corpus`` is labelled conversations; without it what is said in the sample calls is taken.
    """
    from huaxiang.api.evaluation import read_labelled_calls, true_transcript
    from huaxiang.nlp.benchmark import benchmark_nlp
    from huaxiang.nlp.conversation_file import read_conversations

    if corpus is None:
        folders = sorted({call.parent for call in sample_calls()})
        transcripts = [true_transcript(call) for folder in folders for call in read_labelled_calls(folder)]
    else:
        transcripts = [item.transcript for item in read_conversations(corpus)]
    classifier, plain = build_classifiers_to_compare(settings)
    return benchmark_nlp([transcript.turns for transcript in transcripts], classifier, plain, advance)
