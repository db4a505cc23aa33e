"""A shape's regular expression in the dialects of others: Oniguruma, PCRE, and Rust's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from whichlever.infer.shapes.classes import STRUCTURE, Variable
from whichlever.infer.shapes.shape import Skeleton

_SPECIAL = frozenset("\\.+*?()|[]{}^$")
_STRUCTURE = r"\x00\x09-\x0d\x20-\x23\x25-\x29\x2c\x3b-\x3e\x5b\x5d-\x5e\x60\x7b-\x7d"
_SETS = {"digits": "[0-9]", "number": "[0-9.+-]", "address": "[0-9A-Fa-f.:]", "any": r"[\s\S]"}
_FORM_PART = {"a": "[A-Za-z]+", "9": "[0-9]+", "Y": "[0-9]{4}", "P": "[AaPp][Mm]", "_": " {1,2}"}
IP4 = r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}"


@dataclass(frozen=True, slots=True)
class Dialect:
    """What an engine has.

    Attributes
    ----------
    atomic
        Atomic groups, possessive repeats and lookahead. An engine without them (Rust's) runs in
        linear time anyway, and finds the same spans in every line that a shape matches: the
        leftmost place of a literal is what it prefers too.
    """

    atomic: bool


GROK = Dialect(atomic=True)
RUST = Dialect(atomic=False)


def quoted(text: str) -> str:
    """Write a literal as every dialect reads it, on one line."""
    return "".join(
        f"\\{c}" if c in _SPECIAL else
        f"\\x{ord(c):02x}" if ord(c) < 32 or c in "\x7f'" else c
        for c in text
    )  # fmt: skip


def of_variable(part: Variable, following: str, dialect: Dialect) -> str:
    """Write a variable's expression."""
    if part.kind == "form":
        return "".join(_FORM_PART.get(c) or quoted(c) for c in part.form)
    if part.kind in ("ip4", "blank"):
        return IP4 if part.kind == "ip4" else " +"
    plus = "++" if dialect.atomic else "+"
    inside = _SETS.get(part.kind, f"[^{_STRUCTURE}]")
    if not following:
        return f"{_not_nothing(part, '', dialect)}{inside}{plus}"
    if part.lazy and dialect.atomic:
        lazy = f"(?>{inside}+?(?={quoted(following)}))"
        return f"{_not_nothing(part, following, dialect)}{lazy}"
    if part.lazy:
        return f"{inside}+?"
    mark = following[0]
    if part.kind == "any":
        inside = f"[^{_in_set(mark)}]"
    elif part.kind == "token" and mark not in STRUCTURE:
        inside = f"[^{_STRUCTURE}{_in_set(mark)}]"
    return f"{_not_nothing(part, following, dialect)}{inside}{plus}"


def _in_set(mark: str) -> str:
    return f"\\x{ord(mark):02x}" if ord(mark) < 128 else mark


def _not_nothing(part: Variable, following: str, dialect: Dialect) -> str:
    """Refuse dashes for no value; where there is no lookahead, the caller checks the value."""
    if not dialect.atomic or not refuses_nothing(part):
        return ""
    return rf"(?!-{{1,3}}{quoted(following[0]) if following else '$'})"


def refuses_nothing(part: Variable) -> bool:
    """Whether a value of dashes alone is none of this variable's."""
    return not part.nothing and part.kind in ("token", "any")


def expression(skeleton: Skeleton, dialect: Dialect, capture: Callable[[int, str], str]) -> str:
    """Write a whole shape, without anchors; ``capture`` wraps the expression of a named span.

    Parameters
    ----------
    capture
        From the index in ``skeleton.named`` and the expression inside to what captures it.
    """
    pending: list[tuple[int, list[str]]] = []  # named spans under way, and what is in them
    out: list[str] = []
    for at, part in enumerate(skeleton.parts):
        for index, one in enumerate(skeleton.named):
            if one.first == at:
                pending.append((index, out))
                out = []
        text = (
            quoted(part)
            if isinstance(part, str)
            else of_variable(part, skeleton.following(at), dialect)
        )
        out.append(text)
        while pending and skeleton.named[pending[-1][0]].last == at:
            index, outer = pending.pop()
            outer.append(capture(index, "".join(out)))
            out = outer
    return "".join(out)
