"""How the first line of an event is told: by its beginning, in linear time.

A mask is a beginning of fixed length: ``#`` is a digit, ``@`` a letter, anything else itself (a
backslash before one of these takes it literally). Masks are matched at the start of a line only and
repeat nothing, so no line can make them slow.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from whichlever.errors import InputError

Begins = Callable[[bytes], object]
"""Whether a line begins an event: a truth value."""

LONGEST = 200
"""Characters of a rule."""

_TIMES = (
    "####-##-##", "####/##/##", "####.##.##", "##/@@@/####", "##-@@@-####", "##/##/####",
    "##-##-####", "##.##.####", "#/#/####", "#/##/####", "##/#/####", "##/##/##",
    "######  #:##:##", "###### ##:##:##", "@@@ ## ##:##:##", "@@@  # ##:##:##", "@@@ ## #### ##:##",
    "@@@ @@@ ## ##:##", "@@@ @@@  # ##:##", "@@@ # ####", "@@@ ## ####", "##########.###",
    "#############", "##:##:##",
)  # fmt: skip
"""Beginnings of timestamps; the longest digits are seconds and milliseconds since 1970."""
_BEFORE = rb"(?:<\d{1,3}>)?(?:\d{1,10}: )?[\[(\"']?"


def event_rule(said: str) -> Begins | None:
    """The rule that ``--join`` names; None where each line is an event.

    ``none``; ``indent``: a line that is blank, indented or begins with ``Caused by:`` goes with the
    one before; ``timestamp``: an event begins with a timestamp; ``start:MASK|MASK``: an event
    begins as one of these masks says.

    Raises
    ------
    InputError
        It is none of these.
    """
    if said == "none":
        return None
    if said == "indent":
        return re.compile(rb"(?![ \t}]|Caused by:|\.\.\. |\r?\Z)").match
    if said == "timestamp":
        return re.compile(_BEFORE + b"(?:" + b"|".join(map(_mask, _TIMES)) + b")").match
    kind, colon, masks = said.partition(":")
    if kind == "start" and colon and masks.strip("|") and len(masks) <= LONGEST:
        return re.compile(b"|".join(_mask(m) for m in masks.split("|") if m)).match
    raise InputError(
        f"--join {said[:60]!r}: give none, indent, timestamp, or start: and how an event begins "
        "(# a digit, @ a letter), as in 'start:####-##-##'"
    )


def _mask(mask: str) -> bytes:
    parts, escaped = [], False
    for sign in mask:
        if sign == "\\" and not escaped:
            escaped = True
            continue
        kind = {"#": b"[0-9]", "@": b"[A-Za-z]"}.get(sign)
        parts.append(kind if kind and not escaped else re.escape(sign.encode()))
        escaped = False
    return b"".join(parts)
