"""Domains, and domains that look like others."""

from __future__ import annotations

import contextlib
import functools
import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from whichlever.errors import MissingExtraError

_KEYS = ("1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm")
_PAIRS = {"rn": "m", "vv": "w", "cl": "d", "nn": "m", "lc": "k"}
_DIGITS = str.maketrans({"0": "o", "1": "l", "3": "e", "5": "s", "i": "l", "8": "b", "9": "g"})
_HOST = re.compile(r"[a-z0-9\u0080-\U0010ffff](?:[a-z0-9\u0080-\U0010ffff_.-]{0,251})")


@dataclass(frozen=True)
class Alike:
    """One domain that looks like another: which, and how, in words."""

    domain: str
    like: str
    how: str


def domain_of(address: str) -> str:
    """The part of an address behind its last @, lower case; empty where there is none."""
    return address.rpartition("@")[2].strip("<>[] .").lower() if "@" in address else ""


def host_of(url: str) -> str:
    """The host that a link leads to, lower case; empty where it leads to none.

    As browsers do it: a backslash is a slash, what stands before @ is no host.
    """
    found = re.match(r"\s*(?:[a-z][a-z0-9+.-]{0,20}:)?[/\\]{2}([^/\\?#]{1,300})", url, re.I)
    if not found:
        return ""
    host = found.group(1).rpartition("@")[2].lower()
    return host.partition(":")[0].strip(".") if not host.startswith("[") else host


def hosts_in(text: str) -> list[str]:
    """Host names that a text shows (``www.bank.example``), at most five."""
    shown = []
    for word in text.lower().split()[:200]:
        host = host_of(word) or word.strip("<>()[]\"'.,;:!").split("/", 1)[0]
        if "." in host and "@" not in host and _HOST.fullmatch(host):
            registered = registrable(host)
            if registered and "." in registered:
                shown.append(host)
    return shown[:5]


@functools.lru_cache(maxsize=1)
def _suffixes() -> Any:  # noqa: ANN401 - publicsuffixlist is untyped
    try:
        from publicsuffixlist import PublicSuffixList
    except ImportError:
        raise MissingExtraError("comparing domains", "mail") from None
    return PublicSuffixList(accept_unknown=False)


@functools.lru_cache(maxsize=65_536)
def registrable(host: str) -> str:
    """The domain that somebody registered (``example.co.uk`` of ``a.b.example.co.uk``).

    By the public suffix list that `publicsuffixlist` ships; empty for an IP address, a bare suffix
    or an unknown top-level domain (except ``.example``, ``.test``, ``.invalid`` and alike).
    """
    host = host.strip(".").lower()[:253]
    if not host or host.startswith("[") or host.replace(".", "").isdigit():
        return ""
    found = _suffixes().privatesuffix(host)
    if found:
        return str(found)
    parts = host.split(".")
    special = parts[-1] in ("example", "test", "invalid", "local", "localhost", "internal", "lan")
    return ".".join(parts[-2:]) if special and len(parts) > 1 else ""


@functools.lru_cache(maxsize=65_536)
def skeleton(domain: str) -> str:
    """What a hurried reader sees of a domain: punycode decoded, look-alike letters made one.

    Unicode confusables by `confusable_homoglyphs` (the table of UTS 39), then digits and letter
    pairs that pass for letters (``rn`` for ``m``, ``0`` for ``o``).
    """
    shown = "".join(_latin(c) for c in unicodedata.normalize("NFKC", decoded(domain)))
    shown = shown.translate(_DIGITS)
    for pair, letter in _PAIRS.items():
        shown = shown.replace(pair, letter)
    return shown


def decoded(domain: str) -> str:
    """A domain with its punycode labels as a reader may see them."""
    labels = []
    for label in domain.lower().split("."):
        if label.startswith("xn--"):
            with contextlib.suppress(UnicodeError, ValueError):
                label = label[4:].encode("ascii").decode("punycode")
        labels.append(label)
    return ".".join(labels)


@functools.lru_cache(maxsize=4_096)
def _latin(letter: str) -> str:
    if letter.isascii():
        return letter
    try:
        from confusable_homoglyphs import confusables
    except ImportError:
        raise MissingExtraError("comparing domains", "mail") from None
    found = confusables.is_confusable(letter, preferred_aliases=[], greedy=True)
    for entry in found or ():
        for glyph in entry["homoglyphs"]:
            if len(glyph["c"]) == 1 and glyph["c"].isascii() and glyph["c"].isalnum():
                return str(glyph["c"]).lower()
    plain = unicodedata.normalize("NFKD", letter)[0]
    return plain if plain.isascii() else letter


def looks_like(domain: str, known: tuple[str, ...]) -> Alike | None:
    """Which of the known domains a stranger's domain passes for, the surest way first.

    ``known`` are registrable domains; a domain that is one of them looks like nothing else.
    """
    host = domain.strip(".").lower()
    mine = registrable(host)
    if not mine or mine in known:
        return None
    for like in known:
        how = _how(host, mine, like)
        if how:
            return Alike(mine, like, how)
    return None


def _how(host: str, mine: str, like: str) -> str | None:
    name, tail = mine.split(".", 1)
    model, model_tail = like.split(".", 1)
    if len(model) < 4:  # shorter names are like half of all others
        return "another ending" if name == model and tail != model_tail else None
    if name == model:
        return "another ending"
    if not decoded(mine).isascii() and skeleton(name) == skeleton(model):
        return "letters of another script"
    if skeleton(name) == skeleton(model):
        return "look-alike characters"
    if f".{like}." in f".{host}." or host.startswith(f"{like}."):
        return "the real domain in front of another"
    words = re.split(r"[-_]", name)
    if model in words or name.replace("-", "") == model:
        return "the real name with more words"
    if len(model) >= 5:
        return _typed(decoded(name), model)
    return None


def _typed(name: str, model: str) -> str | None:
    try:
        from rapidfuzz.distance import OSA
    except ImportError:
        raise MissingExtraError("comparing domains", "mail") from None
    most = 2 if len(model) >= 12 else 1
    away = OSA.distance(name, model, score_cutoff=most)
    if away > most:
        return None
    if away == 1 and len(name) == len(model) and _neighbours(name, model):
        return "a neighbouring key"
    return "one letter off" if away == 1 else "two letters off"


def _neighbours(name: str, model: str) -> bool:
    for a, b in zip(name, model, strict=True):
        if a != b:
            return any(a in row and b in row and abs(row.index(a) - row.index(b)) == 1
                       for row in _KEYS)  # fmt: skip
    return False
