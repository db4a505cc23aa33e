"""Is this mail from whom it says? Its words by the style profile, its headers by the signs."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from whichlever.infer.style import StyleProfile
from whichlever.mail.company import Company, History, fold
from whichlever.mail.domains import domain_of, looks_like, registrable
from whichlever.mail.message import Message
from whichlever.mail.signals import Signal, signals
from whichlever.runtime.authorship import FALSE_ALARMS, Authorship, authorship
from whichlever.runtime.style_profiles import file_stem

SENDER_SIGNS = frozenset((
    "lookalike_domain", "protected_name", "name_shows_address", "name_of_another",
    "first_contact", "no_sender", "reply_to_differs", "envelope_differs", "spf_fails",
    "dkim_fails", "dmarc_fails", "own_domain_unproven", "dkim_broken",
))  # fmt: skip
"""Signs of who sent a mail; what it links to or attaches says nothing of that."""
FORGED, DOUBTFUL = 0.5, 0.3
"""From here on the signs of the sender, joined, make a mail an imitation, or take an
``authentic`` back. Their weights are set by hand, as for `whichlever.mail.scan`."""


@dataclass(frozen=True)
class Checked:
    """One mail's answer: ``verdict`` of words and signs together, ``words`` by themselves.

    ``score`` in [0, 1]: small is strange, the lesser of the words' and of one minus the signs.
    """

    verdict: str
    score: float
    words: Authorship
    signs: tuple[Signal, ...]

    def line(self, where: str) -> dict[str, Any]:
        """The answer as JSON values, by the contract of ``verify``, with what it was made of."""
        said = self.words.line(where)
        reasons = [sign.words for sign in self.signs] + said["reasons"]
        if self.signs and self.words.verdict == "authentic" and self.verdict != "authentic":
            reasons.insert(0, "the words are like theirs, the sender is not")
        return {
            **said, "verdict": self.verdict, "score": round(self.score, 4),
            "words": self.words.verdict, "reasons": reasons,
            "signals": list(dict.fromkeys(sign.code for sign in self.signs)),
        }  # fmt: skip


def check_mail(
    profile: StyleProfile,
    message: Message,
    *,
    company: Company | None = None,
    history: History | None = None,
    raw: bytes | None = None,
    false_alarms: float = FALSE_ALARMS,
) -> Checked:
    """Compare a mail with the person whose name it bears.

    Whoever copies a person's own mail writes like that person: only the sender's signs can tell.
    So the signs can make an imitation of authentic words; they never make a mail authentic.

    Parameters
    ----------
    company
        Where None, the domain of the profile's person is taken for the company's.
    history, raw
        As for `whichlever.mail.signals.signals`.
    false_alarms
        As for `authorship`.
    """
    words = authorship(profile, message.own, false_alarms)
    if company is None:
        home = registrable(domain_of(profile.facts.person))
        company = Company(domains=(home,) if home else ())
    found = [s for s in signals(message, company, history, raw) if s.code in SENDER_SIGNS]
    good = 1.0
    for sign in found:
        good *= 1.0 - sign.weight
    if 1.0 - good >= FORGED or words.verdict == "imitation":
        verdict = "imitation"
    elif 1.0 - good >= DOUBTFUL:
        verdict = "unknown"
    else:
        verdict = words.verdict
    return Checked(verdict, min(words.score, good), words, tuple(found))


def claimed(message: Message, known: Collection[str], company: Company | None = None) -> str | None:
    """Whose name a mail bears, among the persons with a profile; None where nobody's.

    The sender's own address; else that of a protected person whose display name it shows; else an
    address with the same name before the @ at a domain that the sender's looks like.

    Parameters
    ----------
    known
        `file_stem` of the persons' addresses.
    """
    address = message.from_address.strip().lower()
    if address and file_stem(address) in known:
        return address
    shown = fold(message.from_name)
    for person in company.people if company is not None and shown else ():
        if fold(person.name) == shown:
            theirs = next((a for a in person.addresses if file_stem(a) in known), None)
            if theirs is not None:
                return theirs
    name, _, domain = address.partition("@")
    for other in sorted(known):
        their_name, _, their_domain = other.partition("@")
        home = registrable(their_domain)
        if name and name == their_name and home and looks_like(domain, (home,)):
            return other
    return None
