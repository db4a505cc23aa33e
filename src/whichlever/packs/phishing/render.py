"""A mail as the content model reads it: masked words, and marks of what it does.

Of the headers only these count: From, To, Subject, Reply-To and the body's own types. Received,
Message-ID, X-headers and dates name the collection that a mail came from, not what it wants.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from whichlever.mail import Message, read_message
from whichlever.mail.domains import decoded, domain_of, host_of, registrable
from whichlever.mail.signals import signals
from whichlever.packs.phishing.masks import invisible_letters, masked, masked_subject

MOST_TEXT = 6_000
"""Characters of the body that are read; phishing says what it wants early, and the end is kept."""

_SHORTENERS = frozenset(
    ("bit.ly", "t.co", "tinyurl.com", "goo.gl", "ow.ly", "is.gd", "buff.ly", "rebrand.ly",
     "cutt.ly", "t.ly", "lnkd.in", "rb.gy", "shorturl.at", "s.id", "tiny.cc")
)  # fmt: skip
_FREEMAIL = frozenset(
    ("gmail.com", "outlook.com", "hotmail.com", "yahoo.com", "aol.com", "icloud.com", "gmx.de",
     "gmx.net", "web.de", "mail.ru", "proton.me", "protonmail.com", "live.com", "yandex.ru")
)  # fmt: skip


def render(record: Mapping[str, Any], version: int = 1) -> str:
    """The text of one mail: its ``eml``, or ``subject`` and ``text`` where it is given apart.

    Raises
    ------
    ValueError, KeyError, TypeError
        The version is not spoken, or the record holds no mail.
    """
    if version != 1:
        raise ValueError(f"phishing@{version} is not spoken here; phishing@1 is")
    return render_message(message_of(record))


def message_of(record: Mapping[str, Any]) -> Message:
    """The mail of a record: ``eml`` (as text, bytes kept as surrogates), else its parts."""
    raw = record.get("eml")
    if raw is not None:
        if not isinstance(raw, str):
            raise TypeError("its eml is not text")
        return read_message(raw.encode("utf-8", "surrogateescape"))
    text = record["text"]
    if not isinstance(text, str):
        raise TypeError("its text is not text")
    subject = record.get("subject") or ""
    return Message(subject=str(subject), text=text, own=text)


def render_message(message: Message) -> str:
    """What a model reads of a mail; pure."""
    name = "" if "@" in message.from_name else masked(message.from_name)
    body = message.own or message.text
    if len(body) > MOST_TEXT:
        keep = MOST_TEXT // 4
        body = f"{body[: MOST_TEXT - keep]} … {body[-keep:]}"
    lines = [
        f"subject: {masked_subject(message.subject)}",
        f"name: {name}",
        f"marks: {' '.join(marks(message))}",
        masked(body),
    ]
    return "\n".join(lines)


def marks(message: Message) -> list[str]:
    """Words that say what a mail does, each about a relation, none about who sent it."""
    sender = registrable(domain_of(message.from_address))
    hosts = [registrable(host_of(link.target)) or "-" for link in message.links[:200]]
    hosts = [host for host, link in zip(hosts, message.links, strict=False) if host_of(link.target)]
    found = [f"sig_{sign.code}" for sign in signals(message) if sign.code != "envelope_differs"]
    if sender in _FREEMAIL:
        found.append("from_freemail")
    if message.from_name and not _shares_word(message.from_name, sender):
        found.append("name_unlike_domain")
    if message.subject and message.subject.upper() == message.subject:
        found.append("subject_shouts")
    if invisible_letters(message.text + message.subject) > 3:
        found.append("invisible_letters")
    if not message.own.strip():
        found.append("no_words")
    if hosts:
        own = sum(host == sender for host in hosts)
        found.append("links_home" if own == len(hosts) else "links_mixed" if own else "links_away")
        found.append(f"link_hosts_{min(len(set(hosts)), 5)}")
        found.append(
            "links_one" if len(hosts) == 1 else "links_few" if len(hosts) < 6 else "links_many"
        )
        if _SHORTENERS & set(hosts):
            found.append("link_shortener")
        if any(decoded(host) != host for host in hosts):
            found.append("link_punycode")
        if any(not link.text for link in message.links):
            found.append("link_of_picture")
    found += sorted(
        {f"attached_{a.found or a.declared.rsplit('/', 1)[-1]}" for a in message.attachments}
    )
    if len(set(message.to)) == 0:
        found.append("to_nobody")
    elif sender and all(registrable(domain_of(a)) == sender for a in message.to):
        found.append("to_own_domain")
    return found


def _shares_word(name: str, domain: str) -> bool:
    model = domain.split(".", 1)[0]
    return any(len(word) > 2 and word in model for word in name.lower().split())
