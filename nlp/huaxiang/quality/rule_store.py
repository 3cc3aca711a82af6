"""Keeps published scorecards and rule sets: every version stays, and nothing is ever overwritten.

What ships with the package is in use until a file of the same id is published, or it is retired.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from hashlib import sha256
from threading import Lock

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from huaxiang.core.database import now
from huaxiang.core.errors import Conflict, InvalidInput, InvalidRules, NotFound
from huaxiang.core.types import new_id
from huaxiang.quality.definition import Rule, RuleSet, ScorecardDefinition
from huaxiang.quality.loader import Definition, Parsed, parse, shipped_files, without_mistakes
from huaxiang.quality.mistakes import Mistake
from huaxiang.quality.references import id_of, parts_of
from huaxiang.quality.rule_tables import RuleFileKind, RuleRetirementRow, RuleVersionRow
from huaxiang.quality.rule_versions import Publication, Retirement, RuleFile, RuleVersion

MOST_NOTE_CHARS = 2000
_MOST_READ = 500


class RuleStore:
    """Publishes, retires, lists and reads rule files; flushes, and leaves the commit to the caller.

    Versions never change, so what was read once is remembered; threads may share one store.
    """

    def __init__(self) -> None:
        self._read: dict[tuple[str, str], Definition] = {}
        self._lock = Lock()

    def current(self, session: Session) -> tuple[ScorecardDefinition, ...]:
        """Return the scorecards in use, by id."""
        files = [file.definition for file in self.list(session) if file.in_use]
        return tuple(one for one in files if isinstance(one, ScorecardDefinition))

    def library(self, session: Session) -> Mapping[str, Rule]:
        """Return the rules of the rule sets in use, by id: what a new file may refer to."""
        return {rule.id: rule for rule, _ in _rules_in_use(self.list(session))}

    def list(self, session: Session) -> tuple[RuleFile, ...]:
        """Return every scorecard and rule set by id, those that ship with the package among them."""
        newest = _newest(session)
        retired = _retirements(session)
        shipped = {version.id: version for version in _shipped()}
        files = []
        for identifier in sorted({*newest, *shipped}):
            version = newest.get(identifier) or shipped[identifier]
            ended = retired.get(identifier)
            if ended and version.published_at and ended.at < version.published_at:
                ended = None
            files.append(RuleFile(version, self._definition(session, version), ended))
        return tuple(files)

    def get(self, session: Session, rule_id: str) -> RuleFile:
        """Return one file as it is now. Raises NotFound."""
        found = next((file for file in self.list(session) if file.id == rule_id), None)
        if found is None:
            raise NotFound("there is no scorecard or rule set of this id")
        return found

    def versions(self, session: Session, rule_id: str) -> tuple[RuleVersion, ...]:
        """Return all versions of a file, the newest first. Raises NotFound."""
        rows = session.scalars(select(RuleVersionRow).where(RuleVersionRow.id == rule_id))
        found = {row.version: _version(row) for row in rows}
        for version in _shipped():
            if version.id == rule_id:
                found.setdefault(version.version, version)
        if not found:
            raise NotFound("there is no scorecard or rule set of this id")
        return tuple(found[number] for number in sorted(found, reverse=True))

    def show(self, session: Session, rule_id: str, version: int | None = None) -> tuple[RuleVersion, str]:
        """Return a version (the newest if not given) and its text as it was written. Raises NotFound."""
        if version is None:
            version = self.get(session, rule_id).newest.version
        row = session.get(RuleVersionRow, (rule_id, version))
        if row is not None:
            return _version(row), row.text
        for definition, text in shipped_files():
            if (definition.id, definition.version) == (rule_id, version):
                return _shipped_version(definition, text), text
        raise NotFound("there is no such version of this file")

    def definition(self, session: Session, rule_id: str, version: int | None = None) -> Definition:
        """Return a version as it is read, its rules of other files those of its day. Raises NotFound."""
        return self._definition(session, self.show(session, rule_id, version)[0])

    def check(self, session: Session, text: str) -> tuple[Mistake, ...]:
        """Return the mistakes of a file that may refer to the rules in use."""
        return parse(text, self.library(session)).mistakes

    def plan(self, session: Session, text: str, *, by: str, note: str = "") -> Publication:
        """Return what publishing a file would do, and do nothing.

        Raises InvalidRules for mistakes, InvalidInput for too long a note, and Conflict where its version
        is taken, its id belongs to a file of the other kind, or another rule set has one of its rules.
        """
        _check_note(note)
        files = self.list(session)
        in_use = _rules_in_use(files)
        definition = _flawless(parse(text, {rule.id: rule for rule, _ in in_use}))
        digest = _digest(text)
        before = next((file for file in files if file.id == definition.id), None)
        holders = {rule.id: holder for rule, holder in in_use}
        pins = {name: holders[name] for name in sorted(definition.used_rules)}
        kind = _kind(definition)
        version = RuleVersion(definition.id, definition.version, kind, digest, pins, note, by, now())
        if before is not None:
            if before.newest.kind is not kind:
                raise Conflict(f"this id belongs to a {before.newest.kind.value}; give the file another")
            same = (before.newest.version, before.newest.sha256) == (definition.version, digest)
            if same and before.in_use:
                return Publication(before.newest, before.definition, before.newest, changed=False)
            newest = self.versions(session, definition.id)[0].version
            if definition.version <= newest:
                raise Conflict(f"version {newest} is there already; write version: {newest + 1} in the file")
        _refuse_taken_rules(definition, holders)
        return Publication(version, definition, before.newest if before else None)

    def publish(self, session: Session, text: str, *, by: str, note: str = "") -> Publication:
        """Make a file the version in use from now on; errors as ``plan``.

        Rule sets of the package that it refers to are stored with it, so that the version means the same
        after the package was renewed.
        """
        planned = self.plan(session, text, by=by, note=note)
        if not planned.changed:
            return planned
        for reference in sorted(set(planned.version.pins.values())):
            self.keep(session, reference)
        try:
            with session.begin_nested():
                session.add(_row(planned.version, text))
        except IntegrityError as error:
            raise Conflict("somebody else has just published this version; look at it first") from error
        return planned

    def keep(self, session: Session, reference: str) -> None:
        """Keep a file of the package that something stored refers to, so that a renewed package has it still.

        Those that it refers to itself are kept with it. Raises NotFound for an unknown reference
        ``id @ version``; what is published is kept anyway.
        """
        version, text = self.show(session, *parts_of(reference))
        if session.get(RuleVersionRow, (version.id, version.version)) is not None:
            return
        for other in sorted(set(version.pins.values())):
            self.keep(session, other)
        # Somebody else may keep it at the same time: then it is kept.
        with suppress(IntegrityError), session.begin_nested():
            session.add(_row(version, text))

    def retire(self, session: Session, rule_id: str, *, by: str, note: str = "") -> RuleFile:
        """Take a file out of use, until a new version is published; its scores stay.

        Scorecards that refer to a retired rule set go on with the rules of their day. Raises NotFound,
        and Conflict for a file that is not in use.
        """
        _check_note(note)
        self.plan_retirement(session, rule_id)
        row = RuleRetirementRow(id=new_id(), rule_id=rule_id, note=note, retired_by=by, retired_at=now())
        session.add(row)
        session.flush()
        return self.get(session, rule_id)

    def plan_retirement(self, session: Session, rule_id: str) -> RuleFile:
        """Return the file that would be taken out of use, and do nothing; errors as ``retire``."""
        file = self.get(session, rule_id)
        if not file.in_use:
            raise Conflict("the file is out of use already")
        return file

    def _definition(self, session: Session, version: RuleVersion) -> Definition:
        key = (version.reference, version.sha256)
        with self._lock:
            known = self._read.get(key)
        if known is not None:
            return known
        read = self._read_version(session, version)
        with self._lock:
            if len(self._read) >= _MOST_READ:
                self._read.clear()
            return self._read.setdefault(key, read)

    def _read_version(self, session: Session, version: RuleVersion) -> Definition:
        for definition, text in shipped_files():
            if version.shipped and (definition.reference, _digest(text)) == (
                version.reference,
                version.sha256,
            ):
                return definition
        _, text = self.show(session, version.id, version.version)
        library: dict[str, Rule] = {}
        for name, reference in version.pins.items():
            holder = self.definition(session, *parts_of(reference))
            library.update({rule.id: rule for rule in holder.rules if rule.id == name})
        return without_mistakes(parse(text, library), version.reference)


def _rules_in_use(files: Iterable[RuleFile]) -> Sequence[tuple[Rule, str]]:
    """Return the rules of the rule sets in use, each with the reference of its file."""
    sets = [file.definition for file in files if file.in_use]
    return [(rule, one.reference) for one in sets if isinstance(one, RuleSet) for rule in one.rules]


def _newest(session: Session) -> dict[str, RuleVersion]:
    """Return the newest published version of each file; copies of what ships are none."""
    last = (
        select(RuleVersionRow.id, func.max(RuleVersionRow.version).label("version"))
        .where(~RuleVersionRow.is_shipped)
        .group_by(RuleVersionRow.id)
        .subquery()
    )
    row = RuleVersionRow
    columns = (row.id, row.version, row.kind, row.sha256, row.pins, row.note, row.published_by)
    found = session.execute(
        select(*columns, row.published_at).join(last, (last.c.id == row.id) & (last.c.version == row.version))
    )
    return {one.id: RuleVersion(*one) for one in found}


def _retirements(session: Session) -> dict[str, Retirement]:
    """Return the last retirement of each file."""
    rows = session.scalars(select(RuleRetirementRow).order_by(RuleRetirementRow.retired_at))
    return {row.rule_id: Retirement(row.retired_at, row.retired_by, row.note) for row in rows}


def _version(row: RuleVersionRow) -> RuleVersion:
    published_at = None if row.is_shipped else row.published_at
    return RuleVersion(
        row.id, row.version, row.kind, row.sha256, row.pins, row.note, row.published_by, published_at
    )


def _row(version: RuleVersion, text: str) -> RuleVersionRow:
    """Return the row of a version; one that ships counts from when it is kept."""
    return RuleVersionRow(
        id=version.id,
        version=version.version,
        kind=version.kind,
        text=text,
        sha256=version.sha256,
        pins=dict(version.pins),
        note=version.note,
        published_by=version.published_by,
        published_at=version.published_at or now(),
        is_shipped=version.shipped,
    )


@cache
def _shipped() -> tuple[RuleVersion, ...]:
    return tuple(_shipped_version(definition, text) for definition, text in shipped_files())


def _shipped_version(definition: Definition, text: str) -> RuleVersion:
    sets = [one for one, _ in shipped_files() if isinstance(one, RuleSet)]
    holders = {rule.id: one.reference for one in sets for rule in one.rules}
    pins = {name: holders[name] for name in sorted(definition.used_rules)}
    return RuleVersion(
        definition.id, definition.version, _kind(definition), _digest(text), pins, "", "", None
    )


def _flawless(parsed: Parsed) -> Definition:
    """Return what was read; the error names no word of the file, which ``check`` does."""
    if parsed.mistakes or parsed.definition is None:
        count = len(parsed.mistakes)
        first = parsed.mistakes[0].line if parsed.mistakes else 1
        raise InvalidRules(
            f"the file has {count} mistakes, the first in line {first}; check it", mistakes=count
        )
    return parsed.definition


def _check_note(note: str) -> None:
    if len(note) > MOST_NOTE_CHARS:
        raise InvalidInput(f"a note has at most {MOST_NOTE_CHARS} characters")


def _refuse_taken_rules(definition: Definition, holders: Mapping[str, str]) -> None:
    """Refuse a rule set that brings a rule which another one has: a name has to mean one thing."""
    if not isinstance(definition, RuleSet):
        return
    for rule in definition.rules:
        holder = holders.get(rule.id)
        if holder is not None and id_of(holder) != definition.id:
            raise Conflict(f"the rule {rule.id} is in {holder} already; give this one another id")


def _kind(definition: Definition) -> RuleFileKind:
    return RuleFileKind.RULESET if isinstance(definition, RuleSet) else RuleFileKind.SCORECARD


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8")).hexdigest()
