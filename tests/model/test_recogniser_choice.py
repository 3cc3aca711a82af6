"""A recogniser of one's own: added with its sums, chosen by a setting, and heard with."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from huaxiang.api.command import app as main_app
from huaxiang.api.command.evaluate import show
from huaxiang.api.command.models import app
from huaxiang.api.recognisers import build_transcriber, local_recogniser
from huaxiang.asr.transcriber import Clip, Hints
from huaxiang.core.errors import ModelCorrupt, ModelNotLocked
from huaxiang.core.lock import ModelLock
from huaxiang.core.settings import Settings, load_settings


@pytest.fixture
def chosen(tmp_path: Path, models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Settings, Path]:
    """Settings that choose a copy of Whisper in a folder of the user's, which is not locked yet."""
    folder = tmp_path / "my-whisper"
    folder.mkdir()
    for file in ModelLock.load().ensure("whisper-base", models_dir).iterdir():
        if file.is_file():
            (folder / file.name).symlink_to(file)
    monkeypatch.setenv("HUAXIANG_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("HUAXIANG_CACHE_DIR", str(models_dir.parent))
    monkeypatch.setenv("HUAXIANG_RECOGNITION__MODEL", "my-whisper")
    return load_settings(), folder


@pytest.mark.model
def test_an_added_whisper_is_used_by_its_name(chosen: tuple[Settings, Path]) -> None:
    settings, folder = chosen
    with pytest.raises(ModelNotLocked, match="models add my-whisper DIR"):
        build_transcriber(settings, ModelLock.load(settings.user_lock))
    assert CliRunner().invoke(app, ["add", "my-whisper", str(folder), "--licence", "MIT"]).exit_code == 0
    transcriber = build_transcriber(settings, ModelLock.load(settings.user_lock))
    assert transcriber.name.startswith("my-whisper@")
    assert len(transcriber.name.split("@")[1]) == 7
    (result,) = transcriber.transcribe([Clip(np.zeros(0, np.float32), 0, 0)], Hints())
    assert result.words == ()
    (folder / "config.json").unlink()
    (folder / "config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ModelCorrupt, match=r"config\.json"):
        build_transcriber(settings, ModelLock.load(settings.user_lock))


def test_a_server_needs_no_local_recogniser(monkeypatch: pytest.MonkeyPatch) -> None:
    assert local_recogniser(load_settings()) == ("whisper-base", "sales-words")
    monkeypatch.setenv("HUAXIANG_RECOGNITION__RESCORING", "false")
    assert local_recogniser(load_settings()) == ("whisper-base",)
    for name, value in {
        "BACKEND": "server",
        "SERVER__URL": "http://127.0.0.1:9/v1",
        "SERVER__MODEL": "m",
    }.items():
        monkeypatch.setenv(f"HUAXIANG_RECOGNITION__{name}", value)
    settings = load_settings()
    assert local_recogniser(settings) == ()
    assert build_transcriber(settings, ModelLock.load()).name == "m@127.0.0.1:9"


@pytest.mark.model
def test_typed_conversations_need_no_recogniser(
    tmp_path: Path, models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUAXIANG_CACHE_DIR", str(models_dir.parent))
    monkeypatch.setenv("HUAXIANG_RECOGNITION__MODEL", "not-there")
    call = {"id": "typed", "channel": "phone", "turns": [{"role": "customer", "text": "一年8800？太贵了。"}]}
    given = tmp_path / "call.jsonl"
    given.write_text(json.dumps(call, ensure_ascii=False), encoding="utf-8")
    result = CliRunner().invoke(main_app, ["analyze", str(given), "--json"])
    assert result.exit_code == 0, type(result.exception)
    found = {(finding["label"], finding["value"]) for finding in json.loads(result.stdout)["findings"]}
    assert ("money", 8800) in found


def test_a_report_for_people_goes_where_it_can_be_piped(capsys: pytest.CaptureFixture[str]) -> None:
    show({"asr": {"cer": 0.25}}, as_json=False)
    shown = capsys.readouterr()
    assert "asr.cer" in shown.out
    assert shown.err == ""
