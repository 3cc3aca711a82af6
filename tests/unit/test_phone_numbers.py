"""Phone numbers have one form, and a reference is a phone only where it is written like one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.core.errors import InvalidInput
from huaxiang.profile.identity import normalise_phone, parse_reference


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("13800138000", "+8613800138000"),
        ("+86 138 0013 8000", "+8613800138000"),
        ("0086-138-0013-8000", "+8613800138000"),
        ("86 13800138000", "+8613800138000"),
        ("１３８００１３８０００", "+8613800138000"),
        ("013800138000", "+8613800138000"),
        ("010-62345678", "+861062345678"),
        ("(0755) 8888 6666", "+8675588886666"),
        ("400-820-8820", "+864008208820"),
        ("800 820 8820", "+868008208820"),
        ("+852 6123 4567", "+85261234567"),
        ("010-62345678转8001", "+861062345678;ext=8001"),
        ("010-62345678-8001", "+861062345678;ext=8001"),
        ("400-820-8820 分机 3", "+864008208820;ext=3"),
    ],
)
def test_a_number_has_one_form_however_it_is_written(written: str, number: str) -> None:
    assert normalise_phone(written) == number


@pytest.mark.parametrize(
    "written",
    [
        "",
        "62345678",
        "95588",
        "138****8000",
        "1380013*8000",
        "电话13800138000",
        "13800138000.0",
        "1380013800",
        "call me",
        "+",
        "12000000001",
    ],
)
def test_what_is_no_number_has_no_form(written: str) -> None:
    assert normalise_phone(written) is None


def test_a_number_without_country_code_belongs_to_the_country_that_is_set() -> None:
    assert normalise_phone("61234567", country="HK") == "+85261234567"


@given(st.from_regex(r"1[3-9]\d{9}|0\d{2,3}-?\d{7,8}(转\d{1,4})?|400\d{7}|\+\d{8,14}", fullmatch=True))
def test_normalising_twice_is_normalising_once(written: str) -> None:
    once = normalise_phone(written)
    if once is not None:
        assert normalise_phone(once) == once


@given(st.text(max_size=40))
def test_any_text_is_either_a_number_that_stays_or_none(written: str) -> None:
    once = normalise_phone(written)
    assert once is None or (once.startswith("+") and normalise_phone(once) == once)


@pytest.mark.parametrize(
    ("reference", "kind"),
    [
        ("13800138000", "phone"),
        ("+8613800138000", "phone"),
        ("021-62345678", "phone"),
        ("400-820-8820", "phone"),
        ("2024000123", "crm_id"),  # would be a landline in Guangzhou, if it had its 0
        ("2012345678", "crm_id"),
        ("C-1001", "crm_id"),
        ("62345678", "crm_id"),
        ("客户七号", "crm_id"),
    ],
)
def test_a_reference_is_a_phone_where_it_can_be_dialled_as_written(reference: str, kind: str) -> None:
    assert parse_reference(reference).kind == kind


@pytest.mark.parametrize(
    "reference", ["", "  ", "a\nb", "x" * 201, "138****8000", "138xxxx8000", "+86 138****8000"]
)
def test_a_reference_that_identifies_nobody_is_refused(reference: str) -> None:
    with pytest.raises(InvalidInput):
        parse_reference(reference)
