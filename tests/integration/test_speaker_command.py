"""``huaxiang speaker``: keys are made, and kept voices listed and erased, without a model or a key."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from huaxiang.api import bootstrap
from huaxiang.api.command import app
from huaxiang.asr.speaker_encoder import KnownVoice
from huaxiang.asr.voiceprints import Consent, VoiceprintCipher, VoiceprintStore, make_key
from huaxiang.core.database import transaction
from huaxiang.core.errors import Forbidden, NotFound
from huaxiang.core.settings import load_settings

CONSENT = Consent("小何", datetime(2026, 3, 1, 8, tzinfo=UTC))


@pytest.fixture(autouse=True)
def _own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUAXIANG_DATA_DIR", str(tmp_path / "data"))


def keep_a_voice(seller: str) -> None:
    storage = bootstrap.open_storage(load_settings())
    voice = KnownVoice(seller, "e@1", np.eye(1, 256, dtype=np.float32)[0])
    with transaction(storage.sessions) as session:
        VoiceprintStore().enrol(session, VoiceprintCipher(make_key()), voice, 42_000, CONSENT)
    storage.engine.dispose()


def listed() -> list[dict[str, object]]:
    result = CliRunner().invoke(app, ["speaker", "list", "--json"])
    assert result.exit_code == 0
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_made_key_seals_voices_and_is_never_made_twice() -> None:
    keys = {CliRunner().invoke(app, ["speaker", "key"]).stdout.strip() for _ in range(2)}
    assert len({VoiceprintCipher(key).key_id for key in keys}) == 2


def test_kept_voices_are_listed_with_their_consent_and_erased_with_enrolment_off() -> None:
    keep_a_voice("小何")
    keep_a_voice("小林")
    assert [(one["seller"], one["consent_by"]) for one in listed()] == [("小何", "小何"), ("小林", "小何")]
    assert CliRunner().invoke(app, ["speaker", "erase", "小何"]).exit_code == 0
    assert [one["seller"] for one in listed()] == ["小林"]
    assert isinstance(CliRunner().invoke(app, ["speaker", "erase", "小何"]).exception, NotFound)


def test_no_voice_is_made_while_enrolment_is_off(tmp_path: Path) -> None:
    file = tmp_path / "a.wav"
    file.touch()
    result = CliRunner().invoke(app, ["speaker", "enrol", "小何", str(file), "--consent-by", "小何"])
    assert isinstance(result.exception, Forbidden)
    assert listed() == []


def test_a_voice_needs_somebody_who_agreed(tmp_path: Path) -> None:
    file = tmp_path / "a.wav"
    file.touch()
    assert CliRunner().invoke(app, ["speaker", "enrol", "小何", str(file)]).exit_code == 2
