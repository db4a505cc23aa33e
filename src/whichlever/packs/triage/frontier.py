"""Simulated answers of a capable model that does not know this company: not a real model's.

The channel, step by step. A general model reads the same alert and knows what alerts of these
rules usually mean anywhere: which accounts, hours, host roles and artefacts go with attacks. It
does not know this company: not its subnets (an address is inside or outside), not its shifts
(everyone works office hours), not the month, and not how rare attacks are here. So its belief is
the exact posterior of `posterior`, computed from

- the other end as inside or outside only, and the host by its role only;
- people's hours as office hours everywhere;
- the tables averaged over the half-year; and
- its own idea of how common each label is, `SUPPOSED`.

It reads what it sees only so well: likelihoods count with the power `READING`. It then answers with
a draw from its belief raised to the power `DECISIVE` (a model near, but not at, temperature zero).
Tokens are counted at four characters each plus a fixed prompt; seconds are drawn; a few answers are
errors, as they are in practice.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from whichlever.data.simulate import Dice, normalised
from whichlever.packs.triage import company as at
from whichlever.packs.triage.causes import CAUSES, LABELS, Weights
from whichlever.packs.triage.posterior import Seen, hours, peers, tables, users
from whichlever.packs.triage.simulate import Simulated

SUPPOSED: Weights = {"critical": 0.10, "investigate": 0.22, "noise": 0.68}
READING = 0.7
DECISIVE = 2.0
ERROR_RATE = 0.005
PROMPT_TOKENS = 310
"""Instructions and label meanings, the same before every alert."""

_OUTSIDE = ("cdn", "pool")


def recorded(rows: Sequence[Simulated], seed: int = 0) -> Iterator[dict[str, Any]]:
    """One recorded row for every alert, test rows or not: the split is decided elsewhere."""
    dice = Dice(seed + 7_919)
    for item in rows:
        belief = generic_belief(item.seen)
        sharp = normalised({label: p**DECISIVE for label, p in belief.items()})
        answer = dice.draw(sharp)
        failed = dice.share() < ERROR_RATE
        size = _characters(item.row["alert"])
        yield {
            "id": item.row["id"],
            "simulated": True,
            "prediction": None if failed else answer,
            "tokens_in": PROMPT_TOKENS + size // 4,
            "tokens_out": 0 if failed else 2 + dice.below(2),
            "seconds": round(0.4 + 1.2 * dice.share() ** 2 + (20.0 if failed else 0.0), 3),
            "error": "simulated: the server did not answer in time" if failed else None,
        }


def generic_belief(seen: Seen) -> Weights:
    """P(label) as someone believes it who knows the trade but not the company."""
    mass: Weights = {}
    for label in LABELS:
        causes = {n: c.weight for n, c in CAUSES.items() if c.label == label}
        shares = normalised(causes)
        seen_so = math.fsum(share * _stranger(name, seen) for name, share in shares.items())
        mass[label] = SUPPOSED[label] * seen_so**READING
    return normalised(mass)


@cache
def _stranger(name: str, seen: Seen) -> float:
    """P(what a stranger sees | cause), the months taken alike."""
    role = at.HOSTS[seen.host].role if seen.host in at.HOSTS else ""
    outside = seen.peer in _OUTSIDE
    months = []
    if seen.signature not in CAUSES[name].signatures:
        return 0.0
    for month in range(at.MONTHS):
        rules, hosts, shades = tables(name, month)
        total = []
        for host, share in hosts.items():
            if role and at.HOSTS[host].role != role:
                continue
            side = [
                p for place, p in peers(name, host, month).items() if (place in _OUTSIDE) is outside
            ]
            other = math.fsum(side) if seen.peer else 1.0
            when = at.OFFICE if CAUSES[name].hours is None else hours(CAUSES[name], host)
            total.append(share * other * when[seen.part])
        months.append(rules.get(seen.signature, 0.0) * shades[seen.shade] * math.fsum(total))
    account = users(name).get(seen.user, 0.0) if seen.user else 1.0
    return account * math.fsum(months) / at.MONTHS


def _characters(value: Any) -> int:  # noqa: ANN401 - any JSON value
    """About how long an alert is as JSON."""
    if isinstance(value, dict):
        return sum(len(str(key)) + 5 + _characters(inner) for key, inner in value.items())
    if isinstance(value, list):
        return sum(2 + _characters(inner) for inner in value)
    return len(str(value)) + 2
