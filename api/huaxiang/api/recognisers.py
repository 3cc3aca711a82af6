"""Which recogniser the settings choose; part of the composition root."""

from __future__ import annotations

from typing import TYPE_CHECKING

from huaxiang.core.lock import ModelLock
from huaxiang.core.settings import Settings

if TYPE_CHECKING:
    from huaxiang.asr.transcriber import Transcriber


def local_recogniser(settings: Settings) -> tuple[str, ...]:
    """Return the name of the locked model that recognises speech here; none where a server does."""
    return (settings.recognition.model,) if settings.recognition.backend == "local" else ()


def build_transcriber(settings: Settings, lock: ModelLock) -> Transcriber:
    """Load the local recogniser, or make ready to ask the server that the settings name.

    Raises ModelMissing, ModelCorrupt or ModelNotLocked with the cure for a local model that cannot be used.
    """
    return _local(settings, lock) if settings.recognition.backend == "local" else _server(settings)


def _local(settings: Settings, lock: ModelLock) -> Transcriber:
    from huaxiang.asr.whisper import WhisperOptions, WhisperTranscriber

    chosen = settings.recognition
    model = lock.model(chosen.model)
    revision = model.revision[:7] or model.files[0].sha256[:7]
    return WhisperTranscriber(
        lock.ensure(chosen.model, settings.models_dir),
        f"{model.name}@{revision}",
        WhisperOptions(
            compute_type=chosen.compute_type,
            threads=chosen.threads,
            beam_size=chosen.beam_size,
            batch_size=chosen.batch_size,
        ),
    )


def _server(settings: Settings) -> Transcriber:
    from huaxiang.asr.speech_server import SpeechServerOptions, SpeechServerTranscriber

    server = settings.recognition.server
    return SpeechServerTranscriber(
        SpeechServerOptions(
            url=server.url,
            model=server.model,
            key=server.key.get_secret_value() if server.key else "",
            timeout_s=server.timeout_s,
            attempts=server.attempts,
            backoff_s=server.backoff_s,
            concurrency=server.concurrency,
            send_hotwords=server.send_hotwords,
            proxy=server.proxy,
        )
    )
