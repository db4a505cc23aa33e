"""Single values made safe and steady: what changes by the second is generalised, what an attacker
may have written can neither break a line nor pretend to be ours.

Everything here is explicit ASCII ranges, never Unicode tables: those change with Python, and a
rendering must stay the same for ever. Every pattern is linear in its input.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from functools import lru_cache
from ipaddress import ip_address, ip_network
from itertools import pairwise

MAX_SCAN = 4096
"""Characters of one value that are looked at; what lies beyond is counted, never read."""

_INTERNAL = tuple(
    ip_network(block)
    for block in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "::1/128",
        "fc00::/7",
        "fe80::/10",
    )
)

# Controls, line and paragraph separators, joiners, bidirectional marks, tags, lone surrogates.
_BREAKS = re.compile("[\x00-\x20\x7f-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")
_HIDDEN = re.compile(
    "[\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff\ud800-\udfff]"
)
_OURS = str.maketrans({"{": "(", "}": ")", "｛": "(", "｝": ")", "﹛": "(", "﹜": ")", "…": "..."})
_MODEL_TOKENS = re.compile(r"<\||\|>|\[(/?[A-Z_]{2,12})\]|<(/?s)>|<(/?[a-z]+_of_[a-z]+)>")

_MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_VOLATILE = re.compile(
    r"(?P<guid>\b[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}\b)"
    r"|(?P<time>\b\d{4}[-/]\d\d[-/]\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?"
    r"(?:Z|[+-]\d\d:?\d\d)?)?(?!\d)"
    r"|\b\d{1,2}/" + _MONTH + r"/\d{4}:\d\d:\d\d:\d\d(?: [+-]\d{4})?"
    r"|\b" + _MONTH + r" {1,2}\d{1,2} (?:\d{4} )?\d\d:\d\d:\d\d\b"
    r"|\b\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?![\d:]))"
    r"|(?P<mac>\b(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}\b(?![:-]))"
    r"|(?P<ip4>(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d]|\.\d))"
    r"|(?P<ip6>(?<![\w:])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?![\w:]))"
    r"|(?P<sid>\bS-1-5-21(?:-\d+){3}-(?P<rid>\d+)\b)"
    r"|(?P<handle>\b0[xX][0-9A-Fa-f]+\b)"
    r"|(?P<pid>(?<=\[)\d+(?=\])|(?<=\bpid[ =:])\d+)"
    r"|(?P<port>(?<=\bport )\d{1,5}\b)"
    r"|(?P<long>[0-9A-Za-z+/_-]{24,}={0,2})"
    r"|(?P<hex>\b[0-9A-Fa-f]{12,23}\b)"
    r"|(?P<num>\d{5,})"
)


def squash(text: str) -> str:
    """One line without control, invisible or delimiter characters, or a model's own tokens.

    Braces become parentheses, so that no value can write ``untrusted{…}`` or close one.
    """
    text = _BREAKS.sub(" ", text).strip(" ")
    if not text.isascii():
        text = _HIDDEN.sub("?", text)
    text = text.translate(_OURS)
    if "<" in text or "|>" in text or "[" in text:
        text = _MODEL_TOKENS.sub(_defuse, text)
    return text


def steady(text: str) -> str:
    """Times, addresses, identifiers, hashes and long numbers as what they are, not which."""
    return _VOLATILE.sub(_generalise, text)


def bounded(text: str, limit: int, beyond: int = 0) -> str:
    """Head and tail of ``text``, with what was cut counted in sight: ``…[+123 chars]…``."""
    if len(text) <= limit and not beyond:
        return text
    tail = limit // 4 if not beyond else 0
    head = min(limit - tail, len(text))
    cut = len(text) - head - tail + beyond
    return f"{text[:head]}…[+{cut} chars]…{text[len(text) - tail :]}" if cut > 0 else text


def phrase(text: str, limit: int = 160) -> str:
    """Any text as one steady, safe, bounded line."""
    if len(text) <= 256:
        return _phrase(text, limit)
    beyond = max(0, len(text) - MAX_SCAN)
    return bounded(steady(squash(text[:MAX_SCAN])), limit, beyond)


@lru_cache(maxsize=8192)
def _phrase(text: str, limit: int) -> str:
    """Short values repeat a great deal from alert to alert."""
    return bounded(steady(squash(text)), limit)


@lru_cache(maxsize=8192)
def address(text: str) -> str:
    """An address as its side and neighbourhood: ``internal 10.20.0.0/24``; "" if it is none."""
    try:
        ip = ip_address(text.strip().strip("[]"))
    except ValueError:
        return ""
    mapped = getattr(ip, "ipv4_mapped", None)
    ip = mapped or ip
    side = "internal" if any(ip in block for block in _INTERNAL) else "external"
    return f"{side} {ip_network((ip, 24 if ip.version == 4 else 48), strict=False)}"


def port(value: object, source: bool = False) -> str:
    """A port as text; ephemeral ones (sources from 1024, others from 32768) are ``high``."""
    text = str(value)
    if not (text.isascii() and text.isdigit() and len(text) <= 5):
        return ""
    return "high" if int(text) >= (1024 if source else 32_768) else str(int(text))


def magnitude(number: float) -> str:
    """A count as its order of magnitude: 0, 1, ``2-9``, ``10-99``, ``10^2``, ``10^3`` and so on."""
    size = abs(number)
    sign = "-" if number < 0 else ""
    if size != size or size in (float("inf"),):  # NaN is not itself
        return "not a number"
    if size <= 1:
        return f"{sign}{int(size)}" if size in (0, 1) else f"{sign}0-1"
    if size < 100:
        return f"{sign}{'2-9' if size < 10 else '10-99'}"
    return f"{sign}10^{len(str(int(size))) - 1}"


def when(value: object) -> str:
    """A moment as part of the day and week, on the clock it was written in.

    ``night`` is 22–06, ``morning`` 06–09, ``day`` 09–17, ``evening`` 17–22. Numbers are seconds
    (or milliseconds) since 1970 UTC. "" where it is no time.
    """
    if isinstance(value, str):
        hour = value[11:13]
        if len(value) < 13 or value[10] not in "T " or not (hour.isascii() and hour.isdigit()):
            return ""
        week = _week(value[:10])
        return f"{week} {_part(int(hour))}" if week and int(hour) < 24 else ""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < 1e14:
        moment = datetime.fromtimestamp(value / 1000 if value > 1e11 else value, tz=UTC)
        return f"{'weekend' if moment.weekday() > 4 else 'weekday'} {_part(moment.hour)}"
    return ""


@lru_cache(maxsize=8192)
def host(name: str) -> str:
    """A host's name without its numbers: ``ws-fin-0042`` is ``ws-fin-#``."""
    return phrase(re.sub(r"[0-9]+", "#", name[:MAX_SCAN]), 64)


def _part(hour: int) -> str:
    if 9 <= hour < 17:
        return "day"
    if 17 <= hour < 22:
        return "evening"
    return "morning" if 6 <= hour < 9 else "night"


@lru_cache(maxsize=2048)
def _week(day: str) -> str:
    try:
        return "weekend" if date.fromisoformat(day).weekday() > 4 else "weekday"
    except ValueError:
        return ""


def _defuse(match: re.Match[str]) -> str:
    word = match[1] or match[2] or match[3]
    return f"({word})" if word else match[0].replace("|", "¦")


def _generalise(match: re.Match[str]) -> str:
    kind, text = match.lastgroup, match[0]
    if kind == "num":
        return f"<10^{len(text) - 1}>"
    if kind == "time":
        return "<time>"
    if kind == "ip4" or kind == "ip6":
        return address(text) or text
    if kind == "pid":
        return "pid"
    if kind == "port":
        return port(text)
    if kind == "guid" or kind == "mac":
        return f"<{kind}>"
    if kind == "handle":
        return "<hex>"
    if kind == "hex":
        return f"<hex:{len(text)}>" if not text.isdigit() else f"<10^{len(text) - 1}>"
    if kind == "sid":
        # The well-known ends (500 administrator, 512 domain admins) matter; the rest is one user.
        rid = match["rid"]
        return f"<sid:{rid}>" if len(rid) < 4 else "<sid>"
    return _long(text)


_HEX = re.compile(r"[0-9A-Fa-f]+")


def _long(text: str) -> str:
    """A long run: a number, a hash, base64, or only a long word or path (kept, made steady)."""
    if text.isdigit():
        return f"<10^{len(text) - 1}>"
    if _HEX.fullmatch(text):
        return f"<hex:{len(text)}>"
    letters = text.rstrip("=")
    kinds = [
        "a" if c.islower() else "A" if c.isupper() else "0" if c.isdigit() else c for c in letters
    ]
    changes = sum(here != there for here, there in pairwise(kinds))
    # Random characters change between lower, upper and digit at three places in five; the words of
    # a path or a CamelCase name, far less often.
    if 20 * changes >= 7 * len(letters) and {"a", "A", "0"} <= set(kinds):
        return f"<b64:{1 << (len(letters) - 1).bit_length()}>"
    return re.sub(r"[0-9]{5,}", lambda m: f"<10^{len(m[0]) - 1}>", text)
