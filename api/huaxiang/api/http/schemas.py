"""The documents of ``/v1`` as OpenAPI shows them; a test holds that answers have these forms."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Status = Literal["received", "processing", "done", "failed"]
Role = Literal["agent", "customer", "unknown"]


class Document(BaseModel):
    """Base of all documents: no key that is not described."""

    model_config = ConfigDict(extra="forbid")


class FieldProblem(Document):
    """One mistake in a request."""

    path: str = Field(examples=["query.limit"])
    code: str = Field(examples=["int_parsing"])
    message: str = Field(examples=["Input should be a valid integer"])


class Problem(Document):
    """An error, as RFC 9457 has it. ``code`` is stable; ``request_id`` finds it in the log."""

    type: str = Field(examples=["urn:huaxiang:problem:not_found"])
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    code: str = Field(examples=["not_found"])
    detail: str = Field(examples=["there is no such recording"])
    errors: list[FieldProblem] | None = None
    request_id: str | None = Field(None, examples=["01939c3e-7c1e-7d3a-9d52-6f0a4d1f2b11"])


class Metadata(Document):
    """What was told about a recording; null where it was not told."""

    started_at: datetime | None = Field(examples=["2026-11-20T01:30:00Z"])
    zone: str | None = Field(examples=["Asia/Shanghai"])
    seller: str | None = Field(examples=["wang.fang"])
    customer_ref: str | None = Field(examples=["CRM-1001"])
    direction: Literal["inbound", "outbound"] | None
    setting: Literal["phone", "onsite", "meeting"] | None
    agent_channel: int | None = Field(examples=[0])
    consent: bool | None
    title: str | None


class Audio(Document):
    """What decoding found."""

    codec: str = Field(examples=["pcm_alaw"])
    sample_rate: int = Field(examples=[8000])
    channels: int = Field(examples=[2])
    duration_ms: int = Field(examples=[129000])
    declared_ms: int | None
    damaged_frames: int
    truncated: bool
    dual_mono: bool


class Failure(Document):
    """Why a recording failed."""

    code: str = Field(examples=["not_audio"])
    message: str | None


class Recording(Document):
    """A recording: identity, state, format, and what was told about it."""

    id: str = Field(examples=["01939c3e-7c1e-7d3a-9d52-6f0a4d1f2b11"])
    sha256: str
    size_bytes: int
    filename: str = Field(examples=["call-0001.wav"])
    source: str = Field(description="A device id, or who else handed it over.")
    status: Status
    received_at: datetime
    duration_ms: int | None
    channels: int | None
    audio: Audio | None
    metadata: Metadata
    error: Failure | None = None


class RecordingPage(Document):
    """Recordings, newest first."""

    items: list[Recording]
    next_cursor: str | None = Field(description="Send it as `cursor` for the next page; null at the end.")


class Received(Document):
    """The answer to an upload. ``duplicate`` is true where these bytes were here before."""

    id: str
    duplicate: bool


class Word(Document):
    """One recognised word."""

    start_ms: int
    end_ms: int
    text: str
    confidence: float


class Turn(Document):
    """An uninterrupted stretch of one speaker."""

    index: int
    role: Role
    role_confidence: float
    channel: int
    speaker: str | None
    overlap: bool
    start_ms: int | None
    end_ms: int | None
    text: str
    raw_text: str
    words: list[Word]


class Skipped(Document):
    """An analysis that was not done, and why."""

    feature: str
    code: str
    message: str


class Quality(Document):
    """How far a transcript may be trusted."""

    mean_log_probability: float | None
    no_speech_share: float | None
    damaged_frames: int
    dropped: dict[str, int]
    repaired: int


class Transcript(Document):
    """All turns of a recording."""

    recording_id: str
    duration_ms: int
    channels: int
    recogniser: str
    turns: list[Turn]
    quality: Quality
    skipped: list[Skipped]


class Evidence(Document):
    """The words a claim stands on, and where to hear them."""

    recording_id: str | None = None
    turn: int
    char_start: int
    char_end: int
    start_ms: int | None
    end_ms: int | None
    quote: str


class Finding(Document):
    """One claim about a conversation."""

    id: str
    kind: str = Field(examples=["intent"])
    label: str = Field(examples=["inquire_price"])
    value: Any
    confidence: float = Field(ge=0, le=1)
    for_review: bool
    source: str
    evidence: list[Evidence] = Field(min_length=1)


class Insights(Document):
    """What was understood of a recording."""

    recording_id: str
    model: str
    findings: list[Finding]
    metrics: dict[str, Any]
    skipped: list[Skipped]


class Peaks(Document):
    """Loudness over time for drawing: for each channel the peak of each of equal stretches, 0–1."""

    duration_ms: int
    peaks: list[list[float]]


class CustomerIn(BaseModel):
    """What the CRM tells about a customer; absent fields are left alone, null clears one."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "fields": {
                        "name": "示例客户",
                        "city": {"value": "杭州", "observed_at": "2026-11-01T09:00:00+08:00"},
                        "industry": None,
                    },
                    "phones": ["+8657100000000"],
                    "observed_at": "2026-11-20T12:00:00Z",
                }
            ]
        },
    )

    fields: dict[str, Any] = {}
    phones: list[str] | None = None
    observed_at: datetime | str | None = None


class Customer(Document):
    """A customer as merged from all that is known, without evidence; the profile has that."""

    id: str
    external_id: str | None
    phones: list[str]
    lifecycle: str
    fields: dict[str, Any]
    tags: list[str]


class CustomerPage(Document):
    """Customers, those that changed last first."""

    items: list[dict[str, Any]]
    next_cursor: str | None


class Profile(BaseModel):
    """A customer with source, time and evidence of everything; docs/profile.md describes each part."""

    model_config = ConfigDict(extra="allow")

    id: str
    external_id: str | None
    lifecycle: dict[str, Any]
    fields: list[dict[str, Any]]
    tags: list[dict[str, Any]]
    open_objections: list[dict[str, Any]]
    next_step: dict[str, Any] | None
    conversations: list[dict[str, Any]]


class DeviceIn(Document):
    """A new device."""

    name: str = Field(min_length=1, max_length=200, examples=["工牌-021"])


class Device(Document):
    """A device that may upload."""

    id: str
    name: str
    created_at: datetime
    revoked_at: datetime | None
    last_seen_at: datetime | None


class DeviceCreated(Device):
    """A new device with its key, which is shown only now."""

    key: str


class Devices(Document):
    """All devices."""

    items: list[Device]


class Job(Document):
    """The processing of a recording."""

    id: str
    recording_id: str
    state: Literal["queued", "running", "done", "failed"]
    stage: str | None
    share: float | None = Field(
        description="How much of the stage is done, 0 to 1; null where it is not told."
    )
    attempts: int
    error_code: str | None
    created_at: datetime
    updated_at: datetime


class Queued(Document):
    """A run that was queued; its state is read at ``Location``."""

    id: str
    recording_id: str


class JobPage(Document):
    """Jobs, newest first."""

    items: list[Job]
    next_cursor: str | None


class RowError(Document):
    """A row of an import that was left out; the header is row 1."""

    row: int
    column: str
    message: str


class ImportReport(Document):
    """What an import did, or with ``dry_run`` would do."""

    dry_run: bool
    encoding: str
    rows: int
    created: int
    updated: int
    unchanged: int
    rejected: int
    conflicts: int
    errors: list[RowError]
    ignored_columns: list[str]
