"""What speaks against a mail beside its words, each sign explained in words.

Nothing is looked up: no name server, no web. What the company and its history say comes from the
user's own files.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from whichlever.mail.authentication import check_dkim, results
from whichlever.mail.company import Company, History, fold
from whichlever.mail.domains import domain_of, looks_like, registrable
from whichlever.mail.message import Message
from whichlever.mail.signals_content import attachment_signals, hidden_signals, link_signals


@dataclass(frozen=True, slots=True)
class Signal:
    """One sign.

    ``code`` is stable, for machines and models; ``weight`` is how much it says by itself, from 0
    (a hint) to 1 (enough to hold the mail); ``words`` are for a reader, and quote the mail.
    """

    code: str
    weight: float
    words: str


def signals(
    message: Message,
    company: Company | None = None,
    history: History | None = None,
    raw: bytes | None = None,
) -> list[Signal]:
    """Every sign against a mail, the weightiest first.

    Parameters
    ----------
    message
        The mail, read.
    company, history
        What is the user's own; signs that need it are left out without it.
    raw
        The mail as received, for DKIM signatures whose key the company's file holds.

    Raises
    ------
    MissingExtraError
        The extra ``mail`` is not installed.
    """
    company = company or Company()
    found: list[Signal] = []
    for look in _LOOKS:
        found += look(message, company, history)
    if raw is not None and check_dkim(raw, company.dkim_keys) is False:
        found.append(Signal("dkim_broken", 0.8, "its DKIM signature does not hold by your key"))
    found += [Signal(*sign) for sign in link_signals(message, company)]
    found += [Signal(*sign) for sign in attachment_signals(message)]
    found += [Signal(*sign) for sign in hidden_signals(message)]
    return sorted(found, key=lambda sign: (-sign.weight, sign.code))


def _name(message: Message, company: Company, history: History | None) -> list[Signal]:
    name, address = message.from_name, message.from_address
    found = []
    if "@" in name:
        shown = (
            name.split("@")[-1].split()[0].strip("<>\"'(),").lower() if name.split("@")[-1] else ""
        )
        if registrable(shown) and registrable(shown) != registrable(domain_of(address)):
            found.append(Signal(
                "name_shows_address", 0.8,
                f"the name shows an address at {shown}, the mail is from {address or 'nobody'}",
            ))  # fmt: skip
    if not name and not address:
        found.append(Signal("no_sender", 0.5, "it names no sender"))
    folded = fold(name)
    for person in company.people:
        if folded and folded == fold(person.name) and address not in person.addresses:
            found.append(Signal(
                "protected_name", 0.9,
                f"it bears the name of {person.name}, and {address or 'no address'} is not theirs",
            ))  # fmt: skip
    return found


def _alike(message: Message, company: Company, history: History | None) -> list[Signal]:
    known = (*company.domains, *company.partners)
    found = []
    for what, address in (("sender", message.from_address), ("Reply-To", message.reply_to)):
        alike = looks_like(domain_of(address), known)
        if alike is not None:
            found.append(Signal(
                "lookalike_domain", 0.95,
                f"{what} {alike.domain} looks like {alike.like} ({alike.how})",
            ))  # fmt: skip
    return found


def _paths(message: Message, company: Company, history: History | None) -> list[Signal]:
    own = registrable(domain_of(message.from_address))
    found = []
    for code, what, address, weight in (
        ("reply_to_differs", "answers go to", message.reply_to, 0.4),
        ("envelope_differs", "the envelope is from", message.return_path, 0.15),
    ):
        other = registrable(domain_of(address))
        if other and own and other != own:
            inside = own in company.domains
            found.append(Signal(
                code, 0.85 if inside and code == "reply_to_differs" else weight,
                f"{what} {other}, the mail is from {own}",
            ))  # fmt: skip
    return found


def _authenticated(message: Message, company: Company, history: History | None) -> list[Signal]:
    said = results(message, company.trusted_servers)
    found = []
    bad = ("fail", "softfail", "permerror")
    for method, result, weight in (
        ("dmarc", said.dmarc, 0.8), ("spf", said.spf, 0.4), ("dkim", said.dkim, 0.4),
    ):  # fmt: skip
        if result in bad:
            found.append(Signal(
                f"{method}_fails", weight, f"{said.server} says {method.upper()} {result}"
            ))  # fmt: skip
    own = registrable(domain_of(message.from_address)) in company.domains
    if own and said.server and "pass" not in (said.dmarc, said.spf, said.dkim):
        found.append(Signal(
            "own_domain_unproven", 0.9,
            f"it says it is from your own domain, and {said.server} found no proof",
        ))  # fmt: skip
    return found


def _contact(message: Message, company: Company, history: History | None) -> list[Signal]:
    if history is None or not message.from_address:
        return []
    found = []
    if message.from_address not in history.seen:
        domain = registrable(domain_of(message.from_address))
        known = any(registrable(domain_of(a)) == domain for a in history.seen) if domain else False
        found.append(Signal(
            "first_contact", 0.15 if known else 0.25,
            f"{message.from_address} has not written to you before"
            + (", others of its domain have" if known else ""),
        ))  # fmt: skip
        usual = history.names.get(fold(message.from_name), set())
        if fold(message.from_name) and usual:
            found.append(Signal(
                "name_of_another", 0.7,
                f"{message.from_name} has written before, from {sorted(usual)[0]}",
            ))  # fmt: skip
    return found


_LOOKS: tuple[Callable[[Message, Company, History | None], list[Signal]], ...] = (
    _name, _alike, _paths, _authenticated, _contact,
)  # fmt: skip
