"""The negative control where the truth is known: simulated people's own genuine payment mail."""

from __future__ import annotations

import random
from typing import Any

import mail_attacks
from whichlever.runtime.authorship import FALSE_ALARMS, authorship

MAILS = 6_000
SEED = 3
PAYERS = ("CFO", "CEO", "controller", "purchasing")
"""Roles whose mail is about payments in one of five."""


def own_payments() -> dict[str, Any]:
    """Later mail of four simulated people: with a payment, without, and with one put in."""
    from whichlever.data.simulate import Dice
    from whichlever.mail import read_message
    from whichlever.models.style import train_style
    from whichlever.packs.phishing.simulate import make_people, simulate_mailbox

    by: dict[str, list[tuple[str, bool]]] = {}
    for mail in simulate_mailbox(MAILS, SEED):
        if mail.author:
            own = read_message(mail.eml.encode()).own
            by.setdefault(mail.author, []).append((own, mail.payment))
    draw = random.Random(SEED)
    cases: dict[str, dict[str, int]] = {}
    payers = [p.address for p in make_people(Dice(SEED + 1)) if p.role in PAYERS]
    for person in payers:
        early = len(by[person]) * 6 // 10
        others = [text for who, mails in by.items() if who != person for text, _ in mails]
        profile = train_style(
            person,
            [text for text, _ in by[person][:early]],
            others[: len(others) * 6 // 10],
            salt=7,
        )
        for text, payment in by[person][early:]:
            _count(cases, "own, about a payment" if payment else "own, of other things",
                   authorship(profile, text), profile)  # fmt: skip
            if not payment:
                put = mail_attacks.inserted(text, draw)
                _count(cases, "one inserted sentence", authorship(profile, put), profile)
    return {"people": len(payers), "mails": MAILS, "seed": SEED, "cases": cases}


def _count(cases: dict[str, dict[str, int]], name: str, said: Any, profile: Any) -> None:  # noqa: ANN401
    found = cases.setdefault(name, {"mails": 0, "imitation": 0, "asked": 0, "alarm": 0})
    asked = any(
        p.payment > 0 and profile.payment_share(p.payment) <= FALSE_ALARMS for p in said.passages
    )
    imitation = said.verdict == "imitation"
    found["mails"] += 1
    found["imitation"] += imitation
    found["asked"] += asked
    found["alarm"] += asked or imitation
