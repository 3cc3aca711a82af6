"""Turns scorecards into what a page shows: what the rules, the reviewer and the last word say, apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from huaxiang.console.clips import Clip, clip_of, searched_clip
from huaxiang.console.present import number
from huaxiang.console.texts import Texts
from huaxiang.core.types import Evidence, Scorecard, ScorecardItem, ScorecardSection
from huaxiang.quality.references import id_of
from huaxiang.quality.review.final_score import FinalItem, FinalScore
from huaxiang.quality.review.outcomes import CaseState, Outcome, outcome_of
from huaxiang.quality.verdicts import REASONS, reason_text

_STATES = {Outcome.PASSED: "passed", Outcome.FAILED: "failed", Outcome.NOT_APPLICABLE: "na"}


@dataclass(frozen=True, slots=True)
class OutcomeView:
    """What one of automatic, corrected, reviewed and settled says of an item; ``state`` as the item's."""

    name: str
    state: str


@dataclass(frozen=True, slots=True)
class ItemView:
    """One judged item: ``state`` is what holds of it, passed, failed or na.

    ``outcomes`` tells apart who said what, and is empty where only the rules judged.
    """

    id: str
    anchor: str
    title: str
    state: str
    points: str
    percent: int
    auto_fail: bool
    for_review: bool
    suggest_only: bool
    reason: str
    clips: tuple[tuple[Clip, str], ...]
    quotes: tuple[str, ...]
    window: Clip | None
    outcomes: tuple[OutcomeView, ...] = ()


@dataclass(frozen=True, slots=True)
class SectionView:
    """The items of one section; without a title where a scorecard has no sections."""

    title: str
    score: str
    items: tuple[ItemView, ...]


@dataclass(frozen=True, slots=True)
class ScorecardView:
    """A scorecard: ``share`` is score of possible in percent; None where nothing applied.

    ``automatic`` is the score that the rules gave, where another one holds.
    """

    definition: str
    title: str
    score: str
    possible: str
    share: int | None
    grade: str
    auto_failed: bool
    automatic: str
    state: str
    case_id: str | None
    sections: tuple[SectionView, ...]

    @property
    def items(self) -> tuple[ItemView, ...]:
        """All items, in order."""
        return tuple(item for section in self.sections for item in section.items)


def scorecard_views(
    scorecards: Sequence[Scorecard],
    text: Texts,
    finals: Mapping[str, FinalScore] | None = None,
    grades: Mapping[str, tuple[str, str]] | None = None,
) -> tuple[ScorecardView, ...]:
    """Return a recording's scorecards for the page, the main one first.

    ``finals`` has the score that holds by definition, ``grades`` its grade in Chinese and English where
    people changed it.
    """
    return tuple(
        _card(card, text, place, (finals or {}).get(card.definition), grades or {})
        for place, card in enumerate(scorecards)
    )


def title_of(text: Texts, identifier: str, zh: str, en: str) -> str:
    """Return a title in the page's language; the console's own word where the rules have none."""
    told = zh if text.language == "zh" else en
    if told and told != identifier:
        return told
    return text.words.get(f"item.{identifier}", zh or en or identifier)


def _card(
    card: Scorecard,
    text: Texts,
    place: int,
    final: FinalScore | None,
    grades: Mapping[str, tuple[str, str]],
) -> ScorecardView:
    score, possible = (final.score, final.possible) if final else (card.score, card.possible)
    changed = final is not None and final.changed
    zh, en = grades.get(card.definition, ("", "")) if changed else (card.grade, card.grade_en)
    judged = {item.id: item for item in final.items} if final else {}
    items = [_item(item, text, place, judged.get(item.id)) for item in card.items]
    return ScorecardView(
        definition=card.definition,
        title=title_of(text, id_of(card.definition), card.title, card.title_en),
        score=number(score),
        possible=number(possible),
        share=max(0, min(100, round(100 * score / possible))) if possible else None,
        grade=zh if text.language == "zh" else en or zh,
        auto_failed=final.auto_failed if final else card.auto_failed,
        automatic=f"{number(card.score)}/{number(card.possible)}" if changed else "",
        state=_case_state(final, text),
        case_id=final.case_id if final else None,
        sections=_sections(card, items, text, shows_scores=not changed),
    )


def _case_state(final: FinalScore | None, text: Texts) -> str:
    state = final.state if final else None
    return text(f"scorecard.case.{state.value}") if isinstance(state, CaseState) else ""


def _sections(
    card: Scorecard, items: Sequence[ItemView], text: Texts, *, shows_scores: bool
) -> tuple[SectionView, ...]:
    """Group items by their section; the scores of sections are those of the rules alone."""
    by_section: dict[str, list[ItemView]] = {}
    for item, view in zip(card.items, items, strict=True):
        by_section.setdefault(item.section, []).append(view)
    known = {section.id: section for section in card.sections}
    return tuple(
        _section(known.get(identifier), members, text, shows_scores=shows_scores)
        for identifier, members in by_section.items()
    )


def _section(
    section: ScorecardSection | None, items: Sequence[ItemView], text: Texts, *, shows_scores: bool
) -> SectionView:
    if section is None:
        return SectionView("", "", tuple(items))
    shown = f"{number(section.score)}/{number(section.possible)}" if section.possible else "–"
    title = title_of(text, section.id, section.title, section.title_en)
    return SectionView(title, shown if shows_scores else "", tuple(items))


def _item(item: ScorecardItem, text: Texts, place: int, final: FinalItem | None) -> ItemView:
    outcome = final.final if final else outcome_of(item.passed)
    points = final.final_points if final else item.points
    heard = ((clip_of(evidence), evidence) for evidence in item.evidence)
    clips: list[tuple[Clip, str]] = []
    silent: list[Evidence] = []
    for clip, evidence in heard:
        if clip is None:
            silent.append(evidence)
        else:
            clips.append((clip, evidence.quote))
    return ItemView(
        id=item.id,
        anchor=f"item-{item.id}" if place == 0 else f"item-{place}-{item.id}",
        title=title_of(text, item.id, item.title, item.title_en),
        state=_STATES[outcome],
        points="–" if outcome is Outcome.NOT_APPLICABLE else _points(points, item.possible),
        percent=round(100 * item.confidence),
        auto_fail=item.auto_fail,
        for_review=item.for_review and not (final and (final.reviewed or final.settled)),
        suggest_only=item.suggest_only,
        reason=_reason(item, text),
        clips=tuple(clips),
        quotes=tuple(evidence.quote for evidence in silent),
        window=searched_clip(item.window),
        outcomes=_outcomes(final, text),
    )


def _points(points: float, possible: float) -> str:
    """Return earned of possible points; taken ones alone, where nothing can be earned."""
    if not possible:
        return number(points) if points else ""
    return f"{number(points)}/{number(possible)}"


def _reason(item: ScorecardItem, text: Texts) -> str:
    """Return why an item does not apply, in the page's language where the reason has a code."""
    if item.reason_code not in REASONS:
        return item.reason
    detail = text.label("metric", item.reason_detail.split(".")[0]) if item.reason_detail else ""
    return reason_text(item.reason_code, detail, text.language)


def _outcomes(final: FinalItem | None, text: Texts) -> tuple[OutcomeView, ...]:
    if final is None:
        return ()
    said = (
        ("automatic", final.automatic),
        ("corrected", final.corrected if final.corrected is not final.automatic else None),
        ("reviewed", final.reviewed),
        ("settled", final.settled),
    )
    told = [OutcomeView(text(f"scorecard.outcome.{name}"), _STATES[one]) for name, one in said if one]
    return tuple(told) if len(told) > 1 else ()
