"""Turns rule files, checks and examples into what the rules pages show. Pure functions, no database."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from huaxiang.console.present import clip_of, clock
from huaxiang.console.recording_view import local_time
from huaxiang.console.texts import Texts
from huaxiang.core.types import Evidence, Window
from huaxiang.quality.check import ExampleResult
from huaxiang.quality.definition import RuleSet, ScorecardDefinition
from huaxiang.quality.history.comparison_store import DONE, RUNNING, Tried
from huaxiang.quality.mistakes import Mistake
from huaxiang.quality.rule_versions import RuleFile, RuleVersion

_VERSION = re.compile(r"^(version:\s*)(\d+)", re.MULTILINE)
MOST_QUOTES = 4


@dataclass(frozen=True, slots=True)
class FileRow:
    """A scorecard or rule set in the list."""

    id: str
    title: str
    url: str
    version: int
    items: int
    published: str
    state: str
    tone: str


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version of a file."""

    version: int
    published: str
    note: str
    current: bool


@dataclass(frozen=True, slots=True)
class TriedRow:
    """A scorecard that somebody tried."""

    url: str
    name: str
    when: str
    by: str
    state: str
    tone: str


@dataclass(frozen=True, slots=True)
class MistakeView:
    """What is wrong in a file, where, and what to do about it."""

    line: int
    column: int
    message: str
    cure: str


@dataclass(frozen=True, slots=True)
class ExampleView:
    """What an example of a file came to."""

    line: int
    item: str
    agrees: bool
    verdict: str
    tone: str
    expected: str
    found: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What checking a file came to; ``examples`` is None where they were not run."""

    mistakes: tuple[MistakeView, ...] = ()
    summary: str = ""
    warning: str = ""
    examples: tuple[ExampleView, ...] | None = None

    @property
    def agreeing(self) -> int:
        """How many examples say what their author expects."""
        return sum(example.agrees for example in self.examples or ())


@dataclass(frozen=True, slots=True)
class QuoteView:
    """A quote with its place in the audio; None where there is none."""

    quote: str
    start_ms: int | None
    end_ms: int | None


@dataclass(frozen=True, slots=True)
class WindowView:
    """The stretch that was searched in vain."""

    label: str
    start_ms: int
    end_ms: int


def file_title(definition: ScorecardDefinition | RuleSet, text: Texts) -> str:
    """Return the title of a file in the page's language."""
    return definition.title_zh if text.language == "zh" else definition.title_en


def file_row(file: RuleFile, text: Texts, zone: tzinfo) -> FileRow:
    """Return a file for the list."""
    definition = file.definition
    is_scorecard = isinstance(definition, ScorecardDefinition)
    if not file.in_use:
        state, tone = text("rules.state.retired"), ""
    elif is_scorecard:
        state, tone = text("rules.state.in_use"), "good"
    else:
        state, tone = text("rules.state.set"), "accent"
    return FileRow(
        id=file.id,
        title=file_title(definition, text),
        url=f"/rules/{file.id}",
        version=file.newest.version,
        items=len(definition.items) if isinstance(definition, ScorecardDefinition) else len(definition.rules),
        published=published(file.newest, text, zone),
        state=state,
        tone=tone,
    )


def published(version: RuleVersion, text: Texts, zone: tzinfo) -> str:
    """Return when and by whom a version was published, or that it came with the package."""
    if version.published_at is None:
        return text("rules.shipped")
    return f"{local_time(version.published_at, zone)} · {version.published_by}"


def version_rows(
    versions: Sequence[RuleVersion], in_use: int | None, text: Texts, zone: tzinfo
) -> list[VersionRow]:
    """Return all versions of a file, the newest first."""
    return [
        VersionRow(version.version, published(version, text, zone), version.note, version.version == in_use)
        for version in versions
    ]


def tried_row(tried: Tried, text: Texts, zone: tzinfo) -> TriedRow:
    """Return a comparison for the list of those that were made."""
    state, tone = text("rules.tried.failed"), "bad"
    if tried.state == DONE:
        state, tone = text("rules.tried.done"), "good"
    elif tried.state == RUNNING:
        state, tone = text("rules.tried.running"), "accent"
    return TriedRow(
        url=comparison_url(tried.scorecard, tried.id),
        name=compared_name(tried, text),
        when=local_time(tried.created_at, zone),
        by=tried.created_by,
        state=state,
        tone=tone,
    )


def compared_name(tried: Tried, text: Texts) -> str:
    """Return what was compared with what, as ``general-sales @ 1 → general-sales @ 2``."""
    return f"{tried.against or text('rules.tried.new')} → {tried.definition}"


def comparison_url(scorecard: str, comparison_id: str) -> str:
    """Return the address of a comparison."""
    return f"/rules/{scorecard}/comparisons/{comparison_id}"


def mistake_views(mistakes: Iterable[Mistake], text: Texts) -> tuple[MistakeView, ...]:
    """Return the mistakes of a file in the page's language."""
    return tuple(
        MistakeView(mistake.line, mistake.column, *mistake.words(text.language)) for mistake in mistakes
    )


def example_views(results: Iterable[ExampleResult], text: Texts) -> tuple[ExampleView, ...]:
    """Return what examples came to, those that differ first."""
    views = [
        ExampleView(
            line=result.line,
            item=result.item,
            agrees=result.agrees,
            verdict=text("rules.examples.right") if result.agrees else text("rules.examples.wrong"),
            tone="good" if result.agrees else "bad",
            expected=_held(result.expected, text),
            found=_held(result.found, text),
        )
        for result in results
    ]
    return tuple(sorted(views, key=lambda view: view.agrees))


def with_next_version(source: str, newest: int) -> str:
    """Return a file's text with the version that comes after ``newest``; nothing else changes."""
    return _VERSION.sub(rf"\g<1>{newest + 1}", source, count=1)


def quote_views(evidence: Iterable[Evidence]) -> tuple[QuoteView, ...]:
    """Return the first quotes of some evidence."""
    views = []
    for one in list(evidence)[:MOST_QUOTES]:
        clip = clip_of(one)
        views.append(QuoteView(one.quote, clip.start_ms if clip else None, clip.end_ms if clip else None))
    return tuple(views)


def window_view(window: Window | None) -> WindowView | None:
    """Return the window that was searched; None where there is none, or no audio."""
    if window is None or window.start_ms is None or window.end_ms is None:
        return None
    label = f"{clock(window.start_ms)}–{clock(window.end_ms)}"
    return WindowView(label, window.start_ms, max(window.end_ms, window.start_ms + 1))


def _held(holds: bool | None, text: Texts) -> str:
    if holds is None:
        return text("scorecard.state.na")
    return text("rules.examples.holds") if holds else text("rules.examples.holds_not")
