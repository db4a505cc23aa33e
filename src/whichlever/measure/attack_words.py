"""Words that an attacker tries: from rows like yours, or from what anybody knows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from whichlever.predict import Row

_WORD = re.compile(r"\w[\w.-]{1,29}")

_PUBLIC = """
    ok success successful normal expected allowed approved authorised benign harmless known trusted
    internal scheduled routine maintenance backup update upgrade patch install restart heartbeat
    health check monitor monitoring test testing scan scanner inventory sync replication report
    daily weekly cron task job service system administrator admin helpdesk support user employee
    office printer mail calendar meeting invoice login logout session password reset complete
    completed finished ready idle closed resolved ignored duplicate informational info notice low
    none false negative positive clean safe valid verified signed certificate vendor microsoft
    windows linux ubuntu apple google amazon chrome firefox edge update.exe svchost.exe
    localhost 127.0.0.1 10.0.0.1 192.168.1.1 get post http https dns ntp dhcp ping status 200 304
    read list describe view open get.object health-check
"""
PUBLIC: tuple[str, ...] = tuple(_PUBLIC.split())
"""What somebody who has seen none of your rows would try."""


def telling_words(
    rows: Sequence[Row], into: str, protect: Sequence[str], most: int = 400
) -> list[str]:
    """Words that speak for the cheap label against the protected ones, the strongest first.

    By the log-odds of how many rows of each hold the word, with half a row added to each count
    (the same ranking as Bernoulli naive Bayes).

    Parameters
    ----------
    rows
        Training rows: whoever uses them knows such rows.
    into, protect
        The cheap label, and the labels to be turned into it.
    """
    sides = ([row for row in rows if row.target == into],
             [row for row in rows if row.target in set(protect)])  # fmt: skip
    counts: list[Counter[str]] = [Counter(), Counter()]
    for side, count in zip(sides, counts, strict=True):
        for row in side:
            count.update(set(_WORD.findall(row.text)))
    totals = [len(side) + 1.0 for side in sides]
    odds = {
        word: np.log((n + 0.5) / totals[0]) - np.log((counts[1][word] + 0.5) / totals[1])
        for word, n in counts[0].items()
        if n > 1
    }
    return sorted(odds, key=lambda word: (-odds[word], word))[:most]


def filling(words: Sequence[str], chars: int) -> str:
    """As many of the words, from the first, as fit into so many characters."""
    out: list[str] = []
    left = chars
    for word in words:
        if len(word) + bool(out) > left:
            break
        left -= len(word) + bool(out)
        out.append(word)
    return " ".join(out)
