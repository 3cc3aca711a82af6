"""``speaker``: voices of sellers, kept only where that is switched on and agreed to."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from huaxiang.api import bootstrap
from huaxiang.api.command.console import emit_json, emit_text, people
from huaxiang.api.serialise import time_json
from huaxiang.api.speakers import build_diarizer, voiceprint_cipher
from huaxiang.core.database import now, transaction
from huaxiang.core.lock import ModelLock
from huaxiang.core.settings import Settings, load_settings
from huaxiang.core.types import Json

if TYPE_CHECKING:
    from huaxiang.asr.diarization import Diarizer
    from huaxiang.asr.enrolment import VoiceSample
    from huaxiang.asr.voiceprints import Enrolment

app = typer.Typer(help="Voices of sellers: enrol, list, erase.", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="JSON on standard output.")]


@app.command("key")
def make_voiceprint_key() -> None:
    """Make a key to seal voices with; keep it apart from the database."""
    from huaxiang.asr.voiceprints import make_key

    emit_text(make_key())


@app.command("enrol")
def enrol(
    seller: Annotated[str, typer.Argument(help="The seller's name, as recordings carry it.")],
    files: Annotated[list[Path], typer.Argument(help="Recordings of the seller alone.", exists=True)],
    consent_by: Annotated[str, typer.Option(help="Who agreed that the voice is kept.")],
    consent_at: Annotated[datetime | None, typer.Option(help="When, in UTC; now if it is not said.")] = None,
    channel: Annotated[int | None, typer.Option(help="The seller's channel, from 0.", min=0)] = None,
    as_json: AsJson = False,
) -> None:
    """Keep a seller's voice, sealed, in place of the one that was kept before."""
    from huaxiang.asr.enrolment import enrolled_voice
    from huaxiang.asr.voiceprints import Consent, VoiceprintStore

    settings = load_settings()
    cipher = voiceprint_cipher(settings)
    diarizer = build_diarizer(settings, ModelLock.load(settings.user_lock))
    voice, speech_ms = enrolled_voice(
        seller, diarizer.encoder.name, _samples(settings, diarizer, files, channel)
    )
    consent = Consent(consent_by, consent_at.replace(tzinfo=UTC) if consent_at else now())
    storage = bootstrap.open_storage(settings)
    with transaction(storage.sessions) as session:
        kept = VoiceprintStore().enrol(session, cipher, voice, speech_ms, consent)
    _show([kept], as_json)


@app.command("list")
def list_enrolled(as_json: AsJson = False) -> None:
    """List whose voices are kept, and on whose word."""
    from huaxiang.asr.voiceprints import VoiceprintStore

    storage = bootstrap.open_storage(load_settings())
    with transaction(storage.sessions) as session:
        found = VoiceprintStore().list(session)
    _show(found, as_json)


@app.command("erase")
def erase(seller: str) -> None:
    """Erase a seller's voice for good; this works with enrolment switched off too."""
    from huaxiang.asr.voiceprints import VoiceprintStore

    storage = bootstrap.open_storage(load_settings())
    with transaction(storage.sessions) as session:
        erased = VoiceprintStore().erase(session, seller)
    people.print(f"erased {erased}", markup=False)


def _samples(
    settings: Settings, diarizer: Diarizer, files: Sequence[Path], channel: int | None
) -> Iterator[VoiceSample]:
    from huaxiang.asr.enrolment import voice_sample
    from huaxiang.asr.voice_activity import SileroVoiceActivity
    from huaxiang.core.audio import WavAudio

    decode, activity = bootstrap.build_decoder(settings), SileroVoiceActivity()
    for file in files:
        with tempfile.TemporaryDirectory(prefix="huaxiang-") as folder:
            decoded = Path(folder) / "decoded.wav"
            decode(file, decoded)
            yield voice_sample(diarizer, activity, WavAudio(decoded), channel, file.name)


def _show(found: Sequence[Enrolment], as_json: bool) -> None:
    for one in found:
        row: dict[str, Json] = {
            "id": one.id,
            "seller": one.seller,
            "encoder": one.encoder,
            "speech_ms": one.speech_ms,
            "consent_by": one.consent.given_by,
            "consent_at": time_json(one.consent.at),
            "created_at": time_json(one.created_at),
        }
        if as_json:
            emit_json(row)
        else:
            emit_text(f"{one.seller}\t{one.speech_ms / 1000:.0f} s\tconsent: {one.consent.given_by}")
