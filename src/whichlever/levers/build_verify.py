"""The levers of `kind: verify`, from a task's ``levers:``."""

from __future__ import annotations

from whichlever.levers.base import Lever
from whichlever.task import Task


def family_for_verify(task: Task, name: str) -> list[Lever]:
    """Make one family; each is imported only when the task asks for it."""
    if name == "majority":
        from whichlever.levers.majority import Majority

        return [Majority()]
    if name == "linear":
        from whichlever.levers.linear_verify import LinearVerify

        return [LinearVerify()]
    if name == "finetune" and task.levers.finetune is not None:
        from whichlever.levers.finetune_style import FinetuneStyle

        return [FinetuneStyle()]
    return []
