"""Puts the language stage together: the locked encoder and heads, the tenant's lexicon, the rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from huaxiang.core.lock import ModelLock, offline_environment
from huaxiang.core.settings import LanguageModelSettings, Settings

if TYPE_CHECKING:
    from huaxiang.nlp.classifier import Classifier
    from huaxiang.nlp.model_classifier import ModelClassifier
    from huaxiang.nlp.reader import Reader
    from huaxiang.nlp.understand import Understanding

ENCODER = "multilingual-e5-small"
HEADS = "nlp-heads"


def build_understanding(settings: Settings, lock: ModelLock) -> Understanding:
    """Return the language stage with its model loaded. Raises ModelMissing or ModelCorrupt."""
    from huaxiang.api.recognisers import tenant_lexicon
    from huaxiang.nlp.entities import EntityGrammar
    from huaxiang.nlp.metrics import conversation_metrics
    from huaxiang.nlp.spoken_form import SpokenClassifier
    from huaxiang.nlp.understand import Understanding

    classifier = SpokenClassifier(_classifier(settings, lock))
    entities = EntityGrammar(tenant_lexicon(settings))
    return Understanding(classifier, entities, conversation_metrics, build_reader(settings.language_model))


def build_reader(chosen: LanguageModelSettings) -> Reader | None:
    """Return the language model that reads beside our own, or none where none is set."""
    from huaxiang.core.model_server import ModelServer, options_of
    from huaxiang.nlp.reader import ServerReader

    if not chosen.url:
        return None
    options = options_of(chosen, "HUAXIANG_LANGUAGE_MODEL", "language model's server")
    return ServerReader(ModelServer(options), chosen.model)


def _classifier(settings: Settings, lock: ModelLock, *, plain: bool = False) -> ModelClassifier:
    from huaxiang.nlp.model_classifier import ModelClassifier

    heads = lock.model(HEADS)
    folder = lock.ensure(HEADS, settings.models_dir)
    return ModelClassifier(
        encoder_folder=lock.ensure(ENCODER, settings.models_dir),
        weights_file=folder / heads.files[0].path,
        source=f"{HEADS} @ {heads.files[0].sha256[:8]}",
        threads=settings.recognition.threads,
        plain=plain,
    )


def build_classifiers_to_compare(settings: Settings) -> tuple[Classifier, Classifier]:
    """Return the classifier as it is used, and one in full precision for the plain loop beside it."""
    from huaxiang.nlp.spoken_form import SpokenClassifier

    offline_environment()
    lock = ModelLock.load(settings.user_lock)
    ours, plain = _classifier(settings, lock), _classifier(settings, lock, plain=True)
    return SpokenClassifier(ours), SpokenClassifier(plain)
