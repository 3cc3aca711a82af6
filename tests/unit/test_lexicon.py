"""A tenant's file of names: read from YAML or CSV, with all its mistakes and their lines at once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from huaxiang.api.command import app
from huaxiang.api.recognisers import build_hotwords, tenant_lexicon
from huaxiang.core.errors import InvalidRules
from huaxiang.core.lexicon import Lexicon, Name, read_lexicon
from huaxiang.core.settings import load_settings
from huaxiang.core.types import CallMetadata

NAMES = (
    Name("product", "云帆CRM"),
    Name("product", "录音工牌", ("工牌", "胸牌")),
    Name("competitor", "金谷云"),
)

YAML = """\
products:
- 云帆CRM
- {name: 录音工牌, aliases: [工牌, 胸牌]}
competitors: [金谷云]
places:
"""
CSV = "type,name,aliases\nproduct,云帆CRM,\nproduct,录音工牌,工牌|胸牌\ncompetitor,金谷云,\n"


def written(tmp_path: Path, name: str, content: str) -> Path:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("names.yaml", YAML),
        ("names.csv", CSV),
        ("names.csv", "\ufeff" + CSV.replace("\n", "\r\n").replace("|", "、")),
    ],
    ids=["yaml", "csv", "csv of a spreadsheet"],
)  # fmt: skip
def test_the_same_names_are_read_from_yaml_and_csv(tmp_path: Path, name: str, content: str) -> None:
    lexicon = Lexicon.load(written(tmp_path, name, content))
    assert lexicon.names == NAMES
    assert lexicon.forms == ("云帆CRM", "录音工牌", "工牌", "胸牌", "金谷云")


WRONG_YAML = """\
products:
- 云帆
- {name: 工牌, alias: [胸牌]}
- [深]
brands: [x]
competitors: 金谷云
companies:
- 云帆
- 甲，乙
- "……"
"""
WRONG_CSV = "type,name,aliases\nproduct,云帆,\nbrand,金谷,\nproduct,,\nproduct,甲,乙,丙\ncompany,云帆,\n"


@pytest.mark.parametrize(
    ("name", "content", "lines"),
    [
        ("names.yaml", WRONG_YAML, [3, 4, 5, 6, 8, 9, 10]),
        ("names.csv", WRONG_CSV, [3, 4, 5, 6]),
        ("names.csv", "name;type\n", [1]),
        ("names.yaml", "products: [", [1]),
        ("names.yaml", "- a\n", [1]),
        ("names.yaml", "products: [云帆, 云帆]\n", [1]),
    ],
)
def test_every_mistake_is_told_with_its_line(
    tmp_path: Path, name: str, content: str, lines: list[int]
) -> None:
    path = written(tmp_path, name, content)
    _, mistakes = read_lexicon(path)
    assert [mistake.line for mistake in mistakes] == lines
    with pytest.raises(InvalidRules, match=f"^{name}:{lines[0]}: ") as caught:
        Lexicon.load(path)
    assert "云帆" not in caught.value.message
    told = CliRunner().invoke(app, ["lexicon", "check", str(path), "--json"])
    assert told.exit_code == 1
    assert [mistake["line"] for mistake in json.loads(told.stdout)["mistakes"]] == lines


def test_a_good_file_is_counted_by_type(tmp_path: Path) -> None:
    path = written(tmp_path, "names.yaml", "products: [云帆, 工牌]\ncompetitors: [金谷云]\n")
    told = CliRunner().invoke(app, ["lexicon", "check", str(path)])
    assert told.exit_code == 0
    assert told.stdout.splitlines() == ["1 competitor, 2 product", "0 mistakes"]


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"x" * (5 * 1024**2)])
def test_a_file_that_is_no_text_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "names.yaml"
    path.write_bytes(content)
    with pytest.raises(InvalidRules, match=r"names\.yaml"):
        read_lexicon(path)


def test_one_setting_gives_the_names_to_recognition_and_language(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tenant_lexicon(load_settings()) == Lexicon()
    path = written(tmp_path, "names.yaml", "products: [云帆, 工牌]\n")
    monkeypatch.setenv("HUAXIANG_RECOGNITION__LEXICON", str(path))
    told = CallMetadata(seller="何小满")
    assert tenant_lexicon(load_settings()).forms == ("云帆", "工牌")
    assert build_hotwords(load_settings()).hints("zh", told).phrases == ()
    monkeypatch.setenv("HUAXIANG_RECOGNITION__BIAS_DECODING", "true")
    assert build_hotwords(load_settings()).hints("zh", told).phrases == ("云帆", "工牌", "何小满")
