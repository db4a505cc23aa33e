"""What a lever can be heard to say: held to its labels, or with nothing holding it.

A lever that chooses among labels says nothing but labels. Its model may say anything: a prompted
one is asked once more with the same messages, a fine-tuned decoder is let write.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from whichlever.errors import LLMError
from whichlever.llm import Chooser, Extra
from whichlever.llm.options import LETTERS
from whichlever.llm.wording import conversation, instructions, question
from whichlever.llm.writing import Writer
from whichlever.predict import Row
from whichlever.task import Task

MAX_TOKENS = 160
"""Tokens of an answer that nothing holds to the labels."""

PATIENCE = 900.0
"""Seconds for an answer that nothing holds to a letter: a small machine writes slowly."""

Say = Callable[[Row, Extra], str | None]
"""An answer to a row, given what it is handed; None where there was none."""


@dataclass(frozen=True)
class Voice:
    """One way of hearing a lever.

    Attributes
    ----------
    held
        Whether its answers are held to the labels.
    own
        Whether the lever itself answers so; else it is its model alone.
    say
        Asks it.
    """

    held: bool
    own: bool
    say: Say


@dataclass(frozen=True)
class Heard:
    """A lever's voices, and the instructions that it was given for this (None: it has none)."""

    model: str
    voices: tuple[Voice, ...]
    system: str | None
    handed: Callable[[Sequence[Row]], list[Extra]] | None = None


def hear(predictor: Any, task: Task, canary: str, base: str = "") -> Heard | None:  # noqa: ANN401
    """The voices of a prompted lever or of a decoder; None where a lever only chooses.

    Parameters
    ----------
    predictor
        The lever's, read back from its fit.
    canary
        A string that is put into the instructions of a prompted lever.
    base
        What a fine-tuned lever was made of, for messages.
    """
    own = getattr(predictor, "chooser", None)
    handed = getattr(predictor, "handed", None)
    if isinstance(own, Writer):
        about = f"{task.about} Internal reference: {canary}."
        writer = Writer(own.client, about=about, schema=own.schema, held=own.held)
        voice = Voice(False, True, lambda row, extra: writer.choose(row.id, row.text, extra).label)
        return Heard(own.client.server.model, (voice,), writer.told, handed)
    if isinstance(own, Chooser):
        return _chooses(own, task, canary, handed)
    if hasattr(predictor, "say"):
        closed = bool(predictor.labels)
        voices = [Voice(False, not closed, lambda row, _: predictor.say([row])[0])]
        if closed:
            held = Voice(True, True, lambda row, _: predictor.predict([row])[0].label)
            voices = [held, *voices]
        return Heard(base, tuple(voices), None)
    return None


def _chooses(own: Chooser, task: Task, canary: str, handed: Any) -> Heard:  # noqa: ANN401
    about = f"{task.about} Internal reference: {canary}."
    chooser = Chooser(
        own.client, own.labels, about=about, meanings=task.labels, rotations=1, guard=own.guard
    )
    options = LETTERS[: len(own.labels)] if chooser.lettered else own.labels
    named = dict(zip(own.labels, options, strict=True))
    system = instructions(about, [(named[label], label) for label in own.labels], task.labels)

    def free(row: Row, extra: Extra) -> str | None:
        solved = [(text, named[label]) for text, label in extra.examples if label in named]
        messages = conversation(system, (), question(row.text, extra.blocks, solved))
        try:
            return own.client.complete(messages, max_tokens=MAX_TOKENS, timeout=PATIENCE).text
        except LLMError:
            return None

    held = Voice(True, True, lambda row, extra: chooser.choose(row.id, row.text, extra).label)
    return Heard(own.client.server.model, (held, Voice(False, False, free)), system, handed)
