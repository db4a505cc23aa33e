"""A closed answer is a choice: levers that choose among labels see the answers as labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from whichlever.task import Task

MOST_ANSWERS = 200
"""Different answers above which no closed set is taken for granted."""

LEAST_ROWS_EACH = 4.0
"""Rows per answer, on average, below which they are."""


def as_choice(task: Task) -> Task:
    """The same task as one that chooses: what levers, audit and bundles of labels are given.

    An answer that is one of the set is right exactly where its label is, so what such a lever
    chooses on validation rows it chooses by accuracy. So is whether a person wrote it a choice
    between two labels. A task of another kind is given back.
    """
    if task.kind not in ("generate", "verify"):
        return task
    goal = task.goal.model_copy(update={"metric": "accuracy", "at_least": {}})
    return task.model_copy(update={"kind": "classify", "goal": goal, "answers": None})


def looks_closed(targets: Sequence[str]) -> bool:
    """Whether targets of rows outside test look like a closed set of answers."""
    distinct = len(Counter(targets))
    return 2 <= distinct <= MOST_ANSWERS and len(targets) >= LEAST_ROWS_EACH * distinct
