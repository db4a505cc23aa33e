"""Which rows a lever got wrong, which cost most, and what is taken for what."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from whichlever.report.files import Answer
from whichlever.report.visible import shortened

NO_ANSWER = "no answer"
VALUE_CHARS, PAIRS_SHOWN = 80, 8
"""Of a wrong line: characters of a value, and fields that are shown."""
FEW = 20
"""Up to so many classes the whole confusion matrix is drawn."""


@dataclass(frozen=True)
class Mistake:
    """A wrong answer and its relative cost by the task's ``mistakes`` (None where not given)."""

    answer: Answer
    cost: float | None


def is_wrong(answer: Answer) -> bool:
    """Tell whether an answer counts as wrong; one that is not there does."""
    if answer.exact is not None:
        return not answer.exact
    return answer.status != "ok" or answer.predicted != answer.target


def worst(
    answers: Sequence[Answer], costs: Mapping[str, Mapping[str, float]], limit: int
) -> list[Mistake]:
    """Order wrong answers by cost, then by the confidence they were given with.

    A cost that the task leaves out is 1, as everywhere; with no costs at all, confidence decides.
    An unanswered row costs its class's dearest mistake.
    """
    wrong = [Mistake(a, _cost(a, costs)) for a in answers if is_wrong(a)]
    wrong.sort(key=lambda m: (-(m.cost or 0.0), -(m.answer.confidence or 0.0), m.answer.row))
    return wrong[:limit]


def _cost(answer: Answer, costs: Mapping[str, Mapping[str, float]]) -> float | None:
    if not costs or answer.target is None:
        return None
    row = costs.get(answer.target, {})
    if answer.status != "ok":
        return max(row.values(), default=1.0)
    return row.get(answer.predicted or "", 1.0)


@dataclass(frozen=True)
class Confusion:
    """Counts of true (rows) against said (columns; the last is "no answer")."""

    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]

    @property
    def said(self) -> tuple[str, ...]:
        """Column names."""
        return (*self.labels, NO_ANSWER)


def confusion(answers: Sequence[Answer], labels: Sequence[str]) -> Confusion:
    """Count what each true label was taken for; shape (classes, classes + 1)."""
    place = {label: i for i, label in enumerate(labels)}
    counts = [[0] * (len(labels) + 1) for _ in labels]
    for answer in answers:
        if answer.target in place:
            said = place.get(answer.predicted or "", len(labels)) if answer.status == "ok" else -1
            counts[place[answer.target]][said] += 1
    return Confusion(tuple(labels), tuple(tuple(row) for row in counts))


def most_confused(answers: Sequence[Answer], limit: int) -> list[tuple[str, str, int]]:
    """The pairs (true, said, rows) that are mixed up most often."""
    pairs = Counter(
        (a.target or "", (a.predicted or NO_ANSWER) if a.status == "ok" else NO_ANSWER)
        for a in answers
        if is_wrong(a)
    )
    ranked = sorted(pairs.items(), key=lambda item: (-item[1], item[0]))
    return [(true, said, rows) for (true, said), rows in ranked[:limit]]


def largest_classes(answers: Sequence[Answer], limit: int) -> list[tuple[str, int, int]]:
    """The classes with most test rows: (label, rows, answered right)."""
    rows = Counter(a.target or "" for a in answers)
    right = Counter(a.target or "" for a in answers if not is_wrong(a))
    ranked = sorted(rows.items(), key=lambda item: (-item[1], item[0]))
    return [(label, n, right[label]) for label, n in ranked[:limit]]


def difference(target: str | None, predicted: str | None) -> tuple[str, str]:
    """Fields that are true and were not said so, and fields said that are not true, as text."""
    true, said = (_pairs(text) for text in (target, predicted))
    return _shown(true - said), _shown(said - true)


def _pairs(text: str | None) -> Counter[tuple[str, str]]:
    try:
        fields = json.loads(text or "{}")
    except ValueError:
        fields = {}
    return Counter(
        (str(name), str(item))
        for name, value in (fields.items() if isinstance(fields, dict) else ())
        for item in (value if isinstance(value, list) else [value])
    )


def _shown(pairs: Counter[tuple[str, str]]) -> str:
    if not pairs:
        return "nothing"
    said = [f"{name} = {shortened(value, VALUE_CHARS)}" for name, value in sorted(pairs)]
    more = f"; and {len(said) - PAIRS_SHOWN} more" if len(said) > PAIRS_SHOWN else ""
    return "; ".join(said[:PAIRS_SHOWN]) + more
