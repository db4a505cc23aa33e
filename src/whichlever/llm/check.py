"""What can be said of a lever's model before anything runs, within milliseconds."""

from __future__ import annotations

from importlib.util import find_spec

from whichlever.errors import InputError, MissingExtraError
from whichlever.llm.budget import Billing, unpriced
from whichlever.llm.embedded import declared_server, embedded_weights
from whichlever.task import Task


def check_llm(name: str, task: Task, lever: str, *, dollars: float | None = None) -> None:
    """Raise now what asking the model called ``name`` would raise later; nothing is asked.

    Parameters
    ----------
    name
        An entry of the task's ``llms:``, weights by name, or a path to a GGUF file.
    task
        Says which servers there are and whether data may leave.
    lever
        What errors call the lever.
    dollars
        Its money budget; None is no limit.

    Raises
    ------
    MissingExtraError
        A package is not installed.
    InputError
        The server's address is none, its key is not set, data may not leave, or there is a
        budget in dollars and no price (or it is nothing).
    WeightsError
        There are no such weights on this machine, or they are not the ones that were pinned.
    """
    if find_spec("openai") is None:
        raise MissingExtraError(f"levers.{lever}: asking a language model", "llm")
    if name in task.llms:
        declared_server(name, task)
    else:
        embedded_weights(name, task)
        if find_spec("xllamacpp") is None:
            raise MissingExtraError(f"levers.{lever}: the embedded language model", "llm")
    if dollars is None:
        return
    if Billing.of(name, task).price is None:
        raise InputError(unpriced(lever))
    if dollars == 0:
        raise InputError(f"levers.{lever}.dollars: 0 pays for no row; raise it or leave it out")
