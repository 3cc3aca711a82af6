"""What the HTTP interface and the pages work with; the composition root builds it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session, sessionmaker

from huaxiang.api.access.callers import Authenticator
from huaxiang.api.access.sign_in import SignIn
from huaxiang.api.http.once import Idempotency
from huaxiang.core.blobs import BlobStore
from huaxiang.core.jobs import JobQueue
from huaxiang.core.settings import Settings

if TYPE_CHECKING:
    from huaxiang.api.coaching.suite import Coaching
    from huaxiang.api.corrections import Corrections
    from huaxiang.api.history.desk import HistoryDesk
    from huaxiang.api.history.features import FeatureWriter
    from huaxiang.api.inspecting import Inspecting
    from huaxiang.api.reviews.suite import Reviews
    from huaxiang.api.search.suite import RecordingSearch
    from huaxiang.asr.transcripts import TranscriptStore
    from huaxiang.ingest.devices import DeviceRegistry
    from huaxiang.ingest.receive import Receiver
    from huaxiang.ingest.recordings import RecordingStore
    from huaxiang.ingest.uploads import UploadService
    from huaxiang.nlp.insights_store import InsightsStore
    from huaxiang.profile.customers import CustomerStore
    from huaxiang.quality.check import Understands
    from huaxiang.quality.rule_store import RuleStore
    from huaxiang.quality.scorecard_store import ScorecardStore

Check = Callable[[], None]
"""A readiness check: returns where all is well, raises a HuaxiangError where it is not."""


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that an endpoint may use.

    ``checks`` are the readiness checks by name (``database``, ``blobs``, ``models``). ``login_key``
    is the server's key, from which the form token of the sign-in page is made. ``understanding`` loads
    the language model with its first use.
    """

    settings: Settings
    sessions: sessionmaker[Session]
    blobs: BlobStore
    jobs: JobQueue
    receiver: Receiver
    uploads: UploadService
    devices: DeviceRegistry
    recordings: RecordingStore
    transcripts: TranscriptStore
    insights: InsightsStore
    scorecards: ScorecardStore
    corrections: Corrections
    inspecting: Inspecting
    rules: RuleStore
    understanding: Callable[[], Understands]
    customers: CustomerStore
    reviews: Reviews
    search: RecordingSearch
    coaching: Coaching
    authenticator: Authenticator
    sign_in: SignIn
    idempotency: Idempotency
    features: FeatureWriter
    history: HistoryDesk
    login_key: bytes = field(repr=False)
    checks: Mapping[str, Check]
