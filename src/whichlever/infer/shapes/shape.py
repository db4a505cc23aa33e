"""A compiled shape: literals, variables, and which of them carry names; as matcher and as JSON."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from whichlever.errors import DataError
from whichlever.infer.shapes.classes import KINDS, Variable

Part = str | Variable
MAX_PARTS = 600
MAX_LITERAL = 4_096


@dataclass(frozen=True, slots=True)
class Named:
    """Parts ``first`` to ``last`` (inclusive) of a shape carry these names."""

    first: int
    last: int
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Skeleton:
    """What a shape is, without what is known of it.

    Attributes
    ----------
    parts
        Literals (text) and variables; two literals are neighbours only where names begin or end.
    named
        Ascending by first part, the longer first; they nest and never cross.
    source
        Kind of device or program whose lines have the shape; None where unknown.
    """

    parts: tuple[Part, ...]
    named: tuple[Named, ...]
    source: str | None = None

    @property
    def identity(self) -> tuple[object, ...]:
        """Equal for skeletons that differ only in what their variables may hold."""
        return (
            self.source,
            tuple(part if isinstance(part, str) else (part.form,) for part in self.parts),
            self.named,
        )

    @property
    def name(self) -> str:
        """A short stable name: ten hexadecimal digits."""
        return hashlib.blake2s(repr(self.identity).encode("utf-8", "surrogatepass")).hexdigest()[
            :10
        ]

    def following(self, index: int) -> str:
        """Return the literal right after a part, empty at the end or before a variable."""
        after = self.parts[index + 1] if index + 1 < len(self.parts) else ""
        return after if isinstance(after, str) else ""

    def regex(self) -> re.Pattern[str]:
        """Compile; group ``n`` is ``named[n - 1]``. Linear: nothing in it is tried twice."""
        opening: dict[int, int] = {}
        closing: dict[int, int] = {}
        for one in self.named:
            opening[one.first] = opening.get(one.first, 0) + 1
            closing[one.last] = closing.get(one.last, 0) + 1
        out = []
        for index, part in enumerate(self.parts):
            opened, closed = "(" * opening.get(index, 0), ")" * closing.get(index, 0)
            if isinstance(part, str):
                out.append(f"{opened}{re.escape(part)}{closed}")
            else:
                out.append(f"{opened}{part.pattern(self.following(index))}{closed}")
        return re.compile("".join(out))

    def texts(self, line: str) -> list[str] | None:
        """Return what each part holds in a line that matches (joined, they are the line)."""
        every = tuple(Named(at, at, ("",)) for at in range(len(self.parts)))
        match = Skeleton(self.parts, every).regex().fullmatch(line)
        return None if match is None else list(match.groups())

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; :meth:`from_json` reads it again."""
        return {
            "source": self.source,
            "parts": [
                part if isinstance(part, str) else _variable_json(part) for part in self.parts
            ],
            "named": [[one.first, one.last, list(one.names)] for one in self.named],
        }

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Skeleton:
        """Read what :meth:`to_json` wrote.

        Raises
        ------
        DataError
            It is no skeleton, or one that this version would not write.
        """
        try:
            parts = tuple(_part(one) for one in found["parts"])
            named = tuple(
                Named(int(first), int(last), tuple(sorted(str(n) for n in names)))
                for first, last, names in found["named"]
            )
            source = found["source"]
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"this is no compiled shape ({error}); pack the model again") from None
        made = cls(parts, named, None if source is None else str(source))
        made.check()
        return made

    def check(self) -> None:
        """Refuse a skeleton that breaks its own rules.

        Raises
        ------
        DataError
            Too many parts, an empty or doubled literal, or names that cross or are out of range.
        """
        bad = not self.parts or len(self.parts) > MAX_PARTS
        bad |= any(isinstance(p, str) and not 0 < len(p) <= MAX_LITERAL for p in self.parts)
        open_ends: list[int] = []
        before = (-1, 0)
        for one in self.named:
            bad |= not (0 <= one.first <= one.last < len(self.parts)) or not one.names
            bad |= (one.first, -one.last) < before
            before = (one.first, -one.last)
            while open_ends and open_ends[-1] < one.first:
                open_ends.pop()
            bad |= bool(open_ends) and open_ends[-1] < one.last
            open_ends.append(one.last)
        if bad:
            raise DataError("this is no compiled shape (its parts or names do not fit together)")


def _variable_json(part: Variable) -> dict[str, Any]:
    found: dict[str, Any] = {"holds": part.kind}
    for name in ("lazy", "nothing", "form"):
        if value := getattr(part, name):
            found[name] = value
    return found


def _part(found: Any) -> Part:  # noqa: ANN401 - JSON value
    if isinstance(found, str):
        return found
    lazy, nothing, form = (
        found.get(n, d) for n, d in (("lazy", False), ("nothing", False), ("form", ""))
    )
    flags = isinstance(lazy, bool) and isinstance(nothing, bool) and isinstance(form, str)
    if found["holds"] not in KINDS or not flags or (found["holds"] == "form") != bool(form):
        raise ValueError(f"no variable {found!r}")
    return Variable(found["holds"], lazy, nothing, form[:200])


def tidy(parts: Sequence[Part], named: Sequence[Named], source: str | None) -> Skeleton:
    """Make a skeleton of parts in which literals may be neighbours and names refer to parts."""
    kept: list[Part] = []
    place: list[int] = []
    starts = {one.first for one in named}
    ends = {one.last for one in named}
    for index, part in enumerate(parts):
        glued = (
            isinstance(part, str)
            and bool(kept)
            and isinstance(kept[-1], str)
            and index not in starts
            and index - 1 not in ends
        )
        if glued:
            kept[-1] = f"{kept[-1]}{part}"
        else:
            kept.append(part)
        place.append(len(kept) - 1)
    moved = tuple(Named(place[one.first], place[one.last], one.names) for one in named)
    return Skeleton(tuple(kept), moved, source)


@dataclass(slots=True)
class Evidence:
    """What is known of a shape.

    Attributes
    ----------
    lines
        Different lines that it was learned from.
    right, wrong
        Lines on which a label or the tagger, asked again, agreed or not.
    confidence
        Mean confidence of the answers it was learned from.
    """

    lines: int = 0
    right: int = 0
    wrong: int = 0
    confidence: float = 1.0

    def share(self) -> float:
        """Confidence of its answers: what it was learned from, as far as checks bore it out."""
        checked = self.right + self.wrong
        return self.confidence * (1 + self.right) / (1 + checked) if checked else self.confidence
