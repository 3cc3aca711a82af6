"""References to versions of rule files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.core.errors import NotFound
from huaxiang.quality.references import id_of, parts_of, reference_to


@given(st.text(min_size=1, max_size=30), st.integers(0, 10**9 - 1))
def test_a_reference_names_the_id_and_the_version_that_it_was_made_of(identifier: str, version: int) -> None:
    made = reference_to(identifier, version)
    assert parts_of(made) == (identifier, version)
    assert id_of(made) == identifier


@pytest.mark.parametrize(
    "text", ["", "house", "house @ ", " @ 1", "house @ x", "house @ ²", "house @ 9999999999"]
)
def test_what_is_no_reference_names_nothing(text: str) -> None:
    with pytest.raises(NotFound):
        parts_of(text)
