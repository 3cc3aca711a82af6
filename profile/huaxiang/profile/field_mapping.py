"""Says which column of a CSV file is which field of a customer, in YAML.

::

    id: 客户编号                # the column with the CRM id
    delimiter: ","
    encoding: gb18030          # utf-8 and gb18030 are told apart without it
    observed_at: 更新时间       # the column that says when a row was true
    zone: Asia/Shanghai        # of times without offset
    empty: keep                # an empty cell leaves the field alone; "clear" clears it
    columns:
      姓名: {field: name}
      性别: {field: sex, values: {先生: male, 女士: female}}
      生日: {field: birthday, format: "%Y/%m/%d"}
      标签: {field: favourite_categories, split: "、"}
      门店: {field: 门店编号, type: text}       # not in the catalogue: a custom field, with its type
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from huaxiang.core.errors import InvalidInput
from huaxiang.core.types import Json
from huaxiang.profile.catalogue import Catalogue, FieldDefinition, FieldType
from huaxiang.profile.values import BadValue, Locale, read_value

SIMPLE_TYPES = (
    FieldType.TEXT,
    FieldType.INTEGER,
    FieldType.NUMBER,
    FieldType.YUAN,
    FieldType.BOOLEAN,
    FieldType.DATE,
    FieldType.DATETIME,
)


class ColumnMapping(BaseModel):
    """One column: its field, and how a cell becomes a value of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    field: str = Field(min_length=1)
    type: FieldType | None = None
    values: Mapping[str, str | int | float | bool | None] = Field(default_factory=dict)
    format: str | None = None
    split: str | None = Field(None, min_length=1)


class FieldMapping(BaseModel):
    """A whole mapping; see the module for what each key means."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    columns: Mapping[str, ColumnMapping] = Field(min_length=1)
    delimiter: str = Field(",", min_length=1, max_length=1)
    encoding: str | None = None
    observed_at: str | None = None
    zone: str | None = None
    empty: Literal["keep", "clear"] = "keep"

    @property
    def wanted(self) -> tuple[str, ...]:
        """The columns that the file has to have."""
        times = (self.observed_at,) if self.observed_at else ()
        return tuple(dict.fromkeys((self.id, *times, *self.columns)))

    def locale(self, country: str) -> Locale:
        """Return how this file's bare values are to be read."""
        return Locale(country, _zone(self.zone))


def parse_mapping(text: str, catalogue: Catalogue) -> FieldMapping:
    """Read a mapping from YAML; raises InvalidInput that names every mistake."""
    try:
        mapping = FieldMapping.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise InvalidInput("the field mapping is not YAML") from error
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise InvalidInput(f"the field mapping has mistakes: {wrong}") from error
    wrong = "; ".join(
        f"{name}: {problem}"
        for name, column in mapping.columns.items()
        if (problem := _problem(column, catalogue))
    )
    if wrong:
        raise InvalidInput(f"the field mapping has mistakes: {wrong}")
    _zone(mapping.zone)
    return mapping


def read_cell(column: ColumnMapping, definition: FieldDefinition, cell: str, locale: Locale) -> Json:
    """Return a cell as its field's value, None for an empty one; raises BadValue."""
    text = cell.strip()
    if not text:
        return None
    value: Json = text
    if column.values:
        if text not in column.values:
            raise BadValue(f"not one of the {len(column.values)} values that the mapping knows")
        value = column.values[text]
    elif column.format:
        value = _in_format(text, column.format, definition)
    elif column.split:
        value = text.split(column.split)
    if column.type and definition.type is FieldType.ANY:
        definition = definition.model_copy(update={"type": column.type})
    return read_value(definition, value, locale)


def _in_format(text: str, pattern: str, definition: FieldDefinition) -> str:
    try:
        moment = datetime.strptime(text, pattern)  # the locale adds the zone
    except ValueError as error:
        raise BadValue(f"not a time written as {pattern}") from error
    return moment.date().isoformat() if definition.type is FieldType.DATE else moment.isoformat()


def _problem(column: ColumnMapping, catalogue: Catalogue) -> str | None:
    definition = catalogue.field(column.field)
    custom = definition.type is FieldType.ANY
    if definition.heard_only:
        return "is heard in conversations, not imported"
    if column.type and custom and column.type not in SIMPLE_TYPES:
        return f"type is one of {', '.join(SIMPLE_TYPES)}"
    if column.type and not custom and column.type is not definition.type:
        return f"{column.field} has the type {definition.type}"
    if sum(bool(way) for way in (column.values, column.format, column.split)) > 1:
        return "takes one of values, format and split"
    return None


def _zone(name: str | None) -> tzinfo | None:
    if name is None or name == "UTC":
        return UTC if name else None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise InvalidInput("zone is an IANA name such as Asia/Shanghai") from error
