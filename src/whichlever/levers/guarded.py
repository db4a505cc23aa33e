"""A lever measured once more with a guard before the label that closes a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from whichlever.errors import DataError, TaskError
from whichlever.infer.guard import GuardedPredictor
from whichlever.levers.base import Context, Fit, Lever
from whichlever.predict import Row
from whichlever.run import read_json, write_json
from whichlever.settings_guard import GuardSettings
from whichlever.task import Task

FACTS = "guard.json"

SUFFIX = "-guarded"

GUARDED = ("linear", "finetune-static", "finetune-encoder", "finetune-joined")
"""Levers that a guard can stand before: owned, with probabilities, and cheap to ask again."""


def closing_label(task: Task, settings: GuardSettings) -> str:
    """The label that closes a row.

    Raises
    ------
    TaskError
        Neither ``guard:`` nor ``attack:``, ``autoclose:``, ``mistakes:`` or ``workload:`` tells.
    """
    if settings.closes is not None:
        return settings.closes
    if task.attack is not None and task.attack.into is not None:
        return task.attack.into
    if task.autoclose is not None:
        return task.autoclose.label
    costs = {(t, s): c for t, row in task.mistakes.items() for s, c in row.items() if t != s}
    if costs:
        return max(costs, key=lambda pair: costs[pair])[1]
    if task.workload is not None:
        return task.workload.quiet[0]
    raise TaskError("guard: which label closes a row? say guard.closes (or mistakes:, autoclose:)")


class Guarded:
    """The part's answers, but the closing label only where every head of the text says it.

    Parameters
    ----------
    part
        The lever behind the guard, whose fit it is given.
    settings
        The task's ``guard:``.
    closes
        The label that closes a row.
    """

    def __init__(self, part: Lever, settings: GuardSettings, closes: str) -> None:
        self.id = f"{part.id}{SUFFIX}"
        self.parts = (part,)
        self._settings, self._closes = settings, closes

    def settings(self) -> Mapping[str, Any]:
        """The part's settings and the guard's."""
        return {
            "part": dict(self.parts[0].settings()),
            "guard": self._settings.model_dump(mode="json", exclude={"levers"}),
            "closes": self._closes,
            "method": 2,
        }

    @property
    def files(self) -> tuple[str, ...]:
        """The files that the part depends on."""
        return tuple(getattr(self.parts[0], "files", ()))

    def check(self, task: Task) -> None:
        """Raise early what the part would raise late."""
        early = getattr(self.parts[0], "check", None)
        if early is not None:
            early(task)

    def estimate_seconds(self, train: int, valid: int) -> float | None:
        """About how long choosing the floor takes; the part is fitted before."""
        return 1.0 if self._settings.hand_over is None else 1.0 + valid * 0.1

    def fit(self, train: Sequence[Row], valid: Sequence[Row], context: Context) -> Fit:
        """Choose the shortest head on training rows, the floor on calibration rows.

        Raises
        ------
        DataError
            No row has the closing label, or there are no calibration rows to choose on.
        """
        if self._closes not in context.labels:
            raise DataError(f"guard: no row has the label {self._closes!r}; see guard.closes")
        part = context.parts[self.parts[0].id]
        file = context.folder / FACTS
        if not file.exists():
            write_json(file, self._choose(part, (*train, *valid), context))
        chosen = read_json(file)
        predictor = GuardedPredictor(
            part.predictor, context.labels, self._closes, chosen["least"], chosen["floor"]
        )
        return Fit(
            predictor=predictor,
            what=f"{part.what}; says {self._closes} only where every head of the text does",
            chosen={"guard": chosen, "part": dict(part.chosen)},
            rows_seen=part.rows_seen,
            max_rows=part.max_rows,
            place=part.place,
            seeds=part.seeds,
        )

    def _choose(self, part: Fit, rows: Sequence[Row], context: Context) -> dict[str, Any]:
        least = self._settings.least
        if least is None:
            others = [len(row.text) for row in rows if row.target != self._closes]
            least = max(1, min(others, default=1))
        chosen: dict[str, Any] = {"closes": self._closes, "least": least, "floor": 0.0}
        share = self._settings.hand_over
        if share is None:
            return chosen
        guard = GuardedPredictor(part.predictor, context.labels, self._closes, least)
        mine = [row for row in context.calibrate if row.target == self._closes]
        said = part.predictor.predict(mine) if mine else []
        mine = [r for r, a in zip(mine, said, strict=True) if a.label == self._closes]
        if not mine:
            raise DataError(
                "guard.hand_over: no calibration row is rightly closed; leave it out, or give "
                "more calibration rows"
            )
        margins = np.sort(guard.margins(mine))
        floor = min(0.0, float(margins[int(share * len(margins))]))
        return {**chosen, "floor": floor, "rows": len(mine), "hand_over": share}
