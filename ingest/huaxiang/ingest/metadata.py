"""What a device, a form or a sidecar file says about a recording, read strictly."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar

from huaxiang.core.database import within_reach
from huaxiang.core.errors import InvalidInput, InvalidMetadata
from huaxiang.core.types import CallMetadata, Direction, Json, Setting
from huaxiang.core.zones import zone_of

_Value = TypeVar("_Value")
_Enum = TypeVar("_Enum", bound=StrEnum)

_MAX_CHARS = 200
_MAX_FILENAME_CHARS = 255
_MAX_AGENT_CHANNEL = 7
_TRUE, _FALSE = frozenset({"true", "yes", "1"}), frozenset({"false", "no", "0"})
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

KEYS = (
    "device",
    "started_at",
    "zone",
    "seller",
    "customer_ref",
    "direction",
    "setting",
    "agent_channel",
    "channel_map",
    "consent",
    "title",
    "filename",
)

# Written by common tus clients; they say nothing that is not said elsewhere.
_IGNORED = frozenset({"filetype", "name", "type", "relativePath"})


def parse_metadata(given: Mapping[str, Json], *, ignore_unknown: bool = False) -> CallMetadata:
    """Return what the keys say; values may be strings or JSON, an empty one says nothing.

    ``device``, ``seller``, ``customer_ref`` (CRM id or phone), ``title``: text. ``started_at``: ISO
    8601 with an offset. ``zone``: an IANA zone or offset. ``direction``: inbound or outbound.
    ``setting``: phone, onsite or meeting. ``consent``: true or false. ``agent_channel``: a number
    from 0; or ``channel_map``: who is on each channel, like ``agent,customer``. ``filename`` is read
    by ``parse_filename``.

    Raises InvalidMetadata naming the key, for an unknown key too unless ``ignore_unknown``.
    """
    if not ignore_unknown:
        _refuse_unknown(given)

    def value(key: str, parse: Callable[[str, Json], _Value]) -> _Value | None:
        said = given.get(key)
        if isinstance(said, str):
            said = said.strip()
        return None if said is None or said == "" else parse(key, said)

    started_at, zone = _consistent_start(value("started_at", _moment), value("zone", _zone_name))
    agent = _consistent_channel(value("agent_channel", _channel), value("channel_map", _channel_map))
    return CallMetadata(
        started_at=started_at,
        zone=zone,
        seller=value("seller", _reference),
        customer_ref=value("customer_ref", _reference),
        direction=value("direction", _one_of(Direction)),
        setting=value("setting", _one_of(Setting)),
        agent_channel=agent,
        consent=value("consent", _yes_or_no),
        title=value("title", _text),
        device=value("device", _reference),
    )


def parse_filename(given: Mapping[str, Json], default: str) -> str:
    """Return the last part of ``filename`` without control characters, or ``default``.

    Raises InvalidMetadata where it is no text.
    """
    value = given.get("filename") or given.get("name")
    if value is None or value == "":
        return default
    if not isinstance(value, str):
        raise _invalid("filename", "is text")
    return clean_filename(value) or default


def clean_filename(name: str) -> str:
    """Return the last part of a path as a name to show: no folders, no control characters, not long."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return _CONTROL.sub("", last).strip()[-_MAX_FILENAME_CHARS:]


def metadata_to_json(metadata: CallMetadata) -> dict[str, Json]:
    """Return the known fields as JSON; ``parse_metadata`` reads it back."""
    started_at = metadata.started_at
    if started_at is not None and metadata.zone is not None:
        started_at = started_at.astimezone(zone_of(metadata.zone))
    fields: dict[str, Json] = {
        "device": metadata.device,
        "started_at": started_at.isoformat() if started_at else None,
        "zone": metadata.zone,
        "seller": metadata.seller,
        "customer_ref": metadata.customer_ref,
        "direction": metadata.direction,
        "setting": metadata.setting,
        "agent_channel": metadata.agent_channel,
        "consent": metadata.consent,
        "title": metadata.title,
    }
    return {key: value for key, value in fields.items() if value is not None}


def metadata_from_json(stored: Mapping[str, Json]) -> CallMetadata:
    """Return stored metadata. Raises InvalidMetadata for what ``metadata_to_json`` cannot have written."""
    zone = stored.get("zone")
    return replace(parse_metadata(stored), zone=zone if isinstance(zone, str) else None)


def _refuse_unknown(given: Mapping[str, Json]) -> None:
    for key in given:
        if key not in KEYS and key not in _IGNORED:
            raise _invalid(key, f"is not known; the keys are {', '.join(KEYS)}")


def _invalid(key: str, message: str) -> InvalidMetadata:
    return InvalidMetadata(f"metadata key {_CONTROL.sub('', key)[:50]!r} {message}", key=key[:50])


def _text(key: str, value: Json) -> str:
    if not isinstance(value, str):
        raise _invalid(key, "is text")
    if _CONTROL.search(value):
        raise _invalid(key, "holds control characters")
    if len(value) > _MAX_CHARS:
        raise _invalid(key, f"is longer than {_MAX_CHARS} characters")
    return value


def _reference(key: str, value: Json) -> str:
    """A CRM may count its customers: a whole number is a reference too."""
    return _text(key, str(value) if isinstance(value, int) and not isinstance(value, bool) else value)


def _one_of(kind: type[_Enum]) -> Callable[[str, Json], _Enum]:
    def parse(key: str, value: Json) -> _Enum:
        try:
            return kind(str(value).lower())
        except ValueError as error:
            raise _invalid(key, f"is one of {', '.join(kind)}") from error

    return parse


def _yes_or_no(key: str, value: Json) -> bool:
    said = str(value).lower()
    if said not in _TRUE | _FALSE:
        raise _invalid(key, "is true or false")
    return said in _TRUE


def _channel(key: str, value: Json) -> int:
    if isinstance(value, bool) or not re.fullmatch(r"\d", str(value)) or int(str(value)) > _MAX_AGENT_CHANNEL:
        raise _invalid(key, f"is a number from 0 to {_MAX_AGENT_CHANNEL}")
    return int(str(value))


def _channel_map(key: str, value: Json) -> int:
    """Return the channel of the agent in ``agent,customer`` or ``["customer", "agent"]``."""
    if isinstance(value, str):
        names = [name.strip().lower() for name in value.split(",")]
    elif isinstance(value, list | tuple):
        names = [str(name).lower() for name in value]
    else:
        names = []
    if names.count("agent") != 1 or not set(names) <= {"agent", "customer", "unknown"}:
        raise _invalid(key, "names who is on each channel, the agent once, like agent,customer")
    return names.index("agent")


def _moment(key: str, value: Json) -> datetime:
    cure = "write it like 2026-03-01T10:00:00+08:00"
    try:
        moment = datetime.fromisoformat(_text(key, value))
    except ValueError as error:
        raise _invalid(key, f"is no ISO 8601 time; {cure}") from error
    if moment.tzinfo is None:
        raise _invalid(key, f"has no zone, so the moment is not known; {cure}")
    try:
        within_reach(moment)
    except InvalidInput as error:
        raise _invalid(key, f"is out of range; {cure}") from error
    return moment


def _zone_name(key: str, value: Json) -> str:
    name = _text(key, value)
    try:
        zone_of(name)
    except ValueError as error:
        raise _invalid(key, "is a time zone like Asia/Shanghai or an offset like +08:00") from error
    return name


def _consistent_start(started_at: datetime | None, zone: str | None) -> tuple[datetime | None, str | None]:
    """Return the start in UTC and the zone it was told in; the offset is the zone where none was named."""
    if started_at is None:
        return None, zone
    offset = started_at.utcoffset()
    if zone is None:
        zone = started_at.strftime("%z")
        zone = "UTC" if not offset else f"{zone[:3]}:{zone[3:5]}"
    elif offset and started_at.astimezone(zone_of(zone)).utcoffset() != offset:
        raise _invalid("zone", "does not have the offset of started_at; correct one of them")
    return started_at.astimezone(UTC), zone


def _consistent_channel(agent_channel: int | None, channel_map: int | None) -> int | None:
    if agent_channel is not None and channel_map is not None and agent_channel != channel_map:
        raise _invalid("channel_map", "and agent_channel disagree; send one of them")
    return channel_map if agent_channel is None else agent_channel
