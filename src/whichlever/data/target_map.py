"""From what an analyst's tool says of a row to the task's labels; what says none is counted."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from whichlever.data.findings import Audit, Finding, in_order
from whichlever.errors import TaskError
from whichlever.render.plain import pointer

MOST_VALUES = 1_000
"""Different values counted apart; a column with more is not one of verdicts."""

SHOWN = 6

_GAP = re.compile(r"[\s_-]+")


def folded(value: str) -> str:
    """A verdict without what tools write differently: case, and blank, hyphen or underscore."""
    return _GAP.sub(" ", value).strip().casefold()


class TargetMap:
    """Looks labels up; remembers what could not be.

    Parameters
    ----------
    labels
        From a value of the target column to a label. "False Positive" means ``false_positive``
        too.
    column
        The column, or JSON pointer, that holds it: one value, or a list of which each is looked
        up.

    Raises
    ------
    TaskError
        Two values that are the same here mean two labels.
    """

    def __init__(self, labels: Mapping[str, str], column: str) -> None:
        self._labels: dict[str, str] = {}
        for value, label in labels.items():
            if self._labels.setdefault(folded(value), label) != label:
                raise TaskError(
                    f"data.target_map: {value!r} stands there twice, with different labels (case, "
                    "blanks, hyphens and underscores tell no values apart)"
                )
        self._column = column
        self.unlabelled: Counter[str] = Counter()

    def label(self, record: Mapping[str, Any]) -> str | None:
        """The label of a record; None where its value is no key, or its values mean two labels."""
        try:
            value = pointer(record, self._column)
        except (KeyError, TypeError):
            value = None
        said = [_word(item) for item in (value if isinstance(value, list) else [value])]
        found = {self._labels[folded(word)] for word in said if folded(word) in self._labels}
        if len(found) == 1:
            return found.pop()
        shown = ", ".join(said)[:80] or "(nothing)"
        if shown not in self.unlabelled and len(self.unlabelled) >= MOST_VALUES:
            shown = "(other values)"
        self.unlabelled[shown] += 1
        return None


def say_unlabelled(unlabelled: Mapping[str, int]) -> str:
    """The values that gave no label, the commonest first: ``'open' 120, 'acknowledged' 30``."""
    ordered = sorted(unlabelled.items(), key=lambda pair: (-pair[1], pair[0]))
    said = ", ".join(f"{value!r} {count:,}" for value, count in ordered[:SHOWN])
    return said + (f" and {len(ordered) - SHOWN} more values" if len(ordered) > SHOWN else "")


def with_unlabelled(audit: Audit, unlabelled: Mapping[str, int]) -> Audit:
    """The audit with a finding about the rows that were left out for want of a label."""
    count = sum(unlabelled.values())
    if not count:
        return audit
    note = Finding(
        kind="unlabelled",
        severity="info",
        text=f"{count:,} rows have no label by data.target_map and are in no role: "
        f"{say_unlabelled(unlabelled)}.",
        count=count,
        remedy="Map these values to labels if they mean one; rows nobody has judged stay out.",
    )
    return audit.model_copy(update={"findings": in_order([*audit.findings, note])})


def _word(value: Any) -> str:  # noqa: ANN401 - any JSON value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)[:200] if isinstance(value, str | int | float) else "(nested)"
