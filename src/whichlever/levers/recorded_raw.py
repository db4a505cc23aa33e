"""An answer as some file holds it, before it is known whose row it answers."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from whichlever.llm.wording import MARKS, neutral
from whichlever.predict import Usage

MAX_ID = 1_000
"""Characters of an id; a longer text names no row."""

_MARKED = re.compile(f"{re.escape(MARKS[0])}\n(.*)\n{re.escape(MARKS[1])}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Raw:
    """One answer.

    Attributes
    ----------
    ids
        What may be the id of the row, the likeliest first; one, where the format says it.
    inputs
        Digests of what may be the row's text (see `text_key`), where a log holds no id.
    said
        The model's words; None where it gave none.
    error
        What went wrong instead.
    usage
        What the answer used, as far as it is stated.
    model
        The model, as the file names it; files with several are read one at a time.
    where
        The file and line that errors name.
    """

    ids: tuple[str, ...]
    said: str | None
    error: str | None
    usage: Usage
    where: str
    inputs: tuple[bytes, ...] = ()
    model: str | None = None


def text_key(text: str) -> bytes:
    """The digest that a row's text is found by; blanks and line ends tell no texts apart."""
    plain = " ".join(text.split()).encode("utf-8", "replace")
    return hashlib.blake2b(plain, digest_size=16).digest()


def row_keys(text: str) -> tuple[bytes, ...]:
    """The digests that a row's text may have in a log: as it is, and as a request quotes it."""
    return tuple(dict.fromkeys((text_key(text), text_key(neutral(text)))))


def input_keys(texts: Iterable[str]) -> tuple[bytes, ...]:
    """Digests of what a request asked: each text whole, and what stands between our own marks."""
    keys = []
    for text in texts:
        keys.append(text_key(text))
        if (inside := marked(text)) is not None:
            keys.append(text_key(inside))
    return tuple(dict.fromkeys(keys))


def marked(text: str) -> str | None:
    """What stands between our own marks in what was asked; None where they are not there."""
    found = _MARKED.search(text)
    return None if found is None else found[1]


def ids_of(*values: Any) -> tuple[str, ...]:  # noqa: ANN401 - any JSON values
    """Those of the values that may be an id, as text, in order."""
    found = []
    for value in values:
        if isinstance(value, bool) or not isinstance(value, str | int):
            continue
        if isinstance(value, str) and not 0 < len(value) <= MAX_ID:
            continue
        found.append(str(value) if isinstance(value, str) or abs(value) < 10**300 else "")
    return tuple(dict.fromkeys(word for word in found if word))


def mapping(value: Any) -> Mapping[str, Any]:  # noqa: ANN401 - any JSON value
    """An object as it is; an empty one for anything else."""
    return value if isinstance(value, Mapping) else {}
