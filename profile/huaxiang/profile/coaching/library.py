"""话术库: answers worth learning from, with their second of audio, kept only while their seller consents.

A manager adopts a passage; its history is added to and never rewritten. A seller who withdraws consent
takes every passage of theirs out at once, in the same transaction; to come back it has to be adopted
again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from huaxiang.core.database import now
from huaxiang.core.errors import Conflict, Forbidden, InvalidInput, NotFound
from huaxiang.core.types import Evidence, new_id
from huaxiang.profile.coaching.objections import Cell, Course, ObjectionMap, lower_bound
from huaxiang.profile.coaching.tables import LibraryEntryRow, LibraryEventRow, SellerRow
from huaxiang.profile.records import evidence_from, evidence_rows

MAX_TITLE_CHARS = 200
MAX_TAG_CHARS = 40
MAX_TAGS = 10
MAX_REASON_CHARS = 500
CONSENT_WITHDRAWN = "consent_withdrawn"
ADOPTED, EDITED, WITHDRAWN = "adopted", "edited", "withdrawn"


@dataclass(frozen=True, slots=True)
class Passage:
    """What is to be adopted: whose words, on which topic, and the quotes (at least one)."""

    recording_id: str
    seller: str
    topic: str
    turn: int
    evidence: tuple[Evidence, ...]
    answer: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to an entry."""

    kind: str
    title: str | None
    tags: tuple[str, ...]
    reason: str
    happened_at: datetime
    done_by: str


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as at present, with its whole history, oldest first."""

    id: str
    passage: Passage
    title: str
    tags: tuple[str, ...]
    adopted_at: datetime
    adopted_by: str
    withdrawn: bool
    history: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A course that the map suggests for the library; ``consents`` says whether it may be adopted."""

    course: Course
    cell: Cell
    consents: bool


class Library:
    """Keeps the library; flushes, and leaves the commit to the caller."""

    def adopt(self, session: Session, passage: Passage, title: str, tags: Iterable[str], *, by: str) -> Entry:
        """Put a passage into the library, or back into it.

        Raises Forbidden where its seller has not consented, Conflict where it is in already, and
        InvalidInput for a bad title or tags.
        """
        name, marks = _title(title), _tags(tags)
        if not self._consents(session, passage.seller):
            raise Forbidden("this seller has not consented to the library; ask them first")
        row = session.scalar(
            select(LibraryEntryRow).where(
                LibraryEntryRow.recording_id == passage.recording_id,
                LibraryEntryRow.topic == passage.topic,
                LibraryEntryRow.turn == passage.turn,
            )
        )
        if row is None:
            row = _entry_row(passage)
            session.add(row)
            session.flush()
        elif not self._entry(session, row).withdrawn:
            raise Conflict("this passage is in the library already")
        _note(session, row.id, ADOPTED, name, marks, "", by)
        return self._entry(session, row)

    def edit(self, session: Session, entry_id: str, title: str, tags: Iterable[str], *, by: str) -> Entry:
        """Give an entry another title and tags. Raises NotFound, InvalidInput, Conflict if withdrawn."""
        row = self._row(session, entry_id)
        if self._entry(session, row).withdrawn:
            raise Conflict("this entry was withdrawn; adopt the passage again")
        _note(session, row.id, EDITED, _title(title), _tags(tags), "", by)
        return self._entry(session, row)

    def withdraw(self, session: Session, entry_id: str, reason: str, *, by: str) -> Entry:
        """Take an entry out; its history stays. Raises NotFound; doing it twice changes nothing."""
        row = self._row(session, entry_id)
        if not self._entry(session, row).withdrawn:
            _note(session, row.id, WITHDRAWN, None, (), _reason(reason), by)
        return self._entry(session, row)

    def consent_changed(self, session: Session, seller: str, *, by: str) -> int:
        """Take out every entry of a seller who does not consent; return how many that were."""
        if self._consents(session, seller):
            return 0
        rows = session.scalars(select(LibraryEntryRow).where(LibraryEntryRow.seller_key == seller))
        shown = [entry for entry in self._entries(session, rows) if not entry.withdrawn]
        for entry in shown:
            _note(session, entry.id, WITHDRAWN, None, (), CONSENT_WITHDRAWN, by)
        return len(shown)

    def get(self, session: Session, entry_id: str) -> Entry:
        """Return an entry that is in the library. Raises NotFound for a withdrawn one too."""
        entry = self._entry(session, self._row(session, entry_id))
        if entry.withdrawn or not self._consents(session, entry.passage.seller):
            raise NotFound("there is no such entry in the library")
        return entry

    def list(self, session: Session, *, topic: str | None = None, tag: str | None = None) -> Sequence[Entry]:
        """Return what is in the library, newest first, of sellers who consent at this moment."""
        wanted = (
            select(LibraryEntryRow)
            .join(SellerRow, SellerRow.key == LibraryEntryRow.seller_key)
            .where(SellerRow.library_consent)
            .order_by(LibraryEntryRow.id.desc())
        )
        if topic is not None:
            wanted = wanted.where(LibraryEntryRow.topic == topic)
        entries = self._entries(session, session.scalars(wanted))
        return [e for e in entries if not e.withdrawn and (tag is None or tag in e.tags)]

    def suggested(
        self, session: Session, known: ObjectionMap, courses: Iterable[Course], consenting: frozenset[str]
    ) -> Sequence[Candidate]:
        """Return the best course of each objection's best cells that is not in the library, best first.

        A course is suggested where the objection was settled and the customer went on to a next step or
        a purchase; the cell's lower bound ranks first, then what followed.
        """
        taken = {(row.recording_id, row.topic, row.turn) for row in session.scalars(select(LibraryEntryRow))}
        cells = {(cell.objection, cell.answer): cell for cell in known.cells}
        found = [
            Candidate(course, cells[course.objection, course.answer], course.seller in consenting)
            for course in courses
            if course.settled
            and course.next_step
            and course.answer not in ("none", "forbidden")
            and course.seller is not None
            and (course.recording_id, f"objection.{course.objection}", course.turn) not in taken
        ]
        return sorted(found, key=lambda candidate: _worth(candidate, known), reverse=True)

    def _consents(self, session: Session, seller: str) -> bool:
        row = session.get(SellerRow, seller, populate_existing=True)
        return row is not None and row.library_consent

    def _row(self, session: Session, entry_id: str) -> LibraryEntryRow:
        row = session.get(LibraryEntryRow, entry_id)
        if row is None:
            raise NotFound("there is no such entry in the library")
        return row

    def _entry(self, session: Session, row: LibraryEntryRow) -> Entry:
        return self._entries(session, [row])[0]

    def _entries(self, session: Session, rows: Iterable[LibraryEntryRow]) -> Sequence[Entry]:
        found = list(rows)
        events: Mapping[str, list[Event]] = defaultdict(list)
        for row in session.scalars(
            select(LibraryEventRow)
            .where(LibraryEventRow.entry_id.in_([row.id for row in found]))
            .order_by(LibraryEventRow.id)
        ):
            events[row.entry_id].append(_event(row))
        return [_as_entry(row, events[row.id]) for row in found]


def passage_of(course: Course) -> Passage:
    """Return a course of an objection as a passage. Raises InvalidInput where no seller is known."""
    if course.seller is None:
        raise InvalidInput("nobody knows whose words these are")
    return Passage(
        recording_id=course.recording_id,
        seller=course.seller,
        topic=f"objection.{course.objection}",
        turn=course.turn,
        evidence=tuple(evidence for _, evidence in course.quotes),
        answer=course.answer,
    )


def _worth(candidate: Candidate, known: ObjectionMap) -> tuple[float, bool, float, float, str]:
    course = candidate.course
    won = course.outcome.value == "won"
    mood = course.mood_change or 0.0
    bound = lower_bound(candidate.cell.by(known.measure))
    return bound, won, mood, course.confidence, course.recording_id


def _entry_row(passage: Passage) -> LibraryEntryRow:
    return LibraryEntryRow(
        id=new_id(),
        recording_id=passage.recording_id,
        seller_key=passage.seller,
        topic=passage.topic,
        answer=passage.answer,
        turn=passage.turn,
        evidence=evidence_rows(passage.evidence),
        created_at=now(),
    )


def _as_entry(row: LibraryEntryRow, history: Sequence[Event]) -> Entry:
    titled = next(event for event in reversed(history) if event.kind != WITHDRAWN)
    adopted = next(event for event in reversed(history) if event.kind == ADOPTED)
    return Entry(
        id=row.id,
        passage=Passage(
            row.recording_id, row.seller_key, row.topic, row.turn, evidence_from(row.evidence), row.answer
        ),
        title=titled.title or "",
        tags=titled.tags,
        adopted_at=adopted.happened_at,
        adopted_by=adopted.done_by,
        withdrawn=history[-1].kind == WITHDRAWN,
        history=tuple(history),
    )


def _event(row: LibraryEventRow) -> Event:
    return Event(row.kind, row.title, tuple(row.tags), row.reason, row.happened_at, row.done_by)


def _note(
    session: Session, entry_id: str, kind: str, title: str | None, tags: Sequence[str], reason: str, by: str
) -> None:
    session.add(
        LibraryEventRow(
            id=new_id(),
            entry_id=entry_id,
            kind=kind,
            title=title,
            tags=list(tags),
            reason=reason,
            happened_at=now(),
            done_by=by,
        )
    )
    session.flush()


def _title(title: str) -> str:
    text = title.strip()
    if not text or len(text) > MAX_TITLE_CHARS or not text.isprintable():
        raise InvalidInput(f"a title has 1 to {MAX_TITLE_CHARS} printable characters")
    return text


def _tags(tags: Iterable[str]) -> tuple[str, ...]:
    marks = tuple(dict.fromkeys(tag.strip() for tag in tags if tag.strip()))
    if len(marks) > MAX_TAGS or any(len(tag) > MAX_TAG_CHARS or not tag.isprintable() for tag in marks):
        raise InvalidInput(f"at most {MAX_TAGS} tags of up to {MAX_TAG_CHARS} printable characters")
    return marks


def _reason(reason: str) -> str:
    return reason.strip()[:MAX_REASON_CHARS]
