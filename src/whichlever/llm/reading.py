"""Reading a label out of what a model wrote, where the set of labels is closed.

The same reading as the levers that ask a model here: `options.answered`. A sentence is not searched
for a label, so an answer that names none, or two, is no answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from whichlever.llm.options import answered

MOST_READ = 20_000
"""Characters of an answer that are read; a label is never so long."""

_FIELDS = ("label", "answer")
_FENCE = re.compile(r"\s*```[a-zA-Z]*\s*\n?(.*?)\n?\s*```\s*", re.DOTALL)


class LabelReader:
    """Reads answers against one set of labels.

    Labels that differ in case alone are told apart only by their exact spelling.
    """

    def __init__(self, labels: Sequence[str]) -> None:
        self._labels = tuple(labels)
        self._exact = frozenset(labels)
        self._folded: dict[str, str | None] = {}
        for label in labels:
            key = _fold(label)
            self._folded[key] = None if key in self._folded else label

    def read(self, said: str) -> str | None:
        """The label that an answer names; None where it names none, or more than one."""
        if said in self._exact:
            return said
        said = unwrapped(said)
        if said in self._exact:
            return said
        return self._folded.get(_fold(said)) or answered(said, self._labels, "none")


def unwrapped(said: str) -> str:
    """The answer without a fence of Markdown or the JSON object that was asked for around it.

    An object gives its ``label`` or ``answer``, else its only field; anything else stays as it is.
    """
    said = said[:MOST_READ].strip()
    fenced = _FENCE.fullmatch(said)
    inner = fenced[1].strip() if fenced else said
    if not inner.startswith("{"):
        return inner
    try:
        values = json.loads(inner)
    except (ValueError, RecursionError):
        return said
    found = named(values)
    return said if found is None else found


def named(values: Any) -> str | None:  # noqa: ANN401 - any JSON value
    """The text that an answer's object names; None where it names none, or several."""
    if not isinstance(values, dict):
        return None
    for field in _FIELDS:
        if field in values:
            return values[field] if isinstance(values[field], str) else None
    texts = list(values.values())
    return texts[0] if len(texts) == 1 and isinstance(texts[0], str) else None


def _fold(text: str) -> str:
    return " ".join(text.split()).casefold()
