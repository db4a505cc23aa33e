"""What a judged mail is told in its own headers: ASCII, folded, nothing of it the sender's word."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from whichlever.mail.scan import MailVerdict

PREFIX = "x-whichlever-"
"""Headers of this name (lower case) are ours; those that a mail brings along are removed."""

VERDICT, SCORE, REASONS, SIGNALS, NOTE = (
    "X-Whichlever-Verdict", "X-Whichlever-Score", "X-Whichlever-Reasons", "X-Whichlever-Signals",
    "X-Whichlever-Note",
)  # fmt: skip

UNCHECKED = "unchecked"
"""The verdict of a mail that passes though it could not be judged."""

MOST_REASONS, MOST_CHARS, LINE = 5, 200, 76


class HeaderLine(NamedTuple):
    """A header field; a line feed and a space in the value is where it is folded."""

    name: str
    value: str


def verdict_headers(found: MailVerdict, notes: Sequence[str] = ()) -> list[HeaderLine]:
    """The headers of a judged mail, in order."""
    lines = [HeaderLine(VERDICT, found.verdict), HeaderLine(SCORE, f"{found.score:.4f}")]
    if found.reasons:
        said = "; ".join(escaped(reason) for reason in found.reasons[:MOST_REASONS])
        lines.append(HeaderLine(REASONS, folded(said)))
    if found.codes:
        lines.append(HeaderLine(SIGNALS, folded(", ".join(found.codes))))
    return lines + _noted(notes)


def unchecked_headers(why: str, notes: Sequence[str] = ()) -> list[HeaderLine]:
    """The headers of a mail that could not be judged."""
    return [HeaderLine(VERDICT, UNCHECKED), *_noted([why, *notes])]


def escaped(text: str) -> str:
    """A reason, in printable ASCII that no reader decodes into anything else.

    Reasons quote the mail: domains, names, link texts. Other alphabets are written as escapes, so
    that a homoglyph is seen; a quoted ``=?`` would be decoded by mail readers (RFC 2047), and ``;``
    would begin a reason of the sender's own.
    """
    short = text if len(text) <= MOST_CHARS else text[: MOST_CHARS - 3] + "..."
    short = short.translate(_READABLE).replace("\\", "\\\\")
    plain = short.encode("ascii", "backslashreplace").decode("ascii")
    plain = "".join(c if " " <= c <= "~" else " " for c in plain)
    return " ".join(plain.replace("=?", "= ?").replace(";", ",").split())


def folded(value: str) -> str:
    """A value in lines of at most 78 characters (RFC 5322 2.1.1), where its words allow it."""
    lines: list[str] = []
    room = LINE - len(REASONS) - 2
    line = ""
    for word in value.split(" "):
        for part in _parts(word):
            if line and len(line) + 1 + len(part) > room:
                lines.append(line)
                line, room = part, LINE
            else:
                line = f"{line} {part}" if line else part
    return "\n ".join([*lines, line])


def _parts(word: str) -> list[str]:
    """A word in pieces that fit into a line."""
    most = LINE - len(REASONS) - 2
    return [word[at : at + most] for at in range(0, len(word), most)] or [""]


def _noted(notes: Sequence[str]) -> list[HeaderLine]:
    said = [escaped(note) for note in notes if note]
    return [HeaderLine(NOTE, folded("; ".join(said)))] if said else []


_READABLE = str.maketrans({"“": '"', "”": '"', "’": "'", "…": "...", "–": "-", "→": "->"})
