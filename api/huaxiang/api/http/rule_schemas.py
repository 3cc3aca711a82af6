"""The documents of ``/v1/rules``."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from huaxiang.api.http.schemas import Document

_TEXT = "scorecard: house\nversion: 1\ntitle: {zh: 本店, en: House}\nsections: …"


class RuleTextIn(BaseModel):
    """A scorecard or rule set in YAML."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"text": _TEXT}]})

    text: str = Field(max_length=200_000)
    language: Literal["zh", "en"] = "en"


class PublishIn(BaseModel):
    """What is to be published, and why."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"text": _TEXT, "note": "开场要求改了"}]}
    )

    text: str = Field(max_length=200_000)
    note: str = Field("", max_length=2000)
    dry_run: bool = False


class RetireIn(BaseModel):
    """Why something is taken out of use."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"note": "业务停了"}]})

    note: str = Field("", max_length=2000)
    dry_run: bool = False


class Mistake(Document):
    """What is wrong in a file, where, and what to do about it; ``code`` is stable."""

    line: int
    column: int
    code: str
    message: str
    cure: str


class RuleMistakes(Document):
    """All mistakes of a file in the order of its lines; none means that it can be used."""

    mistakes: list[Mistake]


class ExampleResult(Document):
    """One example: true and false is whether the condition holds, null that it does not apply."""

    item: str
    line: int
    expected: bool | None
    found: bool | None
    reason: str
    agrees: bool


class RuleExamples(Document):
    """What a file's own examples came to; ``agree`` of them say what their author expects."""

    mistakes: list[Mistake]
    examples: list[ExampleResult]
    agree: int


class RuleVersion(Document):
    """One version of a file. ``pins`` has the rules of other files with the version that held them."""

    id: str
    version: int
    kind: Literal["scorecard", "ruleset"]
    sha256: str
    pins: dict[str, str]
    note: str
    published_by: str
    published_at: datetime | None
    shipped: bool


class RuleText(RuleVersion):
    """A version as it was written, with the list of all versions, the newest first."""

    text: str
    versions: list[RuleVersion]


class RuleItem(Document):
    """One question of a scorecard, without its condition: that is in the text."""

    id: str
    title: str
    title_en: str
    section: str
    points: float
    scoring: Literal["earn", "add", "take"]
    forbidden: bool
    auto_fail: bool
    suggest_only: bool
    line: int


class Rule(Document):
    """One rule of a file, without its condition."""

    id: str
    title: str
    title_en: str
    severity: Literal["info", "minor", "major", "critical"]
    suggest_only: bool
    line: int


class RuleContents(RuleVersion):
    """A version with what it holds."""

    title: str
    title_en: str
    priority: int | None
    items: list[RuleItem]
    rules: list[Rule]


class Retirement(Document):
    """When, by whom and why a file was taken out of use."""

    at: datetime
    by: str
    note: str


class RuleFile(RuleContents):
    """A file as it is now."""

    in_use: bool
    retired: Retirement | None


class RulePage(Document):
    """Some files by id; follow ``next_cursor`` for more."""

    items: list[RuleFile]
    next_cursor: str | None


class Publication(RuleContents):
    """What publishing did or would do; ``before`` is the version that it takes the place of."""

    changed: bool
    before: str | None
    dry_run: bool


class Retired(RuleFile):
    """The file that was or would be taken out of use."""

    dry_run: bool
