"""The students of ``levers.distill``, one for each rung that is to learn."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from whichlever.errors import TaskError
from whichlever.levers.base import Lever
from whichlever.levers.distilled import Distilled
from whichlever.task import FinetuneSettings, Task


def students(task: Task, teachers: Sequence[Lever], only: Collection[str] | None) -> list[Lever]:
    """Make the students that are asked for.

    Parameters
    ----------
    teachers
        The levers of the teacher's family.
    only
        Families or ids that are asked for; None is all.

    Raises
    ------
    TaskError
        The teacher is no lever of this task, or a student does not go with the task's kind.
    """
    settings = task.levers.distill
    assert settings is not None
    if only is not None and not any(n == "finetune" or n.startswith("finetune-d") for n in only):
        return []
    teacher = next((made for made in teachers if made.id == settings.teacher), None)
    if teacher is None and settings.logs is None:
        have = ", ".join(made.id for made in teachers) or "none of that family"
        raise TaskError(
            f"levers.distill.teacher: {settings.teacher!r} is no lever of this task (has: {have})"
        )
    made = [Distilled(settings, teacher, _student(task, rung), rung) for rung in settings.students]
    return [s for s in made if only is None or "finetune" in only or s.id in only]


def _student(task: Task, rung: str) -> Lever:
    if task.kind not in ("classify", "generate"):
        raise TaskError(
            f"levers.distill: kind {task.kind} has no student; classify and generate do"
        )
    if rung != "decoder" and task.answers == "open":
        raise TaskError(f"levers.distill.student: {rung} chooses among labels; give decoder")
    if rung == "decoder" and task.kind != "generate":
        raise TaskError("levers.distill.student: decoder goes with kind generate")
    own = (task.levers.finetune or FinetuneSettings()).model_copy(update={"seeds": 1})
    if rung == "linear":
        from whichlever.levers.linear import Linear

        return Linear(task.levers.linear)
    if rung == "encoder":
        from whichlever.levers.finetune import FinetuneEncoder

        return FinetuneEncoder(own)
    if rung == "decoder":
        from whichlever.levers.finetune_decoder import FinetuneDecoder

        return FinetuneDecoder(own)
    from whichlever.levers.finetune import FinetuneStatic

    return FinetuneStatic(own)
