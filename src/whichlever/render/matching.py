"""Which words of a description are found in what it describes.

A rule says what it looks for, an event says what happened. A model that reads both as one text
learns the words of the rules it has seen; under a rule that it has not, they mean nothing. Whether
the rule's words are *found in the event* means the same under every rule.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

_WORD = re.compile(r"[A-Za-z][a-z]++|[A-Z]{2,}+|\d++")
_SMALL_WORDS = (
    "a an and are as be by can detects for from has in indicate indicates is it may of on or that "
    "the this to user was when which with"
)
_STOP = frozenset(_SMALL_WORDS.split())

MOST_CHARS = 5_000
"""How much of a description is read."""
MOST_MARKS = 300
MOST_VALUES = 5_000
MOST_DEPTH = 32


def words(text: str) -> list[str]:
    """Words in lower case; ``DeleteBucketPolicy`` and ``delete_bucket`` come apart."""
    return [word.lower() for word in _WORD.findall(text)]


def matched(description: str, body: str) -> str:
    """One mark per word of the description, by where it is found in the body.

    ``has_delete``: in a value; ``key_delete``: only in the name of a field; ``lacks_delete``:
    nowhere. Then the shares found, in tenths (``found_3``; of the first line, ``title_5``), and
    whether the body says true or false anywhere (``says_true``, ``says_false``).

    Parameters
    ----------
    description
        Such as a rule's title and explanation. Where it goes on to quote the body, that part is
        left out.
    body
        A JSON object as text, else plain text, which is all value.
    """
    told = _without(description, body)[:MOST_CHARS]
    names, values, flags = _parts(body)
    marks = []
    asked = dict.fromkeys(w for w in words(told) if w not in _STOP)
    for word in asked:
        where = "has" if word in values else "key" if word in names else "lacks"
        marks.append(f"{where}_{word}")
        if len(marks) >= MOST_MARKS:
            break
    title = dict.fromkeys(w for w in words(told.split("\n", 1)[0]) if w not in _STOP)
    for name, group in (("found", asked), ("title", title)):
        if group:
            marks.append(f"{name}_{10 * sum(w in values for w in group) // len(group)}")
    marks += [f"says_{str(flag).lower()}" for flag in sorted(flags)]
    return " ".join(marks)


def _without(description: str, body: str) -> str:
    """The description up to where it quotes the body."""
    start = body.strip()[:40]
    found = description.find(start) if len(start) >= 20 else -1
    return description if found < 0 else description[:found]


def _parts(body: str) -> tuple[set[str], set[str], set[bool]]:
    """Words of the body's field names and of its values, and the booleans among them."""
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return set(), set(words(body)), set()
    names: set[str] = set()
    values: set[str] = set()
    flags: set[bool] = set()
    for name, value in _leaves(parsed):
        names.update(words(name))
        if isinstance(value, bool):
            flags.add(value)
        values.update(words(str(value)))
    return names, values, flags


def _leaves(parsed: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - any JSON value
    """Names and values, without recursion; what is deeper or more than the bounds is left out."""
    waiting: list[tuple[str, Any, int]] = [("", parsed, 0)]
    given = 0
    while waiting and given < MOST_VALUES:
        name, value, depth = waiting.pop()
        inside = (
            value.items()
            if isinstance(value, dict)
            else ((name, v) for v in value)
            if isinstance(value, list)
            else None
        )
        if inside is None:
            given += 1
            yield name, value
        elif depth < MOST_DEPTH:
            waiting += [(str(n), v, depth + 1) for n, v in inside]
