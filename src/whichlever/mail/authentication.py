"""SPF, DKIM and DMARC as the user's own server gave them; DKIM again where the key is at hand."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from whichlever.errors import MissingExtraError
from whichlever.mail.message import Message

_METHOD = re.compile(r"\b(spf|dkim|dmarc)\s?=\s?([a-z]{3,12})", re.IGNORECASE)
_RESULTS = frozenset(
    (
        "pass",
        "fail",
        "softfail",
        "neutral",
        "none",
        "temperror",
        "permerror",
        "policy",
        "bestguesspass",
    )
)


@dataclass(frozen=True)
class Authentication:
    """Results by method, ``pass`` where any of several signatures passed; None where not given."""

    spf: str | None = None
    dkim: str | None = None
    dmarc: str | None = None
    server: str = ""


def results(message: Message, trusted: tuple[str, ...]) -> Authentication:
    """What ``Authentication-Results`` (RFC 8601) of trusted servers say.

    The headers are read from the top, which is where the own server writes; those of other servers
    are ignored, since a sender can write them too.
    """
    found: dict[str, str] = {}
    server = ""
    for value in message.all("authentication-results"):
        said = value.split(";", 1)[0].split()
        who = said[0].lower() if said else ""
        if who not in trusted or (server and who != server):
            continue
        server = who
        for method, result in _METHOD.findall(value[:5_000].partition(";")[2]):
            method, result = method.lower(), result.lower()
            if result in _RESULTS and found.get(method) != "pass":
                found[method] = result
    return Authentication(found.get("spf"), found.get("dkim"), found.get("dmarc"), server)


def check_dkim(raw: bytes, keys: Mapping[str, str]) -> bool | None:
    """Whether the first DKIM signature whose key is in ``keys`` holds (RFC 6376); nothing is asked.

    Parameters
    ----------
    raw
        The mail as it was received.
    keys
        ``selector._domainkey.domain`` → TXT record.

    Returns
    -------
    bool or None
        None where no signature names a key that is at hand.
    """
    if not keys or b"dkim-signature" not in raw[:200_000].lower():
        return None
    try:
        import dkim
    except ImportError:
        raise MissingExtraError("checking DKIM signatures", "mail") from None
    asked: list[str] = []
    known = {name.rstrip(".").lower(): record.encode() for name, record in keys.items()}

    def record(name: bytes, timeout: int = 5) -> bytes | None:
        wanted = name.decode("ascii", "replace").rstrip(".").lower()
        found = known.get(wanted)
        if found is not None:
            asked.append(wanted)
        return found

    try:
        holds = bool(dkim.verify(raw, dnsfunc=record, minkey=1024))
    except Exception:  # dkimpy raises many kinds on a sender's making
        holds = False
    return holds if asked else None
