"""From a task's ``levers:`` to lever objects."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from whichlever.errors import TaskError
from whichlever.levers.base import Lever
from whichlever.task import FinetuneSettings, RagSettings, Task

FAMILIES = ("majority", "linear", "prompt", "rag", "finetune", "recorded")


def build(task: Task, only: Collection[str] | None = None) -> list[Lever]:
    """Make the task's levers, cheapest first.

    Parameters
    ----------
    task
        Its ``levers:`` say which; the two floors are always there.
    only
        Families (``rag``) or ids (``rag-vote``) to keep; None keeps all.

    Raises
    ------
    TaskError
        ``only`` names a lever that the task does not have.
    """
    # A family that nobody asked for is not even imported: its extra may not be installed.
    asked = [f for f in FAMILIES if only is None or any(n.split("-", 1)[0] == f for n in only)]
    levers = [lever for name in asked for lever in _family(task, name)]
    if task.levers.distill is not None:
        from whichlever.levers.build_distilled import students

        teachers = [lever for name in FAMILIES for lever in _teachers(task, name)]
        levers += students(task, teachers, only)
    levers += _guarded(task, levers, only)
    if only is None:
        return levers
    known = {lever.id for lever in levers} | {family(lever) for lever in levers} | _named(task)
    for name in only:
        if name not in known:
            raise TaskError(
                f"lever {name!r} is not in this task (it has: {', '.join(sorted(known))}); "
                "name it under levers:"
            )
    kept = [lever for lever in levers if lever.id in only or family(lever) in only]
    if not kept:  # hybrid is no lever to be fitted: it joins what others answered
        raise TaskError("hybrid is made of other levers' answers; name the levers it joins too")
    return kept


def family(lever: Lever) -> str:
    """The lever's word in the vocabulary: ``finetune`` for ``finetune-encoder``."""
    return lever.id.split("-", 1)[0]


def _teachers(task: Task, name: str) -> list[Lever]:
    """The levers of the family that ``levers.distill.teacher`` is of."""
    said = task.levers.distill
    wanted = said is not None and said.teacher is not None and said.teacher.split("-", 1)[0] == name
    return _family(task, name) if wanted else []


def _named(task: Task) -> set[str]:
    """The families that the task names, floors among them."""
    chosen = task.levers
    families = ("prompt", "rag", "finetune", "hybrid", "distill")
    named = {name for name in families if getattr(chosen, name) is not None}
    return {"majority", "linear"} | named | ({"recorded"} if chosen.recorded else set())


def _family(task: Task, name: str) -> list[Lever]:
    """Make one family; each is imported only when the task asks for it."""
    if task.kind == "extract" and name != "recorded":
        from whichlever.levers.build_fields import family_for_fields

        return family_for_fields(task, name)
    if task.kind == "verify" and name != "recorded":
        from whichlever.levers.build_verify import family_for_verify

        return family_for_verify(task, name)
    if task.answers == "open" and name != "recorded":
        from whichlever.levers.build_texts import family_for_texts

        return family_for_texts(task, name)
    chosen = task.levers
    made: list[Lever] = []
    if name == "majority":
        from whichlever.levers.majority import Majority

        made = [Majority()]
    elif name == "linear":
        from whichlever.levers.linear import Linear

        made = [Linear(chosen.linear)]
    elif name == "prompt" and chosen.prompt is not None:
        from whichlever.levers.prompt import Prompt

        made = [Prompt(chosen.prompt)]
    elif name == "rag" and chosen.rag is not None:
        made = _rag(task, chosen.rag)
    elif name == "finetune" and chosen.finetune is not None:
        made = _finetune(task, chosen.finetune)
    elif name == "recorded":
        made = _recorded(task)
    return made


def _rag(task: Task, settings: RagSettings) -> list[Lever]:
    from whichlever.levers.rag_vote import RagVote

    # With the right document handed over: what is left to blame is the reader.
    oracle = settings.oracle and task.documents is not None and task.data.document is not None
    handed = (False, True)[: 1 + oracle]
    made: list[Lever] = [RagVote(settings)]
    if settings.match:
        from whichlever.levers.rag_match import RagMatch

        made += [RagMatch(settings, oracle=given) for given in handed]
    if not settings.vote_only:
        from whichlever.levers.rag import Rag

        made += [Rag(settings, oracle=given) for given in handed]
    return made


def _finetune(task: Task, settings: FinetuneSettings) -> list[Lever]:
    from whichlever.levers.finetune import FinetuneEncoder, FinetuneStatic

    made: list[Lever] = [
        FinetuneStatic(settings) if rung == "static" else FinetuneEncoder(settings)
        for rung in settings.rungs
        if rung != "decoder"
    ]
    decoders: list[Lever] = []
    if "decoder" in settings.rungs:
        from whichlever.levers.finetune_decoder import FinetuneDecoder

        decoders = [FinetuneDecoder(settings)]
    if settings.joined and made:
        from whichlever.levers.joined import FinetuneJoined
        from whichlever.levers.linear import Linear

        made.append(FinetuneJoined([Linear(task.levers.linear), *made]))
    return [*made, *decoders]


def _guarded(task: Task, levers: Sequence[Lever], only: Collection[str] | None) -> list[Lever]:
    """The levers that ``guard:`` names once more, each behind the guard."""
    if task.guard is None:
        return []
    from whichlever.levers.guarded import GUARDED, Guarded, closing_label

    closes = closing_label(task, task.guard)
    made = {lever.id: lever for lever in levers}
    for name in task.guard.levers:
        if name not in GUARDED or (only is None and name not in made):
            have = ", ".join(known for known in GUARDED if known in made)
            raise TaskError(
                f"guard.levers: {name!r} is no lever of this task that a guard can stand before "
                f"(it has: {have})"
            )
    return [
        Guarded(made[n], task.guard, closes, task.attack) for n in task.guard.levers if n in made
    ]


def _recorded(task: Task) -> list[Lever]:
    from whichlever.levers.recorded import Recorded
    from whichlever.levers.recorded_fields import RecordedFields
    from whichlever.levers.recorded_texts import RecordedTexts

    kinds = {"extract": RecordedFields, "generate": RecordedTexts}
    kind = kinds.get(task.kind, Recorded)
    made = [kind(name, answers) for name, answers in task.levers.recorded.items()]
    ids = [lever.id for lever in made]
    for lever_id in ids:
        if ids.count(lever_id) > 1:
            raise TaskError(
                f"levers.recorded: two names both become {lever_id!r}; "
                "make them differ in letters or digits"
            )
    return list(made)
