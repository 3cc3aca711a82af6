"""Which recogniser and which lexicon the settings choose; part of the composition root."""

from __future__ import annotations

from typing import TYPE_CHECKING

from huaxiang.core.lexicon import Lexicon
from huaxiang.core.lock import ModelLock
from huaxiang.core.settings import Settings

if TYPE_CHECKING:
    from huaxiang.asr.hotwords import Hotwords
    from huaxiang.asr.rescoring import Rescorer
    from huaxiang.asr.transcriber import Transcriber

SALES_WORDS = "sales-words"
# A tenant's name counts as if it had been said so often in the conversations that the words come from.
_NAME_COUNT = 10


def local_recogniser(settings: Settings) -> tuple[str, ...]:
    """Return the names of the locked models that recognise speech here; none where a server does."""
    chosen = settings.recognition
    if chosen.backend != "local":
        return ()
    return (chosen.model, SALES_WORDS) if chosen.rescoring else (chosen.model,)


def build_transcriber(settings: Settings, lock: ModelLock) -> Transcriber:
    """Load the local recogniser, or make ready to ask the server that the settings name.

    Raises ModelMissing, ModelCorrupt or ModelNotLocked with the cure for a local model that cannot be used.
    """
    return _local(settings, lock) if settings.recognition.backend == "local" else _server(settings)


def tenant_lexicon(settings: Settings) -> Lexicon:
    """Return the tenant's names; none where no file is set. Raises InvalidRules with file and line."""
    path = settings.recognition.lexicon
    return Lexicon() if path is None else Lexicon.load(path)


def build_hotwords(settings: Settings) -> Hotwords:
    """Return the names to listen for and to repair. Raises InvalidRules for a lexicon with mistakes."""
    from huaxiang.asr.hotwords import Hotwords

    chosen = settings.recognition
    bias = chosen.server.send_hotwords if chosen.backend == "server" else chosen.bias_decoding
    return Hotwords(tenant_lexicon(settings).forms, bias=bias)


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
        _rescorer(settings, lock) if chosen.rescoring else None,
    )


def _rescorer(settings: Settings, lock: ModelLock) -> Rescorer:
    """Return what writes the words that people say, the tenant's names among them."""
    from huaxiang.asr.hotwords import JiebaWords
    from huaxiang.asr.language_model import WordTrigrams, read_sentences
    from huaxiang.asr.rescoring import Rescorer

    folder = lock.ensure(SALES_WORDS, settings.models_dir)
    ordinary = JiebaWords().frequencies()
    sentences = read_sentences(folder / lock.model(SALES_WORDS).files[0].path)
    told = [(form,) for form in tenant_lexicon(settings).forms] * _NAME_COUNT
    return Rescorer(WordTrigrams([*sentences, *told], ordinary), ordinary)


def _server(settings: Settings) -> Transcriber:
    from huaxiang.asr.speech_server import SpeechServerTranscriber
    from huaxiang.core.model_server import ModelServer, options_of

    server = settings.recognition.server
    options = options_of(server, "HUAXIANG_RECOGNITION__SERVER", "speech server")
    return SpeechServerTranscriber(
        ModelServer(options),
        server.model,
        concurrency=server.concurrency,
        send_hotwords=server.send_hotwords,
    )
