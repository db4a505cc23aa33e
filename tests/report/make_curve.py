"""A learning curve of simulated answers, for the report's and the verdict's tests."""

from __future__ import annotations

import numpy as np

from whichlever.measure.curve import Curve
from whichlever.measure.curve_draws import Answered, Board
from whichlever.measure.curve_summary import summarise_curve

ROWS, WHOLE = 400, 3_200


def make_curve(metric: str = "accuracy", level: str = "recorded-gpt-4", **given) -> Curve:
    """`linear` rises through the level of the other; its labels come late, and age."""
    random = np.random.default_rng(0)
    truth, hard = random.integers(0, 3, ROWS), random.random(ROWS)

    def said(accuracy):
        right = hard + random.normal(0, 0.03, ROWS) < accuracy
        return np.where(right, truth, (truth + 1) % 3)

    answers = [Answered("linear", "all", said(0.8), WHOLE)]
    for fraction, accuracy in ((0.125, 0.5), (0.25, 0.62), (0.5, 0.72)):
        labels = round(fraction * WHOLE)
        answers.append(Answered("linear", "newest", said(accuracy), labels, fraction))
        answers += [
            Answered("linear", "random", said(accuracy - 0.05), labels, fraction, d)
            for d in range(3)
        ]
    answers.append(Answered("linear", "delay", said(0.7), 3_000, 0.94, 0, 30.0))
    levels = [
        (Answered(level, "level", said(0.66)), False),
        (Answered("majority", "level", np.zeros(ROWS, dtype=np.int64)), False),
    ]
    return summarise_curve(
        answers, Board(truth, None, metric), margin=0.02, levels=levels,
        delay_from="the first test row", notes=["one point left out"], seconds=12.0, **given,
    )  # fmt: skip
