"""docs/profile.md says what the code does: its tables name what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from huaxiang.profile.catalogue import FieldType, MergeRule, load_catalogue
from huaxiang.profile.field_mapping import parse_mapping
from huaxiang.profile.lifecycle import STAGE_TITLES

TEXT = (Path(__file__).parents[2] / "docs" / "profile.md").read_text(encoding="utf-8")


def rows_under(heading: str) -> list[list[str]]:
    """Return the cells of the tables between a heading and the next one of its rank or above."""
    rank = heading.split(" ")[0]
    section = re.split(rf"^{heading}$", TEXT, flags=re.MULTILINE)[1]
    section = re.split(rf"^#{{1,{len(rank)}}} ", section, flags=re.MULTILINE)[0]
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in section.splitlines()
        if line[:1] == "|"
    ]


def test_every_merge_rule_and_type_is_described() -> None:
    named = set(re.findall(r"`(\w+)`", " ".join(row[0] for row in rows_under("## Fields"))))
    assert named >= {rule.value for rule in MergeRule}
    assert named >= {kind.value for kind in FieldType} - {FieldType.ANY, FieldType.NEXT_STEP}


def test_the_tags_merge_as_the_table_says() -> None:
    catalogue = load_catalogue()
    described = {row[0].strip("`").split(".<")[0]: row[2] for row in rows_under("## Tags")[2:]}
    assert set(described) == {
        key for key in catalogue.tags if key.split(".")[0] not in ("intent", "objection")
    } | {
        "intent",
        "objection",
    }
    for key, definition in catalogue.tags.items():
        assert described.get(key, described.get(key.split(".")[0])) == definition.merge


def test_the_lifecycle_table_has_every_stage_and_the_bounds_of_the_catalogue() -> None:
    rows = rows_under("## Lifecycle")[2:]
    for stage, title in STAGE_TITLES.items():
        assert any(stage.value in row[0] and title in row[1] for row in rows)
    numbers = {int(number) for row in rows for number in re.findall(r"\d+", row[2])}
    rules = load_catalogue().lifecycle
    assert numbers == {rules.new_days, rules.active_days, rules.lost_days}
    assert rules.loyal_purchases == 3
    assert "three times" in rows[2][2]


def test_the_mapping_of_the_document_is_one() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", TEXT, flags=re.DOTALL)
    assert len(parse_mapping(example, load_catalogue()).columns) == 5


@pytest.mark.parametrize(
    "field", ["contact_phone", "addressed_as", "company", "competitor_used", "next_step"]
)
def test_the_heard_fields_are_in_the_catalogue(field: str) -> None:
    assert field in load_catalogue().fields
    assert any(row[0] == f"`{field}`" for row in rows_under("### From conversations"))
