"""A CRM document that cannot be taken is refused with the names of its fields, never with their values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest

from huaxiang.core.database import now
from huaxiang.core.errors import InvalidField, InvalidInput
from huaxiang.core.types import Json
from huaxiang.profile.catalogue import load_catalogue
from huaxiang.profile.crm import CrmIntake
from huaxiang.profile.customers import CustomerStore
from huaxiang.profile.identity import clean_crm_id
from huaxiang.profile.values import Locale, time_text

INTAKE = CrmIntake(CustomerStore(), load_catalogue(), Locale())
VALUES = ("old", "soon", "unknown-word", "上海", "13800138000", "demo")


@pytest.mark.parametrize(
    ("document", "named"),
    [
        ({"fields": {"age": "old", "birthday": "soon", "city": "上海"}}, "age,birthday"),
        ({"fields": {"sex": "unknown-word"}}, "sex"),
        ({"fields": {"next_step": "demo"}}, "next_step"),
        ({"fields": {"a\nb": 1}}, "fields[1]"),
        ({"fields": {"门" * 58: 1}}, "fields[1]"),
        ({"fields": {"门店": 1, "custom.门店": 2}}, "custom.门店"),
        ({"fields": [1]}, "fields"),
        ({"fields": {"city": {"value": "上海", "observed_at": "2026-11-01"}}}, "city"),
        ({"phones": ["13800138000", "12"]}, "phones"),
        ({"phones": "13800138000"}, "phones"),
        ({"observed_at": "2026-11-01T09:00:00"}, "observed_at"),
        ({"observed_at": time_text(now() + timedelta(days=30))}, "observed_at"),
    ],
)
def test_every_wrong_field_is_named_and_no_value_is(document: Mapping[str, Json], named: str) -> None:
    with pytest.raises(InvalidField) as refused:
        INTAKE.read(document)
    assert refused.value.context["fields"] == named
    assert not any(value in refused.value.message for value in VALUES)


def test_a_key_that_a_document_does_not_have_is_refused() -> None:
    with pytest.raises(InvalidInput, match="fields, phones and observed_at"):
        INTAKE.read({"name": "王小明"})


@pytest.mark.parametrize("external_id", ["", "  ", "x" * 201, "C\n1"])
def test_an_unusable_id_is_refused(external_id: str) -> None:
    with pytest.raises(InvalidInput):
        clean_crm_id(external_id)
