"""``huaxiang bench asr``: our path beside the plain library, on the same audio in the same run."""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from huaxiang.asr.error_rate import CharacterErrors, count_errors, error_rate
from huaxiang.asr.manifest import truth_beside
from huaxiang.asr.plain import PlainRecogniser
from huaxiang.asr.speech import SpeechPipeline
from huaxiang.asr.trials import OURS, Asked, together, trials
from huaxiang.core.audio import Decoder
from huaxiang.core.errors import HuaxiangError
from huaxiang.core.types import Json

PLAIN = "plain"
PACKED = "packed"


def benchmark_asr(
    audio: Sequence[Path],
    speech: SpeechPipeline,
    plain: Mapping[str, PlainRecogniser],
    decode: Decoder,
    repeats: int = 1,
    advance: Callable[[float], None] | None = None,
    at_once: int = 2,
) -> dict[str, Json]:
    """Time recognition of the recordings, decoding not counted; all ways are warmed up on the first.

    Gives ``rtf`` (s of work a s of audio), ``ratio`` (our time over the plain library's, pooled),
    ``ratio_median`` (over recordings), and ``…_rtf`` for each plain way; ``plain`` must hold ``plain``.
    ``packed_rtf`` and ``packed_ratio`` are our path with ``packed_recordings`` (``at_once``) at a time.
    Where the truth of every recording lies beside it, also ``cer``, ``…_cer`` and ``cer_ratio`` (our error
    rate over the plain library's). Raises AudioError, ModelError, and InvalidConversation for a truth that
    cannot be read.
    """
    asked = [Asked(path.name, path) for path in audio]
    truths = {path.name: truth_beside(path) for path in audio}
    errors: dict[str, dict[str, CharacterErrors]] = defaultdict(dict)
    for _ in trials(asked[:1], speech, plain, decode):
        pass
    work_s: dict[str, float] = defaultdict(float)
    ratios: list[float] = []
    audio_s = 0.0
    rounds = asked * repeats
    steps = 2 * len(rounds)
    for done, trial in enumerate(trials(rounds, speech, plain, decode), start=1):
        audio_s += trial.audio_s
        truth = truths[trial.id]
        for way, heard in trial.heard.items():
            work_s[way] += heard.work_s
            if truth is not None:
                errors[way][trial.id] = count_errors(truth.text, heard.text)
        ratios.append(trial.heard[OURS].work_s / trial.heard[PLAIN].work_s)
        if advance is not None:
            advance((done + len(asked) * ((done - 1) // len(asked))) / steps)
        if done % len(asked) == 0:
            spent_s, texts = together(asked, speech, decode, at_once)
            work_s[PACKED] += spent_s
            for name, text in texts:
                known = truths[name]
                if known is not None:
                    errors[PACKED][name] = count_errors(known.text, text)
            if advance is not None:
                advance(2 * done / steps)
    ours_s, plain_s = work_s.pop(OURS), work_s[PLAIN]
    return {
        "rtf": round(ours_s / audio_s, 4),
        **{f"{way}_rtf": round(spent_s / audio_s, 4) for way, spent_s in work_s.items()},
        "ratio": round(ours_s / plain_s, 4),
        "ratio_median": round(statistics.median(ratios), 4),
        "packed_ratio": round(work_s[PACKED] / plain_s, 4),
        "packed_recordings": at_once,
        "audio_s": round(audio_s, 2),
        **(_error_rates(errors) if all(truths.values()) else {}),
    }


def _error_rates(errors: Mapping[str, dict[str, CharacterErrors]]) -> dict[str, Json]:
    rates = {way: error_rate(counts).rate for way, counts in errors.items()}
    ours = rates.pop(OURS)
    return {
        "cer": round(ours, 4),
        **{f"{way}_cer": round(rate, 4) for way, rate in rates.items()},
        "cer_ratio": round(ours / rates[PLAIN], 4) if rates[PLAIN] else None,
    }


# On Linux a process inherits the peak of the one that started it, so a small one stands in between.
_WAITER = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_maxrss)
"""


def peak_memory_mb(command: Sequence[str]) -> float:
    """Run a command in a process of its own and return the most memory it held, in MB (10^6 bytes).

    Its output is discarded. Raises HuaxiangError where it does not end well.
    """
    waited = subprocess.run(  # noqa: S603 - our own waiter; the command is the caller's own program
        [sys.executable, "-S", "-c", _WAITER, *command], check=True, capture_output=True, text=True
    )
    ended, peak = map(int, waited.stdout.split())
    if ended != 0:
        raise HuaxiangError(f"the measured command ended with {ended}")
    # ru_maxrss is in bytes on macOS and in KiB elsewhere
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6
