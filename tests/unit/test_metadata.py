"""Metadata: read strictly, named where wrong, the same after storing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huaxiang.core.errors import InvalidMetadata
from huaxiang.core.types import CallMetadata, Direction, Json, Setting
from huaxiang.ingest.metadata import (
    clean_filename,
    metadata_from_json,
    metadata_to_json,
    parse_filename,
    parse_metadata,
)

FULL: dict[str, Json] = {
    "device": "badge-17",
    "started_at": "2026-03-01T10:00:00+08:00",
    "zone": "Asia/Shanghai",
    "seller": "he.yun",
    "customer_ref": "13800000000",
    "direction": "outbound",
    "setting": "phone",
    "agent_channel": "1",
    "consent": "true",
    "title": "续费回访",
    "filename": "a.mp3",
}


def test_every_key_is_read() -> None:
    assert parse_metadata(FULL) == CallMetadata(
        started_at=datetime(2026, 3, 1, 2, tzinfo=UTC),
        zone="Asia/Shanghai",
        seller="he.yun",
        customer_ref="13800000000",
        direction=Direction.OUTBOUND,
        setting=Setting.PHONE,
        agent_channel=1,
        consent=True,
        title="续费回访",
        device="badge-17",
    )
    assert parse_filename(FULL, "none") == "a.mp3"


def test_nothing_said_is_nothing_known() -> None:
    assert parse_metadata({}) == CallMetadata()
    assert parse_metadata({"seller": "", "consent": None, "title": "  "}) == CallMetadata()
    assert parse_filename({}, "upload") == "upload"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("started_at", "2026-03-01T10:00:00"),
        ("started_at", "yesterday"),
        ("started_at", 1767225600),
        ("started_at", "0001-01-01T00:00:00+14:00"),
        ("zone", "Beijing"),
        ("zone", "../etc/passwd"),
        ("zone", "Asia"),
        ("zone", "+99:00"),
        ("direction", "sideways"),
        ("setting", "online"),
        ("agent_channel", "-1"),
        ("agent_channel", "eight"),
        ("agent_channel", "8"),
        ("agent_channel", True),
        ("agent_channel", 0.5),
        ("channel_map", "customer,customer"),
        ("channel_map", "agent,agent"),
        ("channel_map", "agent,boss"),
        ("channel_map", 1),
        ("consent", "perhaps"),
        ("consent", 2),
        ("seller", "x" * 201),
        ("seller", ["a"]),
        ("customer_ref", 1.5),
        ("title", "two\nlines"),
        ("sellar", "he.yun"),
    ],
)
def test_a_bad_value_is_refused_by_its_key(key: str, value: Json) -> None:
    with pytest.raises(InvalidMetadata, match=f"'{key}'") as raised:
        parse_metadata({key: value})

    assert raised.value.context["key"] == key
    assert raised.value.status == 400


def test_a_time_without_a_zone_is_refused_with_the_cure() -> None:
    with pytest.raises(InvalidMetadata, match=r"has no zone.*2026-03-01T10:00:00\+08:00"):
        parse_metadata({"started_at": "2026-03-01T10:00:00", "zone": "Asia/Shanghai"})


def test_the_zone_of_a_time_is_kept_where_none_is_named() -> None:
    assert parse_metadata({"started_at": "2026-03-01T10:00:00+08:00"}).zone == "+08:00"
    assert parse_metadata({"started_at": "2026-03-01T10:00:00Z"}).zone == "UTC"
    assert (
        parse_metadata({"started_at": "2026-03-01T10:00:00Z", "zone": "Asia/Shanghai"}).zone
        == "Asia/Shanghai"
    )


def test_a_zone_that_contradicts_the_time_is_refused() -> None:
    with pytest.raises(InvalidMetadata, match="'zone'"):
        parse_metadata({"started_at": "2026-03-01T10:00:00+09:00", "zone": "Asia/Shanghai"})


@pytest.mark.parametrize(
    ("said", "channel"),
    [("agent,customer", 0), ("customer, agent", 1), (["customer", "agent"], 1), ("unknown,unknown,agent", 2)],
)
def test_a_channel_map_names_the_channel_of_the_agent(said: Json, channel: int) -> None:
    assert parse_metadata({"channel_map": said}).agent_channel == channel


def test_a_channel_map_may_repeat_the_agents_channel_but_not_contradict_it() -> None:
    assert parse_metadata({"channel_map": "customer,agent", "agent_channel": 1}).agent_channel == 1
    with pytest.raises(InvalidMetadata, match="'channel_map'"):
        parse_metadata({"channel_map": "customer,agent", "agent_channel": 0})


def test_what_tus_clients_add_is_passed_over_and_other_keys_where_asked() -> None:
    assert parse_metadata({"filetype": "audio/mpeg", "name": "a.mp3"}) == CallMetadata()
    assert parse_metadata({"voices": {"agent": "x"}}, ignore_unknown=True) == CallMetadata()


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("call.mp3", "call.mp3"),
        ("/etc/passwd", "passwd"),
        ("C:\\Recordings\\录音 1.wav", "录音 1.wav"),
        ("a\x00b\u2028.wav", "ab.wav"),
        ("../..", ".."),
        ("x" * 400 + ".wav", "x" * 251 + ".wav"),
    ],
)
def test_a_file_name_keeps_no_folder_and_no_control_character(given: str, kept: str) -> None:
    assert clean_filename(given) == kept


texts = st.text(st.characters(exclude_categories=("C", "Zl", "Zp")), min_size=1, max_size=200).filter(
    lambda text: text == text.strip()
)
offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
zones = st.one_of(
    st.none(), st.sampled_from(["Asia/Shanghai", "UTC", "America/New_York", "+05:30", "-03:00"])
)
moments = st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1), timezones=offsets).map(
    lambda moment: moment.astimezone(UTC)
)


@settings(deadline=None)
@given(
    st.builds(
        CallMetadata,
        started_at=st.one_of(st.none(), moments),
        zone=zones,
        seller=st.one_of(st.none(), texts),
        customer_ref=st.one_of(st.none(), texts),
        direction=st.one_of(st.none(), st.sampled_from(Direction)),
        setting=st.one_of(st.none(), st.sampled_from(Setting)),
        agent_channel=st.one_of(st.none(), st.integers(0, 7)),
        consent=st.one_of(st.none(), st.booleans()),
        title=st.one_of(st.none(), texts),
        device=st.one_of(st.none(), texts),
    )
)
def test_stored_metadata_reads_back_as_it_was(metadata: CallMetadata) -> None:
    assert metadata_from_json(metadata_to_json(metadata)) == metadata


@settings(deadline=None)
@given(
    st.dictionaries(
        st.one_of(st.sampled_from(sorted(FULL)), st.text(max_size=20)),
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=40)),
        max_size=6,
    )
)
def test_whatever_is_said_is_read_or_refused_by_name(given: dict[str, Json]) -> None:
    try:
        stored = metadata_to_json(parse_metadata(given))
    except InvalidMetadata as error:
        assert error.context["key"] in {key[:50] for key in given}  # noqa: PT017
    else:
        assert metadata_from_json(stored) == parse_metadata(given)
