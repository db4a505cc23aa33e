"""What a variable of a shape may hold, from the values that stood there."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from whichlever.fields import timestamps

# Characters that seldom stand inside a value: they structure a line, and find its shapes quickly.
STRUCTURE = " \t\n\r\f\v\0\"'`()[]{}<>=,;|&%#^!"
# The same as ranges: an expression holds it many times, and reading it is what compiling costs.
_STRUCTURE = r"\0\t-\r -#%-),;->[\]^`{-}"
_SETS = {
    "digits": "[0-9]",
    "number": "[0-9.+-]",
    "address": "[0-9A-Fa-f.:]",
    "token": f"[^{_STRUCTURE}]",
    "any": r"[\s\S]",
}
_IP4 = r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}"
KINDS = (*_SETS, "ip4", "form", "blank")
_WHOLE = {name: re.compile(f"{inside}+") for name, inside in _SETS.items()} | {
    "ip4": re.compile(_IP4),
    "blank": re.compile(" +"),
}
_IP6 = re.compile(r"(?=[^:]*:[^:]*:)[0-9A-Fa-f:.]+")
_RUN = re.compile(r"[A-Za-z]+|[0-9]+| +|.", re.DOTALL)
_FORM_PART = {"a": "[A-Za-z]++", "9": "[0-9]++", "Y": "[0-9]{4}", "P": "[AaPp][Mm]", "_": " {1,2}"}
_KEPT = frozenset({"T", "Z", "UTC", "GMT"})
"""Letters of a timestamp that say how the rest is read: other letters are another form."""
NOTHING = re.compile(r"-{1,3}")
"""What stands in many logs for no value at all."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A place of a shape that holds some text, at least one character.

    Attributes
    ----------
    kind
        One of ``KINDS``: the characters it may hold; ``form`` is a timestamp's own form, ``blank``
        a run of spaces.
    lazy
        Whether values may hold the character that the next literal begins with; the value then
        ends where that whole literal first stands.
    nothing
        Whether a value may be ``-``, which in many logs stands for no value.
    form
        For ``form``: ``a`` letters, ``9`` digits, ``Y`` four digits, ``P`` AM or PM, ``_`` one or
        two blanks, any other character (and T, Z, UTC, GMT) itself.
    """

    kind: str
    lazy: bool = False
    nothing: bool = False
    form: str = ""

    def joined(self, other: Variable) -> Variable:
        """Return the narrowest variable that holds what both hold; forms must be the same."""
        if self == other:
            return self
        return Variable(
            _joined(self.kind, other.kind), self.lazy or other.lazy, self.nothing or other.nothing
        )

    def holds(self, text: str, following: str) -> bool:
        """Whether a text may stand here before a literal (empty: the end, or a variable)."""
        if self.kind == "form":
            return form_of(text) == self.form
        inside = _WHOLE[self.kind].fullmatch(text) is not None
        if self.lazy or not following:
            return inside
        return inside and following[0] not in text

    def pattern(self, following: str) -> str:
        """Write the regular expression: possessive, or atomic up to the literal that follows."""
        if self.kind == "form":
            return "".join(_FORM_PART.get(c) or re.escape(c) for c in self.form)
        if self.kind in ("ip4", "blank"):
            return _IP4 if self.kind == "ip4" else " ++"
        inside = _SETS[self.kind]
        end = f"[{re.escape(following[0])}]" if following else r"\Z"
        dashes = "" if self.nothing or self.kind not in ("token", "any") else f"(?!-{{1,3}}{end})"
        if not following:
            return f"{dashes}{inside}++"
        if self.lazy:
            return f"{dashes}(?>{inside}+?(?={re.escape(following)}))"
        return f"{dashes}{self._without(following[0])}++"

    def _without(self, mark: str) -> str:
        if self.kind == "any":
            return f"[^{re.escape(mark)}]"
        if self.kind == "token":
            return f"[^{_STRUCTURE}{'' if mark in STRUCTURE else re.escape(mark)}]"
        return _SETS[self.kind]

    @property
    def stand_in(self) -> str | None:
        """A text with the structuring characters of each value; None where values differ."""
        if self.kind in ("any", "blank"):
            return None
        return self.form.replace("_", " ") if self.kind == "form" else "a"


def form_of(text: str) -> str:
    """Letters, digits and blanks of a timestamp as its form (``Variable.form``), runs as one."""
    out = ""
    for run in _RUN.findall(text):
        if run in _KEPT:
            out += run
        elif run[0].isalpha() and run[0].isascii():
            out += "P" if run.upper() in ("AM", "PM") else "a"
        elif run[0].isdigit() and run[0].isascii():
            out += "Y" if len(run) == 4 and out[-1:] not in (".", ",") else "9"
        else:
            out += "_" if run[0] == " " else run
    return out


def variable_for(text: str, following: str) -> Variable:
    """Return the variable that a value suggests: digits stay digits, words become any token."""
    if text.isdigit() and text.isascii():
        kind = "digits"
    elif text.isspace() and _WHOLE["blank"].fullmatch(text):
        kind = "blank"
    elif _WHOLE["ip4"].fullmatch(text):
        kind = "ip4"
    elif _IP6.fullmatch(text):
        kind = "address"
    elif (form := _timestamp_form(text)) is not None:
        return Variable("form", form=form)
    elif _WHOLE["number"].fullmatch(text) and any(c.isdigit() for c in text):
        kind = "number"
    elif _WHOLE["token"].fullmatch(text):
        kind = "token"
    else:
        kind = "any"
    found = Variable(kind, nothing=NOTHING.fullmatch(text) is not None)
    return found if found.holds(text, following) else replace(found, lazy=True)


def _timestamp_form(text: str) -> str | None:
    if ":" not in text or "_" in text or len(text) > 60 or timestamps.read(text) is None:
        return None
    return form_of(text)


def _joined(one: str, other: str) -> str:
    pair = {one, other}
    if len(pair) == 1:
        return one
    if pair & {"any", "form", "blank"}:
        return "any"
    if pair == {"digits", "number"}:
        return "number"
    return "address" if pair == {"ip4", "address"} else "token"
