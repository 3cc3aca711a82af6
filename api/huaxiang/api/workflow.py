"""The one workflow: what happens to a recording, stage by stage, each result stored.

Every stage reads what the stage before it stored, writes its result by the recording's id in one
transaction, and may be run again without harm. The job runtime remembers which stages finished.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from sqlalchemy.orm import Session, sessionmaker

from huaxiang.api.corrections import Corrections
from huaxiang.api.history.features import FeatureWriter
from huaxiang.api.history.meaning import said_in
from huaxiang.api.inspecting import Inspecting
from huaxiang.api.pipeline import Pipeline, skipped_inspection
from huaxiang.api.progress import ProgressTeller, begun, ended
from huaxiang.api.search.suite import RecordingSearch, reindex
from huaxiang.asr.transcripts import TranscriptStore
from huaxiang.core.audio import Decoder, WavAudio
from huaxiang.core.blobs import BlobStore
from huaxiang.core.database import transaction
from huaxiang.core.errors import AudioError, BlobMissing, StageFailed
from huaxiang.core.jobs import StageRunner, Workflow
from huaxiang.core.types import Json, Recording, RecordingStatus, Transcript
from huaxiang.ingest.recordings import RecordingStore
from huaxiang.nlp.insights_store import InsightsStore
from huaxiang.profile.merge import merge_recording
from huaxiang.quality.scorecard_store import ScorecardStore

StageResult = dict[str, Json]
Stage = Callable[[str], StageResult]
STAGE_NAMES = ("decode", "transcribe", "understand", "inspect", "merge")
FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Stores:
    """Where each stage's result is kept."""

    recordings: RecordingStore
    transcripts: TranscriptStore
    insights: InsightsStore
    scorecards: ScorecardStore
    search: RecordingSearch


class RecordingWorkflow:
    """The stages of one recording over storage.

    ``pipeline`` is called on first use, so that a worker without work loads no model,
    and decoding needs none.
    """

    def __init__(
        self,
        decode: Decoder,
        pipeline: Callable[[], Pipeline],
        sessions: sessionmaker[Session],
        blobs: BlobStore,
        stores: Stores,
        inspecting: Inspecting,
        corrections: Corrections,
        lock_digest: str,
        country: str,
        features: FeatureWriter,
    ) -> None:
        self._decode = decode
        self._pipeline = pipeline
        self._sessions = sessions
        self._blobs = blobs
        self._stores = stores
        self._inspecting = inspecting
        self._corrections = corrections
        self._lock_digest = lock_digest
        self._country = country
        self._features = features

    def definition(self) -> Workflow:
        """Return the workflow as the job runtime takes it."""
        return Workflow(run=self.run, stage_names=(*STAGE_NAMES, FAIL))

    def run(self, stages: StageRunner, recording_id: str) -> None:
        """Do the stages in order; where one fails, the recording is marked with its reason.

        Raises StageFailed.
        """
        steps: tuple[Stage, ...] = (self.decode, self.transcribe, self.understand, self.inspect, self.merge)
        try:
            for name, step in zip(STAGE_NAMES, steps, strict=True):
                stages.stage(name, partial(self._begun, name, step, recording_id))
        except StageFailed as failed:
            stages.stage(FAIL, partial(self._fail, recording_id, failed))
            raise

    def _begun(self, name: str, step: Stage, recording_id: str) -> StageResult:
        """Tell that a stage begins, and do it."""
        begun(self._sessions, recording_id, name)
        return step(recording_id)

    def decode(self, recording_id: str) -> StageResult:
        """Decode the received bytes to the playable form.

        Unusable audio goes to the quarantine with its reason, and the error goes on to the runtime.
        """
        with transaction(self._sessions) as session:
            recording = self._stores.recordings.get(session, recording_id)
            self._stores.recordings.set_status(session, recording_id, RecordingStatus.PROCESSING)
        key = f"decoded/{recording.id}.wav"
        with tempfile.TemporaryDirectory(prefix="huaxiang-") as folder:
            target = Path(folder) / "decoded.wav"
            try:
                with self._blobs.local_path(recording.blob_key) as source:
                    audio = self._decode(source, target)
            except AudioError as error:
                with transaction(self._sessions) as session:
                    self._stores.recordings.quarantine(session, recording_id, error.code, error.message)
                raise
            with target.open("rb") as decoded:
                self._blobs.put(key, iter(lambda: decoded.read(1024 * 1024), b""))
        with transaction(self._sessions) as session:
            self._stores.recordings.mark_decoded(session, recording_id, audio, key)
        return {"duration_ms": audio.duration_ms, "damaged_frames": audio.damaged_frames}

    def transcribe(self, recording_id: str) -> StageResult:
        """Recognise the decoded audio, store the transcript, and make it findable."""
        with transaction(self._sessions) as session:
            recording = self._stores.recordings.get(session, recording_id)
            decoded_key = self._stores.recordings.decoded_key(session, recording_id)
        if decoded_key is None:
            raise BlobMissing("the recording has no decoded audio; process it again from the start")
        with self._blobs.local_path(decoded_key) as path:
            transcript = self._pipeline().speech.run(
                recording, WavAudio(path), ProgressTeller(self._sessions, recording_id, "transcribe")
            )
        with transaction(self._sessions) as session:
            self._stores.transcripts.save(session, transcript, self._lock_digest)
            reindex(session, self._stores, recording_id)
        return {"turns": len(transcript.turns)}

    def understand(self, recording_id: str) -> StageResult:
        """Find intents, objections, acts, entities and metrics of the stored transcript, for rules too."""
        recording, transcript = self._load(recording_id)
        insights = self._pipeline().language.run(transcript, recording)
        made = self._features.made(said_in(transcript))
        with transaction(self._sessions) as session:
            self._stores.insights.save(session, recording_id, insights, self._lock_digest)
            self._features.refresh(session, recording_id, made)
        return {"findings": len(insights.findings)}

    def inspect(self, recording_id: str) -> StageResult:
        """Score the stored transcript and insights by all scorecards that apply.

        What a score was made by is kept, so that it can be shown and added up by a later package too.
        """
        recording, transcript = self._load(recording_id)
        with transaction(self._sessions) as session:
            insights = self._stores.insights.load(session, recording_id)
            grounds = self._inspecting.grounds(session, recording, transcript, insights)
        scorecards = self._inspecting.scorecards(grounds)
        with transaction(self._sessions) as session:
            for scorecard in scorecards:
                self._inspecting.rules.keep(session, scorecard.definition)
            self._stores.scorecards.save_all(session, recording_id, scorecards)
        return {"scores": {one.definition: one.score for one in scorecards}}

    def merge(self, recording_id: str) -> StageResult:
        """Merge what was heard into the customer's profile; the recording is then done.

        What people corrected of an earlier run is applied to this one.
        """
        recording, transcript = self._load(recording_id)
        with transaction(self._sessions) as session:
            insights = self._stores.insights.load(session, recording_id)
            scorecards = self._stores.scorecards.current(session, recording_id)
            scorecard = scorecards[0] if scorecards else None
            done = replace(recording, status=RecordingStatus.DONE)
            merged = merge_recording(session, done, transcript, insights, scorecard, country=self._country)
            skipped = merged.skipped if scorecards else (*merged.skipped, *skipped_inspection(()))
            self._stores.insights.note_skipped(session, recording_id, skipped)
            self._stores.recordings.set_status(session, recording_id, RecordingStatus.DONE)
            ended(session, recording_id)
        self._corrections.renew(recording_id)
        return {"customer": merged.customer_id, "tags": len(merged.tags)}

    def _fail(self, recording_id: str, failed: StageFailed) -> StageResult:
        """Mark a recording as failed with its reason; nothing that was stored is taken away."""
        with transaction(self._sessions) as session:
            self._stores.recordings.set_failed(session, recording_id, failed.error_code, failed.message)
            ended(session, recording_id)
        return {"stage": failed.stage, "error_code": failed.error_code}

    def _load(self, recording_id: str) -> tuple[Recording, Transcript]:
        with transaction(self._sessions) as session:
            return (
                self._stores.recordings.get(session, recording_id),
                self._stores.transcripts.load(session, recording_id),
            )
