"""The probability of each label given everything an alert's text shows: exact, by enumeration.

An alert is drawn like this, every step from a known table:

    month → cause → signature, host class, shade of artefact        (given cause and month)
                  → hour part (given cause, host class), other end (given cause, host class, month)
                  → kind of account (given cause)
    everything else (which host of the class, which user of the kind, address, port, words,
    numbers, second) → drawn the same way whatever the cause, given the above
    true label = the cause's; written label = the analyst's channel applied to it

What the rendered text shows is a function `Seen` of those draws. So

    P(label | text, month) = Σ_cause P(cause) P(seen | cause, month) P(label | cause) / Σ_cause …

where P(seen | cause, month) is the product of the tables, summed over what is hidden: the account
where a rule does not show it, and host classes that share a subnet where only the subnet shows. The
drawn-alike rest has the same factor under every cause and cancels.

Two things to know. The sum also conditions on the month, which the text does not show: so this is
the best a classifier could do that sees one alert, knows every table and has kept up with the
drift; none that sees one alert does better in expectation. And alerts of different bursts
(`bursts`) are drawn independently given the month, so earlier rows hold nothing more about a later
one than the tables do; alerts of one burst are alike, and each alone is drawn as told above.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

from whichlever.data.simulate import normalised
from whichlever.packs.triage import company as at
from whichlever.packs.triage.artefacts import NEW_TOOLS_FROM, SHADES, STYLES, STYLES_LATER
from whichlever.packs.triage.causes import (
    ANALYST,
    CAUSES,
    LABELS,
    Cause,
    Weights,
    host_weights,
    scanner_subnets,
    signature_weights,
)
from whichlever.packs.triage.signatures import SIGNATURES


@dataclass(frozen=True)
class Seen:
    """What the text of an alert shows of its draws.

    ``host`` is a host class, or ``subnet:NAME`` where only the subnet shows; ``peer`` and ``user``
    are "" where the rule does not show them.
    """

    signature: str
    host: str
    peer: str
    user: str
    part: str
    shade: str


def posterior(seen: Seen, month: int) -> Weights:
    """P(written label | seen, month), in the order of `LABELS`."""
    mass: dict[str, list[float]] = {label: [] for label in LABELS}
    for name, cause in CAUSES.items():
        mass[cause.label].append(cause.weight * likelihood(name, seen, month))
    true = normalised({label: math.fsum(parts) for label, parts in mass.items()})
    return {
        said: math.fsum(true[label] * ANALYST[label][said] for label in LABELS) for said in LABELS
    }


def likelihood(name: str, seen: Seen, month: int) -> float:
    """P(seen | cause, month), everything hidden summed out."""
    cause = CAUSES[name]
    rules, hosts, shades = tables(name, month)
    first = rules.get(seen.signature, 0.0) * shades[seen.shade]
    if not first:
        return 0.0
    if seen.user:
        first *= users(name).get(seen.user, 0.0)
    total = []
    for host, share in hosts.items():
        if seen.host in (host, f"subnet:{at.HOSTS[host].subnet}"):
            there = hours(cause, host)[seen.part]
            other = peers(name, host, month).get(seen.peer, 0.0) if seen.peer else 1.0
            total.append(share * there * other)
    return first * math.fsum(total)


@cache
def tables(name: str, month: int) -> tuple[Weights, Weights, Weights]:
    """P(signature), P(host class) and P(shade) of a cause in a month."""
    cause = CAUSES[name]
    styles = STYLES_LATER if month >= NEW_TOOLS_FROM else STYLES
    shades: Weights = dict(zip(SHADES, styles[cause.style], strict=True))
    return (
        normalised(signature_weights(cause, month)),
        normalised(host_weights(cause, month)),
        normalised(shades),
    )


@cache
def peers(name: str, host: str, month: int) -> Weights:
    """P(other end) as the text shows it: a subnet, ``cdn`` or ``pool``."""
    shown: dict[str, list[float]] = {}
    for peer, share in normalised(CAUSES[name].peers).items():
        where = {peer: 1.0}
        if peer == "scanner":
            where = scanner_subnets(month)
        elif peer == "same":
            where = {at.HOSTS[host].subnet: 1.0}
        for place, part in where.items():
            shown.setdefault(place, []).append(share * part)
    return {place: math.fsum(parts) for place, parts in shown.items()}


@cache
def users(name: str) -> Weights:
    """P(kind of account) of a cause."""
    return normalised(CAUSES[name].users)


def hours(cause: Cause, host: str) -> Weights:
    """P(part of day and week) of a cause at a host class."""
    return at.SHIFTS[host] if cause.hours is None else cause.hours


def seen_of(signature: str, host: str, peer: str, user: str, part: str, shade: str) -> Seen:
    """What of these draws an alert of this rule shows."""
    rule = SIGNATURES[signature]
    only_subnet = rule.product == "suricata"
    return Seen(
        signature,
        f"subnet:{at.HOSTS[host].subnet}" if only_subnet else host,
        peer if rule.peer else "",
        user if rule.user else "",
        part,
        shade,
    )
