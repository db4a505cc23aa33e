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
        raise TaskError(
            "levers.prompt asks for one of a closed set of answers; with answers: open take it "
            "out, and give what a model answered under levers.recorded"
        )
    elif name == "rag" and chosen.rag is not None:
        if not chosen.rag.vote_only:
            raise TaskError(
                "levers.rag asks a model for one of a closed set of answers; with answers: open "
                "say vote_only: true, which copies the nearest row's answer"
            )
        from whichlever.levers.copied import Copied
        from whichlever.levers.rag_vote import RagVote

        made = [Copied(RagVote(chosen.rag))]
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
