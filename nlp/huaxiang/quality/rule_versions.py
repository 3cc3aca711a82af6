"""What is known of a published rule file: its versions, and whether it is in use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from huaxiang.quality.definition import RuleSet, ScorecardDefinition
from huaxiang.quality.references import reference_to
from huaxiang.quality.rule_tables import RuleFileKind


@dataclass(frozen=True, slots=True)
class RuleVersion:
    """One version of a scorecard or rule set as it was written.

    ``pins`` has the rules of other files that it refers to, each with the reference of the file that
    held it when this version was made. ``published_at`` is None for what ships with the package.
    """

    id: str
    version: int
    kind: RuleFileKind
    sha256: str
    pins: Mapping[str, str]
    note: str
    published_by: str
    published_at: datetime | None

    @property
    def reference(self) -> str:
        """``id @ version``."""
        return reference_to(self.id, self.version)

    @property
    def shipped(self) -> bool:
        """Whether it came with the package and nobody published it."""
        return self.published_at is None


@dataclass(frozen=True, slots=True)
class Retirement:
    """When, by whom and why a file was taken out of use."""

    at: datetime
    by: str
    note: str


@dataclass(frozen=True, slots=True)
class RuleFile:
    """A scorecard or rule set as it is now: its newest version, read, and its retirement where it has one."""

    newest: RuleVersion
    definition: ScorecardDefinition | RuleSet
    retired: Retirement | None = None

    @property
    def id(self) -> str:
        """The file's id."""
        return self.newest.id

    @property
    def in_use(self) -> bool:
        """Whether conversations are judged by it."""
        return self.retired is None


@dataclass(frozen=True, slots=True)
class Publication:
    """What publishing a file does: the new version, and the one that it takes the place of.

    ``changed`` is false where this very text is published and in use already.
    """

    version: RuleVersion
    definition: ScorecardDefinition | RuleSet
    before: RuleVersion | None
    changed: bool = True
