"""The levers of `kind: extract`, from a task's ``levers:``."""

from __future__ import annotations

from whichlever.levers.base import Lever
from whichlever.task import Task


def family_for_fields(task: Task, name: str) -> list[Lever]:
    """Make one family; each is imported only when the task asks for it."""
    chosen = task.levers
    made: list[Lever] = []
    if name == "majority":
        from whichlever.levers.columns import Columns

        made = [Columns()]
    elif name == "rag" and chosen.rag is not None:
        from whichlever.levers.span_vote import SpanVote

        made = [SpanVote(chosen.rag)]
    return made
