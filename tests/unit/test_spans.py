"""Finding the clause that speaks for a label."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.nlp.spans import clauses, strongest_clauses

TEXT = "好的我知道了，那多少钱一年？我再看看。"


def _added(text: str, where: str, weight: float = 1.0) -> np.ndarray:
    added = np.zeros((len(text), 1), dtype=np.float32)
    start = text.index(where)
    added[start : start + len(where)] = weight
    return added


def _offsets(text: str) -> list[tuple[int, int]]:
    return [(place, place + 1) for place in range(len(text))]


def test_the_clause_with_the_evidence_is_quoted_without_its_punctuation() -> None:
    (span,) = strongest_clauses(TEXT, _offsets(TEXT), _added(TEXT, "多少钱"))
    assert TEXT[slice(*span)] == "那多少钱一年"


def test_evidence_spread_over_clauses_quotes_the_whole_turn() -> None:
    spread = _added(TEXT, "知道") + _added(TEXT, "多少") + _added(TEXT, "看看")
    assert strongest_clauses(TEXT, _offsets(TEXT), spread) == [(0, len(TEXT))]


def test_what_speaks_against_a_label_is_no_evidence_for_it() -> None:
    assert strongest_clauses(TEXT, _offsets(TEXT), _added(TEXT, "多少钱", -1.0)) == [(0, len(TEXT))]


def test_a_turn_of_one_clause_is_quoted_whole() -> None:
    assert strongest_clauses("多少钱", _offsets("多少钱"), _added("多少钱", "多少")) == [(0, 3)]


@given(st.text(alphabet="好，。？ a1", min_size=1, max_size=40))
def test_clauses_cover_the_text_without_gaps(text: str) -> None:
    spans = clauses(text)
    assert spans[0][0] == 0
    assert spans[-1][1] == len(text)
    assert all(one[1] == other[0] for one, other in pairwise(spans))
    assert all(start < end for start, end in spans)
