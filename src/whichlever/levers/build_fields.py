"""The levers of `kind: extract`, from a task's ``levers:``."""

from __future__ import annotations

from whichlever.levers.base import Lever
from whichlever.task import RagSettings, Task


def family_for_fields(task: Task, name: str) -> list[Lever]:
    """Make one family; each is imported only when the task asks for it."""
    chosen = task.levers
    made: list[Lever] = []
    if name == "majority":
        from whichlever.levers.columns import Columns

        made = [Columns()]
    elif name == "linear":
        from whichlever.levers.linear_fields import LinearFields

        made = [LinearFields(chosen.linear)]
    elif name == "prompt" and chosen.prompt is not None:
        from whichlever.levers.prompt_fields import PromptFields

        made = [PromptFields(chosen.prompt)]
    elif name == "rag" and chosen.rag is not None:
        made = _rag(chosen.rag)
    elif name == "finetune" and chosen.finetune is not None:
        from whichlever.levers.finetune_tagger import FinetuneTagger

        made = [FinetuneTagger(chosen.finetune)]
    return made


def _rag(settings: RagSettings) -> list[Lever]:
    from whichlever.levers.span_vote import SpanVote

    made: list[Lever] = [SpanVote(settings)]
    if not settings.vote_only:
        from whichlever.levers.rag_fields import RagFields

        made.append(RagFields(settings))
    return made
