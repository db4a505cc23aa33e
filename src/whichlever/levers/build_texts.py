"""The levers of `kind: generate` with open answers, from a task's ``levers:``."""

from __future__ import annotations

from whichlever.errors import TaskError
from whichlever.levers.base import Lever
from whichlever.task import Task


def family_for_texts(task: Task, name: str) -> list[Lever]:
    """Make one family; each is imported only when the task asks for it.

    Raises
    ------
    TaskError
        The task asks for a lever that chooses among labels.
    """
    chosen = task.levers
    made: list[Lever] = []
    if name == "majority":
        from whichlever.levers.copied import Copied
        from whichlever.levers.majority import Majority

        made = [Copied(Majority())]
    elif name == "prompt" and chosen.prompt is not None:
        from whichlever.levers.prompt import Prompt

        made = [Prompt(chosen.prompt)]
    elif name == "rag" and chosen.rag is not None:
        from whichlever.levers.copied import Copied
        from whichlever.levers.rag_vote import RagVote

        made = [Copied(RagVote(chosen.rag))]
        if not chosen.rag.vote_only:
            from whichlever.levers.rag import Rag

            made.append(Rag(chosen.rag))
    elif name == "finetune" and chosen.finetune is not None:
        others = [rung for rung in chosen.finetune.rungs if rung != "decoder"]
        if others:
            raise TaskError(
                f"levers.finetune.rungs: {others[0]} chooses among labels; with answers: open only "
                "decoder writes"
            )
        from whichlever.levers.finetune_decoder import FinetuneDecoder

        made = [FinetuneDecoder(chosen.finetune)]
    return made
