"""Settings: read once from the environment in ``main`` and passed down, frozen."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from huaxiang.core.errors import ConfigurationError


def _cache_home() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "huaxiang"


def _data_home() -> Path:
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "huaxiang"


class AudioLimits(BaseModel):
    """What is accepted as a recording."""

    model_config = ConfigDict(frozen=True)

    max_upload_bytes: int = Field(2 * 1024**3, gt=0)
    max_duration_s: int = Field(6 * 3600, gt=0)
    min_sample_rate: int = 4000
    max_sample_rate: int = 192_000
    max_channels: int = 8


class UploadSettings(BaseModel):
    """Resumable uploads."""

    model_config = ConfigDict(frozen=True)

    part_bytes: int = Field(4 * 1024**2, ge=64 * 1024)
    expire_s: int = Field(7 * 24 * 3600, gt=0)
    lease_s: int = Field(30, gt=0)


def plain_address(url: str) -> str:
    """Return a server's base URL; refuses what would put a password into error messages or results."""
    parts = urlsplit(url)
    if url and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise ValueError("has to be http://HOST/v1 or https://HOST/v1")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("may hold no user, password, query or fragment: the key has its own setting")
    return url


class ModelServerSettings(BaseModel):
    """A model on another machine that answers in OpenAI's form; ``url`` is the base that ends in ``/v1``."""

    model_config = ConfigDict(frozen=True)

    url: str = ""
    model: str = Field("", max_length=100)
    key: SecretStr | None = None
    timeout_s: float = Field(60.0, gt=0)
    attempts: int = Field(4, ge=1, le=20)
    backoff_s: float = Field(0.5, ge=0)
    concurrency: int = Field(2, ge=1, le=64)
    proxy: str = Field("", repr=False)

    @field_validator("url")
    @classmethod
    def _plain_address(cls, url: str) -> str:
        return plain_address(url)

    @field_validator("key")
    @classmethod
    def _fits_a_header(cls, key: SecretStr | None) -> SecretStr | None:
        """Take off the line end that a file of secrets brings; what no header can hold is refused."""
        if key is None:
            return None
        value = key.get_secret_value().strip()
        if not (value.isascii() and value.isprintable()):
            raise ValueError("may hold only printable ASCII characters")
        return SecretStr(value) if value else None

    @field_validator("proxy")
    @classmethod
    def _proxy_address(cls, proxy: str) -> str:
        parts = urlsplit(proxy)
        if proxy and (parts.scheme not in ("http", "https") or not parts.hostname):
            raise ValueError("has to be http://HOST:PORT or https://HOST:PORT")
        return proxy


class SpeechServerSettings(ModelServerSettings):
    """A recogniser on another machine that answers OpenAI's ``/v1/audio/transcriptions``.

    Used only where ``RecognitionSettings.backend`` says ``server``: audio then leaves this machine.
    ``send_hotwords`` sends the tenant's names along.
    """

    send_hotwords: bool = False


class RecognitionSettings(BaseModel):
    """How speech is recognised: a model named in models.lock and the machine's use, or a server.

    ``lexicon`` is a file of the tenant's names: they are found, and repaired where misheard. With
    ``bias_decoding`` a local recogniser is told them beforehand too, which small models take badly.
    ``rescoring`` writes the Mandarin of a local recogniser with the words that people say in sales.
    """

    model_config = ConfigDict(frozen=True)

    backend: Literal["local", "server"] = "local"
    server: SpeechServerSettings = SpeechServerSettings()
    lexicon: Path | None = None
    bias_decoding: bool = False
    model: str = "whisper-base"
    compute_type: str = "int8"
    threads: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1)
    beam_size: int = Field(1, ge=1)
    batch_size: int = Field(4, ge=1)
    rescoring: bool = True
    language: str = "zh"

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.backend == "server" and not (self.server.url and self.server.model):
            raise ValueError("backend `server` needs server.url and server.model")
        return self


class SpeakerSettings(BaseModel):
    """Telling speakers apart; voices are kept only where ``enrolment`` is switched on.

    ``voiceprint_key`` seals them: 32 bytes in base64, as ``huaxiang speaker key`` makes them.
    """

    model_config = ConfigDict(frozen=True)

    enrolment: bool = False
    voiceprint_key: SecretStr | None = None


class LanguageModelSettings(ModelServerSettings):
    """A large language model that reads beside our own, off while ``url`` is empty.

    Any server that answers OpenAI's ``/v1/chat/completions``. Where it is set, the text of every
    conversation leaves this machine for that server.
    """

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.url and not self.model:
            raise ValueError("a language model needs its model named beside its url")
        return self


class HttpSettings(BaseModel):
    """Bounds of the HTTP interface. Recordings have their own: ``AudioLimits.max_upload_bytes``."""

    model_config = ConfigDict(frozen=True)

    max_body_bytes: int = Field(1024**2, gt=0)
    max_import_bytes: int = Field(32 * 1024**2, gt=0)
    idempotency_s: int = Field(24 * 3600, gt=0)


class AccessSettings(BaseModel):
    """Sign-in and who may scrape.

    ``metrics_from_loopback`` answers ``/metrics`` without a token to a scraper on this machine;
    leave it off behind a reverse proxy that sends no ``X-Forwarded-For``.
    """

    model_config = ConfigDict(frozen=True)

    session_s: int = Field(12 * 3600, gt=0)
    metrics_from_loopback: bool = False


class ReviewSettings(BaseModel):
    """Reviews: how long a seller may appeal, and whether ``serve`` draws by the sampling plans at night."""

    model_config = ConfigDict(frozen=True)

    appeal_days: int = Field(7, ge=1, le=365)
    sampling: bool = True


class Settings(BaseSettings):
    """All settings; each is an environment variable ``HUAXIANG_…``, nested ones with ``__``.

    For example ``HUAXIANG_DATABASE_URL`` or ``HUAXIANG_RECOGNITION__BEAM_SIZE``.
    """

    model_config = SettingsConfigDict(
        env_prefix="HUAXIANG_", env_nested_delimiter="__", frozen=True, extra="ignore"
    )

    environment: Literal["production", "development"] = "production"
    data_dir: Path = Field(default_factory=_data_home)
    cache_dir: Path = Field(default_factory=_cache_home)
    database_url: str = ""
    blob_url: str = ""
    host: str = "127.0.0.1"
    port: int = Field(8760, ge=0, le=65535)
    secret_key: SecretStr | None = None
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    worker_heartbeat_s: float = Field(5.0, gt=0)
    worker_dead_after_s: float = Field(30.0, gt=0)
    worker_recordings: int = Field(2, ge=1, le=8)
    default_zone: str = "Asia/Shanghai"
    default_country: str = "CN"
    audio: AudioLimits = AudioLimits()
    upload: UploadSettings = UploadSettings()
    recognition: RecognitionSettings = RecognitionSettings()
    speakers: SpeakerSettings = SpeakerSettings()
    language_model: LanguageModelSettings = LanguageModelSettings()
    http: HttpSettings = HttpSettings()
    access: AccessSettings = AccessSettings()
    review: ReviewSettings = ReviewSettings()

    @property
    def resolved_database_url(self) -> str:
        """The database in use: the setting, or an SQLite file in the data folder."""
        return self.database_url or f"sqlite:///{self.data_dir / 'huaxiang.db'}"

    @property
    def resolved_blob_url(self) -> str:
        """The blob store in use: the setting (``file://`` or ``s3://``), or a data subfolder."""
        return self.blob_url or (self.data_dir / "blobs").absolute().as_uri()

    @property
    def models_dir(self) -> Path:
        """Where pulled models live, outside any checkout."""
        return self.cache_dir / "models"

    @property
    def user_lock(self) -> Path:
        """The lock file of the models that this installation's user added."""
        return self.data_dir / "models.lock"


def load_settings(**overrides: Any) -> Settings:
    """Read the settings from the environment; ``overrides`` win.

    Raises ConfigurationError naming every bad setting, without its value.
    """
    try:
        return Settings(**overrides)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ConfigurationError(f"bad settings: {wrong}") from error
