"""The situation table: what each constraint alone speaks for, before anything is measured."""

from __future__ import annotations

from whichlever.task import Task
from whichlever.verdict.types import Advice

HIGH_VOLUME = 1_000_000
"""Calls a month from which volume alone speaks for an own small model: at a tenth of a cent a
call a provider's bill then passes $1,000, several times what a small machine and its upkeep
cost."""

FRESH = frozenset({"weekly", "daily", "live"})
"""Knowledge that changes faster than a model is sensibly trained again."""


def advise(task: Task) -> tuple[Advice, ...]:
    """Answer the situations from the task's constraints; no data is read, no model run.

    The table proposes; the measurement disposes.
    """
    fresh, volume = _fresh(task), _volume(task)
    both = (_fresh_and_volume(task),) if fresh.holds and volume.holds else ()
    return (
        _proprietary(task),
        volume,
        _inside(task),
        fresh,
        _prototype(task),
        _documents(task),
        *both,
    )


def _fresh_and_volume(task: Task) -> Advice:
    constraints = task.constraints
    measured = task.levers.hybrid is not None
    return Advice(
        situation="fresh knowledge at high volume",
        holds=True,
        lever="hybrid",
        reason=f"constraints.knowledge_changes is {constraints.knowledge_changes} and "
        f"constraints.calls_per_month is {constraints.calls_per_month:,.0f}: an own small model "
        "answers what it is sure of, and only the rest is looked up"
        + ("." if measured else "; name levers.hybrid to measure it."),
    )


def _proprietary(task: Task) -> Advice:
    holds = task.constraints.proprietary
    return Advice(
        situation="unique proprietary data or patterns",
        holds=holds,
        lever="finetune",
        reason="constraints.proprietary is true: a general model has not seen your patterns."
        if holds
        else "constraints.proprietary is false: a general model may know these patterns already.",
    )


def _volume(task: Task) -> Advice:
    calls = task.constraints.calls_per_month
    holds = calls >= HIGH_VOLUME
    told = f"constraints.calls_per_month is {calls:,.0f}"
    return Advice(
        situation="cheap at high volume",
        holds=holds,
        lever="finetune",
        reason=f"{told}: each call of a small model of your own costs next to nothing."
        if holds
        else f"{told}, below {HIGH_VOLUME:,}: a price per token may cost less than a machine and "
        "its upkeep.",
    )


def _inside(task: Task) -> Advice:
    holds = not task.constraints.data_may_leave
    return Advice(
        situation="data cannot leave your infrastructure",
        holds=holds,
        lever="finetune",
        reason="constraints.data_may_leave is false: fine-tune locally, or prompt and retrieve "
        "against a local model."
        if holds
        else "constraints.data_may_leave is true: a provider's model may be asked.",
    )


def _fresh(task: Task) -> Advice:
    changes = task.constraints.knowledge_changes
    holds = changes in FRESH
    told = f"constraints.knowledge_changes is {changes}"
    if task.change is not None:
        told += " (compare measures who follows: change is given)"
    return Advice(
        situation="fresh or live knowledge",
        holds=holds,
        lever="rag",
        reason=f"{told}: what is looked up is as new as the documents, training is not."
        if holds
        else f"{told}: training again keeps up with that.",
    )


def _prototype(task: Task) -> Advice:
    changes = task.constraints.task_changes
    holds = changes != "rarely"
    told = f"constraints.task_changes is {changes}"
    return Advice(
        situation="prototyping, or the task changes often",
        holds=holds,
        lever="prompt",
        reason=f"{told}: a prompt is changed in an hour, a model is trained and checked again."
        if holds
        else f"{told}: what is trained once stays right for long.",
    )


def _documents(task: Task) -> Advice:
    holds = task.documents is not None
    return Advice(
        situation="general reasoning over documents",
        holds=holds,
        lever="rag",
        reason=f"documents is {task.documents}: there is something to retrieve and reason over."
        if holds
        else "documents is not set: there is nothing to reason over but the row itself.",
    )
