"""A rule file with twenty planted mistakes gets twenty messages, each with its line and its cause."""

from __future__ import annotations

import pytest
from yaml import safe_load

from huaxiang.quality.loader import parse
from huaxiang.quality.mistakes import mistake_words

PLANTED = """\
scorecard: planted
version: 0                                                         # not_number: 1 at least
title: {zh: 示例, en: Example}
base: 100
applies_to: {settings: [phone], directons: [inbound]}              # unknown_key
thresholds:
  - {id: fine, at_least: 60, title: {zh: 合格, en: Pass}}
  - {id: best, at_least: 90, title: {zh: 优秀, en: Excellent}}     # thresholds_order
conditions:
  opened: {act: greting}                                           # none_of
  round: {all: [{condition: about}]}
  about: {not: {condition: round}}                                 # cycle (where it closes)
sections:
  - id: talk
    title: {zh: 沟通}                                              # missing_key: en
    items:
      - id: first
        title: {zh: 一, en: One}
        points: much                                               # not_number
        passes_when: {condition: opend}                            # unknown_condition
      - id: first                                                  # id_twice
        title: {zh: 二, en: Two}
        points: 5
        passes_when: {rule: no-such-rule}                          # unknown_rule
      - id: second
        title: {zh: 三, en: Three}
        points: 5
        passes_when: {pattern: '(没有关上'}                        # bad_pattern
      - id: third
        title: {zh: 四, en: Four}
        points: 5
        applies_when: {metadata: setting, is: onsite}              # never_applies
        passes_when: {metric: talk_rato, above: 1}                 # unknown_metric
      - id: fourth
        title: {zh: 五, en: Five}
        points: 5
        passes_when: {metric: talk_ratio, above: 0.6, below: 0.4}  # empty_bounds
      - id: fifth
        title: {zh: 六, en: Six}
        points: 5
        passes_when: {act: greeting, above: 3}                     # does_not_go
      - id: sixth
        title: {zh: 七, en: Seven}
        points: 5
        passes_when: {keywords: 您好}                              # not_list
      - id: seventh
        title: {zh: 八, en: Eight}
        points: 5
        passes_when: {act: quote, place: {first: {turns: 0}}}      # empty_place
      - id: eighth
        title: {zh: 九, en: Nine}
        points: 5                                                  # passes_or_fails (at the item)
      - id: ninth
        title: {zh: 十, en: Ten}
        points: 5
        passes_when: {act: quote, place: {after: {metric: talk_ratio, above: 1}, turns: 2}}  # no_hits
      - id: tenth
        title: {zh: 十一, en: Eleven}
        points: 5
        passes_when: {silence: any}                                # needs_bound
"""
WANTED = [
    (2, "not_number"),
    (5, "unknown_key"),
    (8, "thresholds_order"),
    (10, "none_of"),
    (12, "cycle"),
    (15, "missing_key"),
    (19, "not_number"),
    (20, "unknown_condition"),
    (21, "id_twice"),
    (24, "unknown_rule"),
    (28, "bad_pattern"),
    (32, "never_applies"),
    (33, "unknown_metric"),
    (37, "empty_bounds"),
    (41, "does_not_go"),
    (45, "not_list"),
    (49, "empty_place"),
    (50, "passes_or_fails"),
    (56, "no_hits"),
    (60, "needs_bound"),
]


def test_twenty_planted_mistakes_get_twenty_messages_with_line_and_cause() -> None:
    mistakes = parse(PLANTED).mistakes
    assert [(mistake.line, mistake.code) for mistake in mistakes] == WANTED
    assert len(WANTED) == 20


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_message_names_cause_and_cure_in_both_languages(language: str) -> None:
    for mistake in parse(PLANTED).mistakes:
        cause, cure = mistake.words(language)
        assert cause
        assert cure
        assert "{" not in cause.replace("{key: value}", "").replace("{键: 值}", "")


def test_a_misspelt_word_is_told_the_nearest_right_one() -> None:
    by_line = {mistake.line: mistake for mistake in parse(PLANTED).mistakes}
    for line, word in ((5, "directions"), (10, "greeting"), (20, "opened"), (33, "talk_ratio")):
        assert word in by_line[line].cure
        assert word in by_line[line].words("zh")[1]


def test_every_kind_of_mistake_has_its_words_in_both_languages() -> None:
    for texts in mistake_words().values():
        assert set(texts) == {"en", "zh"}
        assert all(len(words) == 2 and all(words) for words in texts.values())


def test_the_planted_file_is_yaml_so_that_every_mistake_is_one_of_rules() -> None:
    assert safe_load(PLANTED)["scorecard"] == "planted"
