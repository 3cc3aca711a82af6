"""The composition root: the only place where adapters are chosen and put together.

Nothing is built at import. What needs torch, CTranslate2 or PyAV is imported in the function that
builds it, so that a command that needs none of them loads none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.api.language import ENCODER, build_understanding
from huaxiang.api.pipeline import Analysis, Pipeline
from huaxiang.core.audio import Decoder
from huaxiang.core.blobs import BlobStore, make_blob_store
from huaxiang.core.database import make_engine, session_factory
from huaxiang.core.lock import ModelLock, offline_environment
from huaxiang.core.once import Once
from huaxiang.core.settings import Settings
from huaxiang.core.zones import zone_of
from huaxiang.ingest.devices import DeviceRegistry

if TYPE_CHECKING:
    from fastapi import FastAPI

    from huaxiang.api.corrections import Corrections
    from huaxiang.api.history.features import FeatureWriter
    from huaxiang.api.inspecting import Inspecting
    from huaxiang.api.services import Services
    from huaxiang.api.workflow import RecordingWorkflow, Stores
    from huaxiang.asr.evaluate_speakers import SpeakerEvaluation
    from huaxiang.asr.plain import PlainRecogniser
    from huaxiang.asr.speech import SpeechPipeline
    from huaxiang.core.jobs import JobQueue, StageObserver
    from huaxiang.core.worker import Worker
    from huaxiang.ingest.receive import Receiver
    from huaxiang.ingest.sweeper import Sweeper
    from huaxiang.ingest.uploads import UploadService
    from huaxiang.ingest.watch import FolderWatch
    from huaxiang.nlp.encoder import SentenceEncoder
    from huaxiang.nlp.understand import Understanding
    from huaxiang.quality import Inspector
    from huaxiang.quality.rule_store import RuleStore


@dataclass(frozen=True, slots=True)
class Storage:
    """The database, at the newest revision, and the blob store."""

    engine: Engine
    sessions: sessionmaker[Session]
    blobs: BlobStore


@dataclass(frozen=True, slots=True)
class System:
    """Everything that a server or a worker is made of."""

    settings: Settings
    storage: Storage
    stores: Stores
    inspecting: Inspecting
    corrections: Corrections
    features: FeatureWriter
    language: Callable[[], Understanding]
    workflow: RecordingWorkflow
    jobs: JobQueue
    lock: ModelLock


def open_storage(settings: Settings) -> Storage:
    """Open database and blob store, and bring the schema up to date.

    Raises ConfigurationError for a URL that cannot be used and StorageError where the database
    does not answer.
    """
    from huaxiang.core.jobs_dbos import prepare_jobs
    from huaxiang.core.migrations import upgrade

    settings.data_dir.mkdir(parents=True, exist_ok=True)
    engine = make_engine(settings.resolved_database_url)
    upgrade(engine)
    prepare_jobs(engine)
    return Storage(engine, session_factory(engine), make_blob_store(settings.resolved_blob_url))


def devices() -> DeviceRegistry:
    """Return the registry of devices."""
    return DeviceRegistry()


def open_rules(settings: Settings) -> tuple[RuleStore, sessionmaker[Session]]:
    """Return the published rules and what opens transactions on them. Errors as ``open_storage``."""
    from huaxiang.quality.rule_store import RuleStore

    return RuleStore(), open_storage(settings).sessions


def build_pipeline(settings: Settings, language: Callable[[], Understanding] | None = None) -> Pipeline:
    """Load the models and return the stages, ready to run; ``language`` gives that stage, if it is there.

    Raises ModelMissing or ModelCorrupt naming the file, and the cure (``huaxiang models pull``).
    """
    after = build_analysis(settings, language)
    speech = build_speech(settings)
    decoder = build_decoder(settings)
    return Pipeline(after.language, after.inspection, after.tag, after.zone, decoder, speech)


def build_analysis(settings: Settings, language: Callable[[], Understanding] | None = None) -> Analysis:
    """Return the stages after recognition, without a recogniser. Raises ModelMissing or ModelCorrupt."""
    from huaxiang.api.inspecting import build_inspection
    from huaxiang.profile.tags import tags_from

    inspection = build_inspection(settings, build_sentence_encoder)
    understanding = language() if language else build_language(settings)
    return Analysis(understanding, inspection, tags_from, zone_of(settings.default_zone))


def _speech(settings: Settings, lock: ModelLock) -> SpeechPipeline:
    from huaxiang.api.recognisers import build_hotwords, build_transcriber
    from huaxiang.api.speakers import build_attributor
    from huaxiang.asr.normalise import MandarinNormaliser
    from huaxiang.asr.speech import SpeechOptions, SpeechPipeline
    from huaxiang.asr.voice_activity import SileroVoiceActivity

    lock.ensure("silero-vad", settings.models_dir)
    options = SpeechOptions(language=settings.recognition.language)
    normaliser = MandarinNormaliser()
    # Only enrolled voices need the database: without them a file is processed with none.
    sessions = open_storage(settings).sessions if settings.speakers.enrolment else None
    return SpeechPipeline(
        build_transcriber(settings, lock),
        SileroVoiceActivity(),
        normaliser,
        options,
        build_attributor(settings, lock, normaliser, sessions),
        build_hotwords(settings),
    )


def encoder_folder(settings: Settings) -> Path:
    """Return the folder of the locked encoder. Raises ModelMissing or ModelCorrupt."""
    offline_environment()
    return ModelLock.load(settings.user_lock).ensure(ENCODER, settings.models_dir)


def build_judged_language(source: str) -> tuple[Understanding, Inspector]:
    """Return the language stage without a model, for labels that are made elsewhere under ``source``."""
    from huaxiang.nlp.classifier import ScriptedClassifier
    from huaxiang.nlp.entities import EntityGrammar
    from huaxiang.nlp.metrics import conversation_metrics
    from huaxiang.nlp.understand import Understanding
    from huaxiang.quality import Inspector, default_scorecard

    understanding = Understanding(ScriptedClassifier(source=source), EntityGrammar(), conversation_metrics)
    return understanding, Inspector(default_scorecard())


def build_plain_recognisers(settings: Settings) -> dict[str, PlainRecogniser]:
    """Return the recognition library used plainly, as the baseline to measure beside."""
    from huaxiang.asr.plain import plain_recognisers

    chosen = settings.recognition
    model_dir = ModelLock.load(settings.user_lock).ensure(chosen.model, settings.models_dir)
    return plain_recognisers(model_dir, chosen.compute_type, chosen.threads, chosen.language)


def build_speech(settings: Settings) -> SpeechPipeline:
    """Return the speech stage alone, with its model loaded."""
    offline_environment()
    return _speech(settings, ModelLock.load(settings.user_lock))


def build_speaker_evaluation(settings: Settings) -> SpeakerEvaluation:
    """Return what ``eval speakers`` scores recordings with, its models loaded."""
    from huaxiang.api.speakers import build_diarizer
    from huaxiang.asr.evaluate_speakers import SpeakerEvaluation
    from huaxiang.asr.voice_activity import SileroVoiceActivity

    offline_environment()
    lock = ModelLock.load(settings.user_lock)
    return SpeakerEvaluation(
        build_diarizer(settings, lock),
        SileroVoiceActivity(),
        _speech(settings, lock),
        build_decoder(settings),
    )


def build_language(settings: Settings) -> Understanding:
    """Return the language stage alone, with its model loaded."""
    offline_environment()
    return build_understanding(settings, ModelLock.load(settings.user_lock))


def build_sentence_encoder(settings: Settings) -> SentenceEncoder:
    """Return the locked encoder, which turns sentences into vectors. Raises ModelMissing or ModelCorrupt."""
    from huaxiang.nlp.encoder import BertEncoder

    return BertEncoder(encoder_folder(settings), settings.recognition.threads)


def build_decoder(settings: Settings) -> Decoder:
    """Return the decode stage alone."""
    from huaxiang.ingest.decode import decode

    return partial(decode, limits=settings.audio)


def build_system(settings: Settings) -> System:
    """Open the storage and put the workflow together; models are loaded with the first recording."""
    from huaxiang.api.corrections import Corrections
    from huaxiang.api.history.building import build_writer
    from huaxiang.api.search.suite import build_search, reindexing
    from huaxiang.api.workflow import RecordingWorkflow, Stores
    from huaxiang.asr.transcripts import TranscriptStore
    from huaxiang.core.jobs_dbos import DbosJobs
    from huaxiang.ingest.recordings import RecordingStore
    from huaxiang.nlp.insights_store import InsightsStore
    from huaxiang.quality.scorecard_store import ScorecardStore

    storage = open_storage(settings)
    search = build_search(storage.engine)
    stores = Stores(RecordingStore(), TranscriptStore(), InsightsStore(), ScorecardStore(), search)
    lock = ModelLock.load(settings.user_lock)
    features = build_writer(settings, build_sentence_encoder)
    inspecting = features.inspecting
    corrections = Corrections(
        storage.sessions, stores, inspecting, settings.default_country, (reindexing(stores),), features
    )
    language = Once(partial(build_language, settings))
    workflow = RecordingWorkflow(
        decode=build_decoder(settings),
        pipeline=Once(partial(build_pipeline, settings, language)),
        sessions=storage.sessions,
        blobs=storage.blobs,
        stores=stores,
        inspecting=inspecting,
        corrections=corrections,
        lock_digest=lock.digest,
        country=settings.default_country,
        features=features,
    )
    jobs = DbosJobs(storage.engine, workflow.definition())
    return System(
        settings, storage, stores, inspecting, corrections, features, language, workflow, jobs, lock
    )


@contextmanager
def running_worker(
    system: System,
    observer: StageObserver | None = None,
    on_stuck: Callable[[], None] = lambda: None,
) -> Iterator[Worker]:
    """Run a worker in this process; its name stays over restarts, so it goes on with its own jobs.

    ``on_stuck`` is called where a stage does not end in time when the worker is to stop: its thread
    would hold up the end of the process, and the job goes on with whoever takes it up.
    """
    from huaxiang.core.executor_id import executor_id
    from huaxiang.core.jobs import NoObserver
    from huaxiang.core.stages import StageExecutor
    from huaxiang.core.worker import Worker, WorkerOptions

    settings = system.settings
    with executor_id(settings.data_dir / "workers") as name:
        worker = Worker(
            system.storage.engine,
            system.workflow.definition(),
            name,
            StageExecutor(observer or NoObserver()),
            WorkerOptions(
                settings.worker_heartbeat_s,
                settings.worker_dead_after_s,
                recordings=settings.worker_recordings,
            ),
        )
        worker.start()
        try:
            yield worker
        finally:
            if not worker.stop():
                on_stuck()


def build_watcher(system: System, folder: Path, *, dry_run: bool) -> FolderWatch:
    """Return what takes recordings from a folder."""
    from huaxiang.ingest.watch import FolderWatch

    return FolderWatch(folder, _receiver(system), system.storage.sessions, dry_run=dry_run)


def build_sweeper(system: System) -> Sweeper:
    """Return what clears away expired uploads and blobs without a recording while a server runs."""
    from huaxiang.ingest.sweeper import Sweeper

    return Sweeper(_uploads(system), _receiver(system), system.storage.sessions)


def build_services(system: System) -> Services:
    """Return what the HTTP interface and the pages work with."""
    from huaxiang.api.access.callers import Authenticator
    from huaxiang.api.access.first_start import server_key
    from huaxiang.api.access.passwords import Passwords
    from huaxiang.api.access.sign_in import SignIn
    from huaxiang.api.access.throttle import Throttle
    from huaxiang.api.coaching.suite import open_coaching
    from huaxiang.api.history.building import build_desk
    from huaxiang.api.http.once import Idempotency
    from huaxiang.api.readiness import readiness_checks
    from huaxiang.api.reviews.suite import reviews_of
    from huaxiang.api.services import Services
    from huaxiang.profile.customers import CustomerStore

    settings, storage, stores = system.settings, system.storage, system.stores
    key = server_key(settings)
    registry = devices()
    return Services(
        settings=settings,
        sessions=storage.sessions,
        blobs=storage.blobs,
        jobs=system.jobs,
        receiver=_receiver(system),
        uploads=_uploads(system),
        devices=registry,
        recordings=stores.recordings,
        transcripts=stores.transcripts,
        insights=stores.insights,
        scorecards=stores.scorecards,
        corrections=system.corrections,
        inspecting=system.inspecting,
        rules=system.inspecting.rules,
        understanding=system.language,
        customers=CustomerStore(settings.default_country),
        reviews=reviews_of(settings, system.inspecting.rules),
        search=stores.search,
        coaching=open_coaching(settings),
        authenticator=Authenticator(storage.sessions, registry),
        sign_in=SignIn(
            storage.sessions,
            Passwords(),
            Throttle(storage.sessions, key),
            timedelta(seconds=settings.access.session_s),
        ),
        idempotency=Idempotency(storage.sessions, timedelta(seconds=settings.http.idempotency_s)),
        features=system.features,
        history=build_desk(storage.sessions, system.features, system.language),
        login_key=key,
        checks=readiness_checks(settings, storage, system.lock),
    )


def build_app(system: System) -> FastAPI:
    """Return the HTTP application."""
    from huaxiang.api.http.app import create_app

    return create_app(build_services(system))


def first_start(settings: Settings, storage: Storage) -> Path | None:
    """Make the first admin where there is no user; return the file that holds the sign-in, or None."""
    from huaxiang.api.access.first_start import ensure_first_admin
    from huaxiang.api.access.passwords import Passwords

    return ensure_first_admin(storage.sessions, Passwords(), settings.data_dir)


def _receiver(system: System) -> Receiver:
    from huaxiang.ingest.receive import Receiver

    return Receiver(system.storage.blobs, system.jobs, system.settings.audio)


def _uploads(system: System) -> UploadService:
    from huaxiang.ingest.uploads import UploadService

    storage = system.storage
    return UploadService(_receiver(system), storage.blobs, storage.sessions, system.settings.upload)
