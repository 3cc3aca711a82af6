"""Among what might have been heard, the words that people say are written."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from huaxiang.asr.language_model import WordTrigrams
from huaxiang.asr.lattice import Step, stretches
from huaxiang.asr.rescoring import Rescorer, RescoringOptions, is_han

ORDINARY = {"多少": 900, "钱": 800, "前": 900, "你们": 700, "这个": 700, "谦": 20, "天": 900, "少": 300}
RESCORER = Rescorer(
    WordTrigrams([("这个", "多少", "钱"), ("多少", "钱")] * 5, ORDINARY),
    ORDINARY,
    RescoringOptions(ordinary=1),
)

# An invented vocabulary: each token spells some bytes, as Whisper's do.
TOKENS = (
    *(text.encode() for text in ("多少", "前", "钱", "这个", "，", "3", "天", "你们")),
    "谦".encode()[:2],
    "谦".encode()[2:],
)
DOUBLE, BEFORE, MONEY, THIS, COMMA, DIGIT, DAY, YOU, HEAD, TAIL = range(len(TOKENS))


def sure(token: int) -> Step:
    return Step(token, -0.001)


def doubtful(token: int, *others: tuple[int, float]) -> Step:
    return Step(token, -0.7, ((token, -0.7), *others), floor=-9.0)


def rescored(*steps: Step) -> str:
    return RESCORER.rescored(stretches(steps, TOKENS.__getitem__, is_han))


def test_a_doubtful_homophone_becomes_the_word_that_people_say() -> None:
    assert rescored(sure(THIS), sure(DOUBLE), doubtful(BEFORE, (MONEY, -1.5))) == "这个多少钱"


def test_a_homophone_that_the_recogniser_did_not_list_is_found_by_its_sound() -> None:
    step = Step(BEFORE, -0.7, ((BEFORE, -0.7), (DAY, -2.0)), floor=-2.5)
    assert rescored(sure(THIS), sure(DOUBLE), step) == "这个多少钱"


def test_what_the_recogniser_is_sure_of_stays() -> None:
    assert rescored(sure(THIS), sure(DOUBLE), sure(BEFORE)) == "这个多少前"


def test_another_sound_needs_more_than_the_words_around_it() -> None:
    assert rescored(sure(THIS), sure(DOUBLE), doubtful(DAY, (MONEY, -6.0))) == "这个多少天"


def test_a_character_written_in_pieces_is_one_position() -> None:
    (stretch,) = stretches([sure(HEAD), sure(TAIL)], TOKENS.__getitem__, is_han)
    assert [position.char for position in stretch.positions] == ["谦"]


def test_a_character_that_shares_its_first_bytes_with_the_decoded_one_is_weighed_by_them() -> None:
    (stretch,) = stretches([doubtful(BEFORE, (HEAD, -1.0))], TOKENS.__getitem__, is_han)
    ((start, score),) = stretch.positions[0].begun
    assert "谦".encode().startswith(start)
    assert round(score, 6) == -0.3


def test_pieces_that_never_become_a_character_are_left_out() -> None:
    found = stretches([sure(HEAD), sure(COMMA)], TOKENS.__getitem__, is_han)
    assert RESCORER.rescored(found) == "，"


def test_what_is_not_han_stays_where_it_was() -> None:
    written = rescored(sure(DIGIT), sure(DAY), sure(COMMA), sure(DOUBLE), doubtful(BEFORE, (MONEY, -1.0)))
    assert written == "3天，多少钱"


steps = st.lists(
    st.builds(
        lambda token, log, others: Step(token, log, tuple((other, log - 1.0) for other in others), -12.0),
        st.sampled_from((DOUBLE, BEFORE, MONEY, THIS, COMMA, DIGIT, DAY, YOU)),
        st.floats(-6.0, 0.0),
        st.sets(st.sampled_from((BEFORE, MONEY, DAY, DOUBLE, THIS, HEAD)), max_size=3),
    ),
    max_size=12,
)


@given(steps)
def test_no_character_is_added_and_none_is_lost(heard: list[Step]) -> None:
    spelled = b"".join(TOKENS[step.token] for step in heard).decode()
    written = rescored(*heard)
    assert [is_han(char) for char in written] == [is_han(char) for char in spelled]
    assert [char for char in written if not is_han(char)] == [char for char in spelled if not is_han(char)]


@given(steps)
def test_the_same_alternatives_give_the_same_text(heard: list[Step]) -> None:
    assert rescored(*heard) == rescored(*heard)
