"""Passages in a prompt: shown as data, and fewer of them where the window is too small."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from whichlever.documents.passage import Passage
from whichlever.llm import Extra
from whichlever.predict import Prediction, Row

HOPELESS_BYTES = 16
"""Per token of the window: a prompt with more fits in no tokenizer's window and is not sent."""

Ask = Callable[[Sequence[Row], Sequence[Extra]], list[Prediction]]


@dataclass(frozen=True)
class Answered:
    """An answer, the passages that it was given, best first, and how many were found."""

    prediction: Prediction
    passages: tuple[Passage, ...]
    found: int


def shown(passages: Sequence[Passage]) -> Extra:
    """How passages stand in a prompt.

    Documents come first, best first; then labelled rows as solved cases, best last, next to the
    row itself. `whichlever.llm.wording` puts all of them between marks that they cannot close.
    """
    return Extra(
        blocks=tuple(f"{p.source}\n{p.text}" for p in passages if p.label is None),
        examples=tuple((p.text, p.label) for p in reversed(passages) if p.label is not None),
    )


def ask_within(
    ask: Ask, rows: Sequence[Row], passages: Sequence[Sequence[Passage]], window: int
) -> list[Answered]:
    """Answer rows with as many of their passages as fit.

    Where the server says that a prompt does not fit, its lowest-ranked passage is dropped and it
    is asked again; a row that does not fit by itself stays "truncated". Nothing is ever cut.

    Parameters
    ----------
    ask
        Answers rows with what each is given.
    rows, passages
        The rows and what was found for each, best first.
    window
        The model's, in tokens; prompts that are hopelessly longer are not even tried.
    """
    kept = [list(_hopeful(row, found, window)) for row, found in zip(rows, passages, strict=True)]
    answers: dict[int, Prediction] = {}
    waiting = list(range(len(rows)))
    while waiting:
        given = ask([rows[i] for i in waiting], [shown(kept[i]) for i in waiting])
        answers.update(zip(waiting, given, strict=True))
        waiting = [i for i in waiting if answers[i].status == "truncated" and kept[i]]
        for i in waiting:
            kept[i].pop()
    return [Answered(answers[i], tuple(kept[i]), len(found)) for i, found in enumerate(passages)]


def _hopeful(row: Row, passages: Sequence[Passage], window: int) -> Sequence[Passage]:
    """The first passages that are not certain to overflow the window."""
    room = HOPELESS_BYTES * window - len(row.text)
    for count, passage in enumerate(passages):
        room -= len(passage.text)
        if room < 0:
            return passages[:count]
    return passages
