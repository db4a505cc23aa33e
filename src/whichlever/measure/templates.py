"""Grouping and parsing accuracy of log templates, as the public evaluators compute them.

GA and FGA as in Zhu et al. 2019 and Jiang et al. 2024 (Loghub-2.0): a predicted group counts if it
is the same set of lines as a true one. PA: Liu et al. 2022. FTA, the template F1: Khan et al. 2022;
a predicted template counts if it is, letter by letter, the only true template of its lines.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TemplateScores:
    """Shares from 0 to 1.

    Attributes
    ----------
    ga
        Grouping accuracy: share of lines in groups that are exactly a true group.
    pa
        Parsing accuracy: share of lines with exactly the true template.
    fga
        F1 of groups.
    fta
        F1 of templates.
    """

    ga: float
    pa: float
    fga: float
    fta: float


def score_templates(true: Sequence[str], predicted: Sequence[str]) -> TemplateScores:
    """Score one predicted template a line.

    Raises
    ------
    ValueError
        If there are no lines, or not as many predicted as true ones.
    """
    if len(true) != len(predicted) or not true:
        raise ValueError("as many predicted templates as true ones are needed, at least one")
    sizes, predicted_sizes = Counter(true), Counter(predicted)
    predicted_in: dict[str, set[str]] = defaultdict(set)
    true_in: dict[str, set[str]] = defaultdict(set)
    for label, answer in zip(true, predicted, strict=True):
        predicted_in[label].add(answer)
        true_in[answer].add(label)
    same = [
        label
        for label, answers in predicted_in.items()
        if len(answers) == 1 and predicted_sizes[next(iter(answers))] == sizes[label]
    ]
    exact = sum(labels == {answer} for answer, labels in true_in.items())
    return TemplateScores(
        ga=sum(sizes[label] for label in same) / len(true),
        pa=sum(a == b for a, b in zip(true, predicted, strict=True)) / len(true),
        fga=_f1(len(same), len(predicted_sizes), len(sizes)),
        fta=_f1(exact, len(predicted_sizes), len(sizes)),
    )


def _f1(right: int, said: int, there: int) -> float:
    """F1 from counts: 2PR / (P + R) with P = right/said and R = right/there."""
    return 2 * right / (said + there)
