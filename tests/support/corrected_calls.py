"""Invented calls that are scored by the scorecards in use, so that a correction can change the score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from api_world import World, add_bare, add_call
from invented_call import invented_recording, invented_transcript

from huaxiang.api.progress import ProgressTeller
from huaxiang.api.services import Services
from huaxiang.core.database import transaction
from huaxiang.core.types import RecordingStatus, Role, Word, new_id
from huaxiang.quality.review.corrections import Change, CorrectionKind
from huaxiang.quality.review.outcomes import Actor

MEI = Actor("user:mei", "mei")
CALMER = "有点贵吧，我们现在用的那家一年才三千。"
PLAIN = "理解，价格是要算清楚。三千的那种不带录音和提醒。"


def add_scored_call(services: Services, **metadata: object) -> str:
    """Store the invented call, scored by the rules themselves, and return its id."""
    told = replace(invented_recording("").metadata, **metadata)  # type: ignore[arg-type]
    call = add_call(services, metadata=told, sha256=new_id().replace("-", "") * 2)
    with transaction(services.sessions) as session:
        form = services.corrections.form(session, call)
        grounds = services.inspecting.grounds(session, form.recording, form.transcript, form.insights)
    scorecards = services.inspecting.scorecards(grounds)
    with transaction(services.sessions) as session:
        services.scorecards.save_all(session, call, scorecards)
    return call


def correct(services: Services, call: str, *changes: Change, proposed: bool = False) -> None:
    """Correct a call, or propose it."""
    foreseen = services.corrections.foresee(call, changes, MEI, proposed=proposed)
    with transaction(services.sessions) as session:
        services.corrections.add(session, call, foreseen, MEI, proposed=proposed)


def text(turn: int, words: str) -> Change:
    """A changed text of a turn."""
    return Change(CorrectionKind.TURN_TEXT, turn=turn, text=words)


def store_words(services: Services, call: str, turn_index: int = 7) -> None:
    """Give one turn words, of which the first two were heard badly."""
    turn = invented_transcript(call).turns[turn_index]
    said = "".join(character for character in turn.text if character.isalnum())
    each_ms = (turn.end_ms - turn.start_ms) // len(said)
    words = tuple(
        Word(
            turn.start_ms + place * each_ms,
            turn.start_ms + (place + 1) * each_ms,
            character,
            0.2 if place < 2 else 0.95,
        )
        for place, character in enumerate(said)
    )
    with transaction(services.sessions) as session:
        transcript = services.transcripts.load(session, call)
        turns = tuple(
            replace(one, words=words) if one.index == turn_index else one for one in transcript.turns
        )
        services.transcripts.save(session, replace(transcript, turns=turns), "0" * 64)


def corrected_places(world: World, _: Sequence[object]) -> dict[str, str]:
    """Store a call with all that its page may show, and one in work; give their places."""
    services = world.services
    corrected = add_scored_call(services)
    store_words(services, corrected)
    correct(services, corrected, text(8, PLAIN))
    correct(services, corrected, Change(CorrectionKind.TURN_ROLE, turn=9, role=Role.AGENT), proposed=True)
    working = add_bare(services, status=RecordingStatus.PROCESSING)
    ProgressTeller(services.sessions, working, "transcribe")(0.42)
    return {"corrected": corrected, "working": working}
