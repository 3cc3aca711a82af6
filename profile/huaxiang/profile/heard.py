"""The profile fields that one conversation fills: few, and only those that the words leave no doubt about.

* ``contact_phone``: a number that the customer gives.
* ``addressed_as`` (王总): whom the agent greets, where one single person is greeted.
* ``company``: whose person the agent asks for (请问是…的王女士吗).
* ``competitor_used``: a competitor that the customer says they use, in a turn that objects with it.
* ``next_step``: the next step agreed last, with its time where one was said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from huaxiang.core.types import (
    FieldValue,
    FindingKind,
    Insights,
    Json,
    Provenance,
    Recording,
    Role,
    Transcript,
)
from huaxiang.profile.claims import Claim, Conversation, Said, gathered, observed_at
from huaxiang.profile.identity import normalise_phone

RULE = "profile.heard@1"
GREETING_TURNS = 3

_HONORIFIC = (
    "总监|总工|总|董|先生|女士|小姐|太太|老师|教授|经理|主任|主管|老板|店长|厂长|站长|科长|队长|校长|院长"
    "|医生|律师|会计|师傅|阿姨|大哥|大姐|哥|姐|叔|工"
)
_ADDRESS = re.compile(rf"[\u4e00-\u9fff]{{1,2}}(?:{_HONORIFIC})")
_HELLO = r"(?:喂|您好|你好|哎呀?|诶|哈喽|嗨|哟|早上好|下午好|晚上好|请问|您|你|是|[，,。！!、\s])*"
_GREETED = re.compile(r"\s*(?:您好|你好|好|早|早上|上午|中午|下午|晚上|吗|吧|是吧|啊|呀|[，,。！!？?]|$)")
_ASKED = re.compile(r"\s*(?:是?吗|是?吧|在吗)")
_INTRODUCED = re.compile(r"(?:我是|我叫|我姓|叫我|这边是|这里是|我们是)[^，。！？,!?]{0,20}$")
_USES = re.compile(r"(?:一直|现在|早就|都|就|还)?(?:在用|用着|用了|用)(?:的|着|了)?(?:是|就是)?$")
_SOMEONE_ELSE = re.compile(r"同学|朋友|闺蜜|同事|他们|她们|人家|隔壁|邻居|亲戚|别人|没用|不用")
_CLAUSE_END = re.compile(r"[，,。！!？?；;]")
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def heard_fields(
    recording: Recording, transcript: Transcript, insights: Insights, country: str = "CN"
) -> tuple[FieldValue, ...]:
    """Return the fields that a conversation fills, one for each name and value, with evidence.

    ``country`` (ISO 3166) is where phone numbers without country code belong.
    """
    conversation = Conversation(transcript, insights)
    claims = (
        *gathered(_phones(conversation, country)),
        *gathered(_competitors(conversation)),
        *gathered(_greeted(conversation)),
        *_next_step(conversation),
    )
    return tuple(
        FieldValue(
            name=claim.key,
            value=claim.value,
            provenance=Provenance(
                source="conversation",
                source_id=recording.id,
                observed_at=observed_at(recording),
                confidence=claim.confidence,
                evidence=claim.evidence,
                rule=claim.source,
            ),
        )
        for claim in claims
    )


def _claim(said: Said, key: str, value: Json) -> Claim:
    """Return a claim of a rule here: it stands on the finding and names both."""
    return Claim(key, value, said.confidence, f"{RULE} on {said.finding.source}", said.finding.evidence)


def _phones(conversation: Conversation, country: str) -> Iterator[Claim]:
    for said in conversation.from_role(Role.CUSTOMER, FindingKind.ENTITY, "phone"):
        number = normalise_phone(str(said.finding.value or said.text), country)
        if number is not None:
            yield _claim(said, "contact_phone", number)


def _competitors(conversation: Conversation) -> Iterator[Claim]:
    settled = {said.turn.index for said in conversation.of_kind(FindingKind.OBJECTION, "competitor")}
    for said in conversation.from_role(Role.CUSTOMER, FindingKind.ENTITY, "competitor"):
        before = _CLAUSE_END.split(said.turn.text[: said.finding.evidence[0].char_start])[-1]
        if said.turn.index in settled and _USES.search(before) and not _SOMEONE_ELSE.search(before):
            yield _claim(said, "competitor_used", said.text)


def _greeted(conversation: Conversation) -> Iterator[Claim]:
    """Give whom the agent greets, and whose person that is, unless several people are greeted."""
    companies = list(conversation.from_role(Role.AGENT, FindingKind.ENTITY, "company"))
    for turn_index, people in _people_spoken_of(conversation).items():
        greeted = [person for person in people if _addressee(person) is not None]
        if len(greeted) != 1:
            continue
        (person,) = greeted
        if any(_named_right_after(other, person) for other in people if other is not person):
            continue
        yield _claim(person, "addressed_as", _addressee(person))
        for company in companies:
            if company.turn.index == turn_index and _belongs_to(company, person):
                yield _claim(company, "company", company.text)


def _people_spoken_of(conversation: Conversation) -> Mapping[int, list[Said]]:
    """Return the people named in the agent's first turns."""
    people: dict[int, list[Said]] = {}
    for said in conversation.from_role(Role.AGENT, FindingKind.ENTITY, "person"):
        if said.turn.index < GREETING_TURNS:
            people.setdefault(said.turn.index, []).append(said)
    return people


def _named_right_after(other: Said, person: Said) -> bool:
    """Return whether the greeting goes on to another person (梁总，钟厂，…; 温总好，莉莉好)."""
    between = person.turn.text[person.finding.evidence[0].char_end : other.finding.evidence[0].char_start]
    return re.fullmatch(r"(?:您好|你好|好)?[，,、]", between) is not None


def _addressee(person: Said) -> str | None:
    """Return how someone is addressed where their name follows nothing but a greeting or their firm."""
    span = person.finding.evidence[0]
    before, after = person.turn.text[: span.char_start], person.turn.text[span.char_end :]
    titled = _ADDRESS.fullmatch(span.quote)
    if not titled or _INTRODUCED.search(before) or not _GREETED.match(after):
        return None
    if re.fullmatch(_HELLO, before) or (_ASKED.match(after) and re.match(rf"{_HELLO}[^，,。！!]*$", before)):
        return span.quote
    return None


def _belongs_to(company: Said, person: Said) -> bool:
    """Return whether the firm stands right before the person whom the agent asks for."""
    firm, name = company.finding.evidence[0], person.finding.evidence[0]
    between = person.turn.text[firm.char_end : name.char_start]
    return (
        firm.char_end <= name.char_start
        and re.fullmatch(r"(?:[\u4e00-\u9fff]{0,6}的)?", between) is not None
        and re.fullmatch(_HELLO, person.turn.text[: firm.char_start]) is not None
        and _ASKED.match(person.turn.text[name.char_end :]) is not None
    )


def _next_step(conversation: Conversation) -> Iterator[Claim]:
    agreed = list(conversation.agreed_steps())
    if not agreed:
        return
    last = max(agreed, key=lambda said: (said.turn.index, said.confidence, said.finding.label))
    due_at, due_text = _due(conversation, last)
    value: dict[str, Json] = {
        "kind": last.finding.label,
        "text": last.text,
        "due_at": due_at,
        "due_text": due_text,
    }
    yield _claim(last, "next_step", value)


def _due(conversation: Conversation, step: Said) -> tuple[str | None, str | None]:
    """Return when a step is due, as ISO 8601 where the day is known, and as it was said.

    That is the time in the step's own value, else the first one said in the turns that it stands on.
    """
    value = step.finding.value
    if isinstance(value, Mapping) and value.get("due_text"):
        return _day_or_none(value.get("due_at")), str(value["due_text"])
    turns = {evidence.turn for evidence in step.finding.evidence}
    times = [said for said in conversation.of_kind(FindingKind.ENTITY, "time") if said.turn.index in turns]
    if not times:
        return None, None
    first = min(times, key=lambda said: (said.turn.index, said.finding.evidence[0].char_start))
    return _day_or_none(first.finding.value), first.finding.evidence[0].quote


def _day_or_none(moment: Json) -> str | None:
    return moment if isinstance(moment, str) and _ISO_DAY.match(moment) else None
