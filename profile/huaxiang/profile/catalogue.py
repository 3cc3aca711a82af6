"""The catalogue: which fields and tags a profile has, how they are named, typed and merged."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from huaxiang.core.errors import InvalidRules

CUSTOM_PREFIX = "custom."
MAX_NAME_CHARS = 64


class FieldType(StrEnum):
    """What values a field takes; ``yuan`` is an amount of money with at most two decimals."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    YUAN = "yuan"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    CHOICE = "choice"
    PHONE = "phone"
    EMAIL = "email"
    LIST = "list"
    NEXT_STEP = "next_step"
    ANY = "any"


class MergeRule(StrEnum):
    """How one value is made of what several sources say; see ``huaxiang.profile.rules``."""

    CRM_WINS = "crm_wins"
    LATEST = "latest"
    MOST_CONFIDENT = "most_confident"
    UNION = "union"


class Title(BaseModel):
    """What a thing is called on pages."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    zh: str
    en: str


class FieldDefinition(Title):
    """One profile field. ``heard_only`` fields come from conversations and are not taken from a CRM."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=MAX_NAME_CHARS)
    group: str
    type: FieldType
    merge: MergeRule
    choices: Mapping[str, str] = Field(default_factory=dict)
    sensitive: bool = False
    half_life_days: float | None = Field(None, gt=0)
    heard_only: bool = False

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.type is FieldType.CHOICE) != bool(self.choices):
            raise ValueError(f"{self.name}: choices belong to the type choice, and only to it")
        if (self.type is FieldType.LIST) != (self.merge is MergeRule.UNION):
            raise ValueError(f"{self.name}: the type list and the rule union belong together")
        if (self.merge is MergeRule.MOST_CONFIDENT) != (self.half_life_days is not None):
            raise ValueError(f"{self.name}: half_life_days belongs to most_confident, and only to it")
        if self.type is FieldType.NEXT_STEP and not self.heard_only:
            raise ValueError(f"{self.name}: a next_step is heard_only")
        return self


class TagDefinition(Title):
    """What a tag key is called, how fast its confidence fades, and whether only the last value counts."""

    key: str = Field(max_length=MAX_NAME_CHARS)
    half_life_days: float = Field(gt=0)
    merge: Literal[MergeRule.UNION, MergeRule.LATEST] = MergeRule.UNION


class LifecycleRules(BaseModel):
    """The bounds of the lifecycle stages."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    new_days: int = Field(gt=0)
    active_days: int = Field(gt=0)
    lost_days: int = Field(gt=0)
    loyal_purchases: int = Field(gt=1)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: int
    lifecycle: LifecycleRules
    groups: Mapping[str, Title]
    fields: tuple[FieldDefinition, ...]
    tags: tuple[TagDefinition, ...]


class Catalogue:
    """All field and tag definitions; ``digest`` changes with any of them."""

    def __init__(self, content: _File, digest: str) -> None:
        self.version = content.version
        self.digest = digest
        self.lifecycle = content.lifecycle
        self.groups = dict(content.groups)
        self.fields = {definition.name: definition for definition in content.fields}
        self.tags = {definition.key: definition for definition in content.tags}

    def field(self, name: str) -> FieldDefinition:
        """Return a field's definition; what the catalogue does not know is a custom field.

        A custom field is kept as ``custom.<name>``, takes any JSON value, and the latest one wins.
        """
        known = self.fields.get(name)
        if known is not None:
            return known
        shown = name.removeprefix(CUSTOM_PREFIX)
        return FieldDefinition.model_construct(
            name=name if name.startswith(CUSTOM_PREFIX) else CUSTOM_PREFIX + name,
            group="custom",
            type=FieldType.ANY,
            merge=MergeRule.LATEST,
            zh=shown,
            en=shown,
            choices={},
            sensitive=True,
            half_life_days=None,
            heard_only=False,
        )

    def tag(self, key: str) -> TagDefinition:
        """Return the definition of a tag key, or else of its first part; KeyError for neither."""
        return self.tags.get(key) or self.tags[key.split(".")[0]]


def parse_catalogue(text: str) -> Catalogue:
    """Read a catalogue from YAML; raises InvalidRules that names every mistake."""
    try:
        content = _File.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise InvalidRules("the field catalogue is not YAML") from error
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise InvalidRules(f"the field catalogue has mistakes: {wrong}") from error
    names = [definition.name for definition in content.fields]
    keys = [definition.key for definition in content.tags]
    twice = {name for name in (*names, *keys) if names.count(name) > 1 or keys.count(name) > 1}
    homeless = {definition.group for definition in content.fields} - set(content.groups)
    if twice or homeless:
        raise InvalidRules(f"the field catalogue repeats {sorted(twice)} or lacks groups {sorted(homeless)}")
    return Catalogue(content, hashlib.sha256(text.encode()).hexdigest())


@cache
def load_catalogue() -> Catalogue:
    """Return the catalogue that comes with the package; read once, when first asked for."""
    return parse_catalogue(files("huaxiang.profile").joinpath("catalogue.yaml").read_text(encoding="utf-8"))
