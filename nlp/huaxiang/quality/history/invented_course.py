"""How an invented conversation goes: which lines are said, by the seller's style and by chance."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from huaxiang.core.types import Role
from huaxiang.quality.history import invented_lines as lines
from huaxiang.quality.history.invented_lines import Trade

Line = tuple[Role, str]
_AGENT, _CUSTOMER = Role.AGENT, Role.CUSTOMER
_BASE, _PER_QUESTION, _PER_ANSWER, _PER_LAPSE, _PER_CASE = -2.4, 0.45, 1.1, -1.3, 0.5
_OPEN_MARGIN = 0.25


@dataclass(frozen=True, slots=True)
class Style:
    """How a seller works: probabilities of doing something, and the pace of speech.

    ``questions`` is the mean number of questions asked; ``lapses`` the probability, at each chance, of
    a forbidden word.
    """

    greets: float
    asks_leave: float
    questions: int
    proves: float
    answers: float
    lapses: float
    ms_per_character: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Who talks to whom about what."""

    trade: Trade
    seller: str
    customer: str
    style: Style


@dataclass
class _Talk:
    """What has been said so far, and what it is worth to the outcome (log odds of a sale)."""

    rng: random.Random
    plan: Plan
    said: list[Line] = field(default_factory=list)
    odds: float = _BASE
    day: str = ""

    def say(self, role: Role, variants: Sequence[str], **fills: str) -> None:
        trade = self.plan.trade
        text = self.rng.choice(variants)
        for name, value in {
            **fills,
            "company": trade.company,
            "product": trade.product,
            "rival": trade.rival,
            "price": str(trade.price_yuan),
            "seller": self.plan.seller,
            "surname": self.plan.seller[0],
            "customer": self.plan.customer,
            "day": self.day,
            "count": str(self.rng.randrange(2, 40)),
        }.items():
            text = text.replace(f"{{{name}}}", value)
        self.said.append((role, text))

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability


def course(rng: random.Random, plan: Plan) -> tuple[list[Line], str]:
    """Return the lines of one conversation, marked, and how it ended: ``won``, ``lost`` or ``open``.

    Questions asked, objections answered and cases given raise the odds of a sale, forbidden words lower
    them: there is something to find in the history.
    """
    talk = _Talk(rng, plan, day=rng.choice(lines.DAYS))
    _open(talk)
    _discover(talk)
    _present(talk)
    _object(talk)
    won = 1 / (1 + math.exp(-talk.odds))
    draw = rng.random()
    outcome = "won" if draw < won else "open" if draw < won + _OPEN_MARGIN else "lost"
    _close(talk, outcome)
    return talk.said, outcome


def _open(talk: _Talk) -> None:
    style = talk.plan.style
    talk.say(_AGENT, lines.OPENING if talk.chance(style.greets) else lines.BARE_OPENING)
    talk.say(_CUSTOMER, ("嗯，你好。", "哪位？", "你好。"))
    if talk.chance(0.6):
        talk.say(_AGENT, lines.NOTICE)
    talk.say(_AGENT, lines.PURPOSE if talk.chance(style.asks_leave) else lines.BARE_PURPOSE)
    talk.say(_CUSTOMER, lines.GO_AHEAD)


def _discover(talk: _Talk) -> None:
    trade = talk.plan.trade
    asked = max(0, min(len(trade.question), round(talk.rng.gauss(talk.plan.style.questions, 0.9))))
    talk.odds += _PER_QUESTION * asked
    needs = talk.rng.sample(trade.need, len(trade.need))
    for place, question in enumerate(talk.rng.sample(trade.question, asked)):
        talk.say(_AGENT, lines.QUESTION, question=question)
        if place < 2:
            talk.say(_CUSTOMER, lines.NEED, need=needs[place])
        else:
            talk.say(_CUSTOMER, lines.INFO)


def _present(talk: _Talk) -> None:
    trade, style = talk.plan.trade, talk.plan.style
    for pitch in talk.rng.sample(trade.pitch, talk.rng.randint(1, len(trade.pitch))):
        talk.say(_AGENT, lines.PITCH, pitch=pitch.replace("{product}", trade.product))
        talk.say(_CUSTOMER, lines.LISTENING)
    if talk.chance(style.proves):
        talk.odds += _PER_CASE
        talk.say(_AGENT, lines.CASE, case=talk.rng.choice(trade.case))
        talk.say(_CUSTOMER, lines.LISTENING)
    talk.say(_CUSTOMER, lines.ASK_PRICE)
    talk.say(_AGENT, lines.QUOTE)
    if trade.risk and talk.chance(style.answers):
        talk.say(_AGENT, lines.RISK, risk=trade.risk)
    if talk.chance(style.lapses):
        talk.odds += _PER_LAPSE
        talk.say(_AGENT, lines.PROMISE)


def _object(talk: _Talk) -> None:
    style = talk.plan.style
    for kind in talk.rng.sample(list(lines.OBJECTIONS), talk.rng.choice((0, 1, 1, 2, 3))):
        talk.say(_CUSTOMER, lines.OBJECTIONS[kind])
        if talk.chance(style.answers):
            talk.odds += _PER_ANSWER / 2
            talk.say(_AGENT, lines.ANSWERS[kind])
            well = talk.chance(0.75)
        else:
            poor = lines.POOR_ANSWERS if talk.chance(style.lapses * 4) else (lines.POOR_ANSWERS[1],)
            talk.odds -= _PER_ANSWER / 2
            talk.say(_AGENT, poor)
            well = talk.chance(0.25)
        talk.say(_CUSTOMER, lines.TAKEN_WELL if well else lines.TAKEN_BADLY)


def _close(talk: _Talk, outcome: str) -> None:
    talk.say(_AGENT, lines.STEP)
    ends = {"won": lines.WON, "open": lines.AGREED, "lost": lines.LOST}
    talk.say(_CUSTOMER, ends[outcome])
    if outcome != "lost" and talk.chance(talk.plan.style.proves):
        talk.say(_AGENT, lines.RECAP)
        talk.say(_CUSTOMER, lines.HANG_UP)
    if talk.chance(talk.plan.style.greets):
        talk.say(_AGENT, lines.FAREWELL)
        talk.say(_CUSTOMER, lines.HANG_UP)
