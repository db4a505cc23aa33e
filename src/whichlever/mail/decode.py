"""Bytes and encoded words of mail to text; a broken charset loses letters, never the mail."""

from __future__ import annotations

import codecs
import re
from email.header import decode_header
from email.utils import getaddresses

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SPACE = re.compile(r"[ \t\r\n]+")


def decode(content: bytes, charset: str | None) -> str:
    """Text of ``content``; an unknown or false charset falls back to UTF-8, then Latin-1."""
    for name in (charset, "utf-8"):
        if not name:
            continue
        try:
            codec = codecs.lookup(name.strip("\"' ")[:40])
        except (LookupError, ValueError, UnicodeError):
            continue
        if not codec._is_text_encoding:  # "rot13", "zip" and alike are no charsets
            continue
        try:
            return codec.decode(content)[0]
        except (UnicodeError, ValueError):
            continue
    return content.decode("latin-1")


def words(value: object, most: int) -> str:
    """A header's value: encoded words (RFC 2047) decoded, folded lines joined, bounded.

    Parameters
    ----------
    value
        As the parser of the standard library gives it, bytes kept as surrogates.
    most
        Characters that are kept.
    """
    raw = str(value)[:most]
    if "=?" not in raw:
        text = _unsurrogate(raw)
    else:
        try:
            pieces = decode_header(_unsurrogate(raw))
        except Exception:  # binascii and header errors of many kinds
            pieces = [(_unsurrogate(raw), None)]
        text = "".join(
            decode(piece, charset) if isinstance(piece, bytes) else piece
            for piece, charset in pieces
        )
    return plain(_SPACE.sub(" ", text)).strip()[:most]


def plain(text: str) -> str:
    """Text without control characters, which would reach a terminal or a page."""
    return _CONTROL.sub("", text)


def addresses(values: list[str], most: int = 1000) -> list[tuple[str, str]]:
    """(display name, address in lower case) of address headers, at most ``most``."""
    # "From: Parcel Service" holds nobody's address, and its words are a name.
    names = [(value.strip(' "'), "") for value in values if "@" not in value]
    rest = [v.encode("utf-8", "replace").decode("utf-8") for v in values if "@" in v]
    try:
        found = getaddresses(rest, strict=False)  # type: ignore[call-arg,unused-ignore]
    except TypeError:  # Python without the strict parameter
        found = getaddresses(rest)
    kept = names + [(n.strip(), a.strip().lower() if "@" in a else "") for n, a in found]
    return [(name, address) for name, address in kept if name or address][:most]


def _unsurrogate(text: str) -> str:
    if text.isascii():
        return text
    try:
        return decode(text.encode("ascii", "surrogateescape"), None)
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode("utf-8")
