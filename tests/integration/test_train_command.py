"""``huaxiang train`` and ``eval nlp`` as people call them: what they take, and what they refuse."""

from __future__ import annotations

import gzip
import json
from hashlib import sha256
from pathlib import Path

import pytest
from typer.testing import CliRunner

from huaxiang.api.command import app
from huaxiang.core.errors import InvalidConversation


def written(path: Path, *ids: str) -> Path:
    """Write conversations of one turn, whose words differ for every id."""
    rows = [{"id": name, "turns": [{"role": "agent", "text": f"您好{name}"}]} for name in ids]
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    return path


def test_words_are_counted_in_all_files_but_in_no_call_that_is_held_out(tmp_path: Path) -> None:
    first, second = written(tmp_path / "a.jsonl", "甲", "乙"), written(tmp_path / "b.jsonl", "丙", "丁")
    calls = tmp_path / "calls"
    calls.mkdir()
    for name in ("乙", "丙"):
        (calls / f"{name}.json").touch()
    out = tmp_path / "words.gz"
    options = ["--held-out", str(calls), "--out", str(out), "--json"]
    done = CliRunner().invoke(app, ["train", "words", str(first), str(second), *options])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["words"]["conversations"] == 2
    document = json.loads(gzip.decompress(out.read_bytes()))
    assert document["made_from"] == {
        path.name: sha256(path.read_bytes()).hexdigest() for path in (first, second)
    }
    assert set("甲丁") <= set("".join(document["words"]))
    assert not set("乙丙") & set("".join(document["words"]))


def test_a_file_given_twice_is_not_counted_twice(tmp_path: Path) -> None:
    corpus, out = written(tmp_path / "a.jsonl", "甲"), tmp_path / "words.gz"
    with pytest.raises(InvalidConversation, match=r"two files are called a\.jsonl"):
        CliRunner().invoke(
            app, ["train", "words", str(corpus), str(corpus), "--out", str(out)], catch_exceptions=False
        )
    assert not out.exists()


@pytest.mark.parametrize("option", ["--beside", "--heard"])
def test_more_to_learn_from_is_refused_where_nothing_is_learned(tmp_path: Path, option: str) -> None:
    corpus = written(tmp_path / "a.jsonl", "甲")
    more = written(tmp_path / "b.jsonl", "乙") if option == "--beside" else tmp_path
    done = CliRunner().invoke(app, ["eval", "nlp", str(corpus), option, str(more)])
    assert done.exit_code == 2
    assert "--cross-validate" in done.output
