"""The entity grammar: one finding, with its quote and its value, for every entity said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from huaxiang.core.evidence import quote
from huaxiang.core.lexicon import Lexicon
from huaxiang.core.types import Finding, FindingKind, Json, Transcript
from huaxiang.core.zones import zone_of
from huaxiang.nlp.entities.lexicon import CompiledLexicon
from huaxiang.nlp.entities.names import NamedSpan, NameFinder, packaged_names
from huaxiang.nlp.entities.phones import find_phones
from huaxiang.nlp.entities.quantities import AmountMemory, find_quantities
from huaxiang.nlp.entities.time_grammar import find_times
from huaxiang.nlp.entities.time_resolution import resolve
from huaxiang.nlp.entities.words import jieba_words
from huaxiang.nlp.turn_findings import hearing

GRAMMAR = "entity-grammar @ 1"
LEXICON = "entity-lexicon @ 1"
# Under this an entity is offered for review: it is wrong as often as right.
FLOOR = 0.5
# Longer ones are runs of misheard words; the longest of each type in the corpus is shorter.
LONGEST_NAME = {"person": 6, "company": 9, "product": 12, "competitor": 8, "place": 9}
# Precision of each kind on the tuning part of the corpus, as measured; docs/entities.md has the run.
CONFIDENCE = {"phone": 0.99, "lexicon": 0.99, "time": 0.95, "money": 0.95, "money_bare": 0.9, "number": 0.88}


@dataclass(frozen=True, slots=True)
class _Entity:
    start: int
    end: int
    type: str
    value: Json
    confidence: float
    source: str


class EntityGrammar:
    """Finds money, numbers, times, telephone numbers and names in a transcript.

    ``lexicon`` holds a tenant's own names; ``names`` finds the others (the packaged model as it
    comes). Where findings overlap the surer source wins: lexicon, telephone number, a name that
    spans a whole quantity (三吨锂电叉车), time, quantity, other names.
    """

    def __init__(self, lexicon: Lexicon | None = None, names: NameFinder | None = None) -> None:
        self._lexicon = CompiledLexicon(lexicon or Lexicon())
        self._names = names or packaged_names(jieba_words())

    def find(
        self, transcript: Transcript, started_at: datetime | None = None, zone: str = "Asia/Shanghai"
    ) -> tuple[Finding, ...]:
        """Return the entities of every turn, in order.

        ``label`` is the entity's type. ``value`` is yuan for money, the count or measure for number,
        digits for phone, ISO 8601 for time (resolved against ``started_at``, aware, in ``zone``), the
        lexicon's spelling for a known name, and ``None`` where it was left open or is not known.
        """
        texts = [turn.text for turn in transcript.turns]
        memory = AmountMemory()
        for text in texts:
            memory.note(text)
        now = None if started_at is None else started_at.astimezone(zone_of(zone))
        names = [
            [span for span in spans if span.end - span.start <= LONGEST_NAME[span.type]]
            for spans in self._names.find(texts, [turn.role for turn in transcript.turns])
        ]
        return tuple(
            _finding(transcript, index, entity)
            for index, text in enumerate(texts)
            for entity in self._of_turn(text, memory, names[index], now)
        )

    def _of_turn(
        self, text: str, memory: AmountMemory, names: Sequence[NamedSpan], now: datetime | None
    ) -> list[_Entity]:
        quantities = _quantities(text, memory)
        covering = [name for name in names if any(_covers(name, quantity) for quantity in quantities)]
        ranked = [
            *(
                _Entity(h.start, h.end, h.type, h.name, CONFIDENCE["lexicon"], LEXICON)
                for h in self._lexicon.find(text)
            ),
            *(
                _Entity(p.start, p.end, "phone", p.digits, CONFIDENCE["phone"], GRAMMAR)
                for p in find_phones(text)
            ),
            *(self._named(name) for name in covering),
            *(
                _Entity(t.start, t.end, "time", resolve(t.parts, now), CONFIDENCE["time"], GRAMMAR)
                for t in find_times(text)
            ),
            *quantities,
            *(self._named(name) for name in names),
        ]
        kept: list[_Entity] = []
        for entity in ranked:
            if all(entity.end <= other.start or entity.start >= other.end for other in kept):
                kept.append(entity)
        return sorted(kept, key=lambda entity: entity.start)

    def _named(self, name: NamedSpan) -> _Entity:
        return _Entity(name.start, name.end, name.type, None, name.probability, self._names.source)


def _quantities(text: str, memory: AmountMemory) -> list[_Entity]:
    found = []
    for quantity in find_quantities(text, memory):
        bare = quantity.type == "money" and not quantity.explicit
        confidence = CONFIDENCE["money_bare" if bare else quantity.type]
        found.append(
            _Entity(quantity.start, quantity.end, quantity.type, quantity.value, confidence, GRAMMAR)
        )
    return found


def _covers(name: NamedSpan, quantity: _Entity) -> bool:
    inside = name.start <= quantity.start and quantity.end <= name.end
    return inside and name.end - name.start > quantity.end - quantity.start


def _finding(transcript: Transcript, index: int, entity: _Entity) -> Finding:
    evidence = quote(transcript, index, entity.start, entity.end)
    confidence = entity.confidence * hearing(transcript.turns[index], evidence)
    return Finding(
        kind=FindingKind.ENTITY,
        label=entity.type,
        value=entity.value,
        confidence=round(confidence, 4),
        source=entity.source,
        evidence=(evidence,),
        for_review=confidence < FLOOR,
    )
