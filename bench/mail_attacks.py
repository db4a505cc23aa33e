"""Attacks on a person's style, built from real mail, and the person's own mail about money.

Nothing here is kept: texts are made while measuring. Headers are made up around them, since the
authors' own are masked.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from whichlever.mail.sentences import sentences

PAYMENTS = (
    "Please wire 24,500 to the account in the attachment before noon.",
    "Can you pay the invoice from our supplier today, I will send the details.",
    "I need you to buy ten gift cards and email me the codes.",
    "Kindly process the outstanding payment to the new bank account as soon as possible.",
    "We have to settle the bill by tomorrow, transfer it to the IBAN below.",
    "By the way, could you release the funds for the contractor this afternoon?",
)
"""Written for this benchmark, before its figures were seen; not among the simulated ones."""
OPENING_WORDS = 20
MONEY = re.compile(
    r"\b(?:invoices?|wire transfers?|wired?|payments?|pay(?:ing|able)?|paid|reimburs\w+|refund\w*"
    r"|bank account|che(?:ck|que)s? (?:for|to)|funds?|purchase orders?)\b|[$£€] ?\d",
    re.IGNORECASE,
)
"""What mail about money says: by these words and not by the profile's own model, which alarms."""

PERSON = "a.person@northwind.example"
HOMOGLYPH = "a.person@n\u043erthwind.example"
"""The o is Cyrillic."""


def opened(text: str, draw: random.Random) -> str:
    """The person's own opening, then three sentences that ask for a payment."""
    words, end = 0, 0
    for a, b in sentences(text):
        end = b
        words += len(text[a:b].split())
        if words >= OPENING_WORDS:
            break
    return text[:end] + "\n\n" + " ".join(draw.sample(PAYMENTS, 3))


def half_and_half(own: str, other: str) -> str | None:
    """The first half of the person's sentences, the second half of somebody else's."""
    mine, theirs = sentences(own), sentences(other)
    if len(mine) < 2 or len(theirs) < 2:
        return None
    return own[: mine[(len(mine) - 1) // 2][1]] + "\n\n" + other[theirs[len(theirs) // 2][0] :]


def inserted(text: str, draw: random.Random) -> str:
    """One sentence that asks for a payment, put behind any sentence of genuine mail."""
    ends = [end for _, end in sentences(text)] or [len(text)]
    end = draw.choice(ends)
    return f"{text[:end]} {draw.choice(PAYMENTS)}{text[end:]}"


def attacks(later: Sequence[str], foreign: Sequence[str], seed: int) -> dict[str, list[str]]:
    """Every attack on words by name, one text for each of the person's later mails.

    Returns
    -------
    dict
        ``another's text`` (all of ``foreign``), ``opening + request``, ``half and half``,
        ``one inserted sentence``.
    """
    draw = random.Random(seed)
    halves = [half_and_half(text, draw.choice(foreign)) for text in later]
    return {
        "another's text": list(foreign),
        "opening + request": [opened(text, draw) for text in later],
        "half and half": [text for text in halves if text is not None],
        "one inserted sentence": [inserted(text, draw) for text in later],
    }


def about_money(later: Sequence[str]) -> list[str]:
    """The person's own mails that talk about money."""
    return [text for text in later if MONEY.search(text)]


def envelope(text: str, sender: str = PERSON, reply_to: str | None = None) -> bytes:
    """A text as mail with headers, as an own server would hand it over."""
    lines = [f"From: A Person <{sender}>", "To: b.colleague@northwind.example", "Subject: re"]
    lines += [f"Reply-To: {reply_to}"] if reply_to else []
    lines += ["Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit"]
    return ("\n".join(lines) + "\n\n" + text).encode("utf-8", "replace")
