"""Fields that no layout names: flattened, ordered by what tells most, made safe.

A bare ``name: value`` line is only for numbers, addresses, times, truth values and short plain
identifiers under a name that outsiders do not fill. Everything else is ``untrusted{name}: …``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from whichlever.packs.triage.values import (
    MAX_SCAN,
    address,
    bounded,
    host,
    magnitude,
    phrase,
    port,
    squash,
    when,
)

MAX_FIELDS = 32
"""Lines of one rendering that come from flattened fields."""

_ANSWERS = "label verdict disposition resolution ground_truth simulated id row_id split"
ANSWERS = frozenset(_ANSWERS.split())
"""Columns of a row that are an answer or a name for it; a bare plain record never shows them."""

# What tells most, by the last word of the key path; earlier comes first.
_TELLING = """
    product vendor source sourcename eventsource provider providername service application
    rule rulename signature detection alertname title name displayname
    eventname eventtype eventid operation action activity type category status outcome result
    severity level priority error errorcode
    host hostname computer device role
    user username userid actor principal account email srcuser dstuser targetusername subject
    process image parent parentimage exe command commandline cmdline cmd
    src srcip sourceip sourceipaddress ip ipaddress clientip srcport
    dst dstip destip destinationip dstport destport port protocol
    url uri domain query rrname sni file filename path object bucket
"""
_ORDER = {
    word: place
    for place, words in enumerate(_TELLING.strip().splitlines())
    for word in words.split()
}
# Last words of key paths that someone outside may have written.
_BY_OTHERS = """
    user username srcuser dstuser targetusername subjectusername account useragent httpuseragent
    agent url uri path query rrname sni domain httprefer referer referrer command commandline cmd
    cmdline args argv exe image parentimage process file filename filepath object subject body
    message msg text log fulllog title comment description reason name displayname email from to cc
    servicename imagepath targetfilename
"""
_OUTSIDE = frozenset(_BY_OTHERS.split())

_VOLATILE = re.compile(
    r"(?:uuid|guid|nonce|etag|md5|sha1|sha256|sha512|imphash|hash|hashes|checksum|cursor|offset|"
    r"token|serial|recordid|handle)$"
    r"|^(?:uid|uids|pid|ppid|tid|seq|sequence|offset|firedtimes)$"
    r"|(?:request|session|logon|event|trace|span|correlation|transaction|flow|tx|record|process|"
    r"thread|message|activity|execution)(?:guid|number)$"
    r"|(?:request|session|logon|trace|span|correlation|transaction|flow|tx|record|process|"
    r"thread|message|activity|execution)id$"
)
_TIMES = re.compile(
    r"^(?:ts|time|date|datetime|created|updated|mtime|ctime)$|time$|date$|timestamp$"
)
_HOSTS = frozenset(["host", "hostname", "computer", "device", "computername", "devicename"])
_CODES = ("id", "code", "status", "level", "severity", "type", "priority")
_ADDRESS = frozenset("0123456789abcdefABCDEF:[")
_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/@-]{0,47}")
_COUNTER = re.compile(r"[0-9]{5,}|[0-9a-fA-F]{12,}|(?:[0-9]{1,3}\.){3}|[A-Za-z0-9+/_-]{24,}")

_KEY = re.compile(r"[^A-Za-z0-9_.@#-]+")


class _Trait(NamedTuple):
    """What a key path says of its values."""

    name: str
    place: int
    kind: Literal["drop", "time", "port", "source port", "host", "code", "outside", "other"]


@lru_cache(maxsize=8192)
def _trait(path: str) -> _Trait:
    parts = path.split(".")
    last = re.sub(r"[_@-]", "", parts[-1]).lower()
    place = _ORDER.get(last, len(_ORDER))
    return _Trait(bounded(path, 64), place, _kind(last, parts))


def _kind(last: str, parts: list[str]) -> Any:  # noqa: ANN401 - the Literal of _Trait
    if _VOLATILE.search(last):
        return "drop"
    if _TIMES.search(last):
        return "drop" if len(parts) == 1 else "time"
    if last.endswith("port"):
        return "source port" if "src" in last or "source" in last else "port"
    if last in _HOSTS:
        return "outside" if "http" in parts else "host"  # a Host header is the visitor's to write
    if last in _OUTSIDE:
        return "outside"
    return "code" if last.endswith(_CODES) else "other"


def fields(record: Mapping[str, Any]) -> list[str]:
    """The lines of a record's fields: the telling ones first, then by name; never more than
    `MAX_FIELDS`, with those left out counted in sight.
    """
    leaves, lost = flatten(record)
    found = []
    for path, value in leaves:
        trait = _trait(path)
        line = _line(trait, value)
        if line:
            found.append((trait.place, path, line))
    found.sort()
    lines = [line for _, _, line in found[:MAX_FIELDS]]
    left = len(found) - len(lines) + lost
    return [*lines, f"…[+{left} fields]"] if left else lines


def flatten(record: Mapping[str, Any], most: int = 400) -> tuple[list[tuple[str, Any]], int]:
    """Leaves as (dotted path, value), and how many containers were too many to open.

    List items share their list's path; the first four different ones are kept, and how many there
    were is told by magnitude. Keys are visited in sorted order, so the result does not depend on
    theirs.
    """
    leaves: list[tuple[str, Any]] = []
    lost = 0
    waiting: list[tuple[str, Any]] = [("", record)]
    while waiting:
        path, value = waiting.pop()
        if len(leaves) >= most:
            lost += 1
        elif isinstance(value, dict):
            for key in sorted(value, reverse=True):
                waiting.append((f"{path}.{_key(key)}" if path else _key(key), value[key]))
        elif isinstance(value, list):
            scalars = [item for item in value if not isinstance(item, (dict, list))]
            waiting.extend(
                (path, item) for item in reversed(value[:4]) if isinstance(item, (dict, list))
            )
            if scalars:
                shown = ", ".join(text_of(item)[:MAX_SCAN] for item in scalars[:4])
                more = f", and {magnitude(len(scalars) - 4)} more" if len(scalars) > 4 else ""
                leaves.append((path, shown + more))
        elif value is not None and value != "":
            leaves.append((path, value))
    return leaves, lost


def text_of(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """Any JSON value as text that does not depend on the order of its keys."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return " ".join(f"{key}={text}" for key, text in flatten(value)[0])
    if isinstance(value, list):
        return " ".join(str(text) for _, text in flatten({"": value})[0])
    return str(value)


def _line(trait: _Trait, value: Any) -> str:  # noqa: ANN401 - any JSON scalar
    name, _, kind = trait
    if kind == "drop":
        return ""
    if isinstance(value, bool):
        return f"{name}: {'true' if value else 'false'}"
    if kind == "time" and (moment := when(value)):
        return f"{name}: {moment}"
    if kind in ("port", "source port") and (door := port(value, kind == "source port")):
        return f"{name}: {door}"
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
        value = int(value)
    if isinstance(value, (int, float)):
        return f"{name}: {_number(kind, value)}"
    if kind != "outside":
        bare = _bare(str(value))
        if bare or (kind == "host" and _IDENTIFIER.fullmatch(value)):
            return f"{name}: {host(value) if kind == 'host' else bare}"
    text = phrase(str(value), 480 if name == "text" else 160)
    return f"untrusted{{{name}}}: {text}" if text else ""


@lru_cache(maxsize=8192)
def _bare(text: str) -> str:
    """An address or a short plain identifier as it may stand bare; "" if it may not."""
    if len(text) < 46 and text[:1] in _ADDRESS and (place := address(text)):
        return place
    plain = _IDENTIFIER.fullmatch(text) and not _COUNTER.search(text)
    return squash(text) if plain else ""


def _number(kind: str, value: float) -> str:
    """Codes stay (an event id is a name); everything else is a magnitude."""
    if isinstance(value, int) and (kind == "code" or abs(value) < 10) and abs(value) < 100_000:
        return str(value)
    return magnitude(value)


@lru_cache(maxsize=8192)
def _key(key: str) -> str:
    """A key as a plain name: keys, too, may be written by others."""
    return _KEY.sub("_", key[:80]) + (f"…[+{len(key) - 80} chars]" if len(key) > 80 else "")
