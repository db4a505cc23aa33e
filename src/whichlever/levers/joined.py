"""Fine-tuned rungs joined with the linear floor: one model that pools what each part says."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from whichlever.errors import DataError
from whichlever.infer.joined import LEAST, JoinedPredictor, pool
from whichlever.levers.base import Context, Fit, Lever
from whichlever.levers.held_out import HeldOut
from whichlever.models.goal import goal_score
from whichlever.predict import Row
from whichlever.run import read_json, write_json
from whichlever.task import Task

FACTS = "joined.json"

STEPS = 10
"""Weights are tenths that sum to one."""

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class FinetuneJoined:
    """A weighted mean of the parts' log-probabilities (Hinton 2002, a product of experts).

    The weights are chosen on validation rows, from scores that each part gave before it learned
    from them. Where no mixture is better than the best part alone, that part gets all the weight,
    and the joined model is that part.

    Parameters
    ----------
    parts
        Levers whose fits it is given: the linear floor first, then the rungs.
    """

    id = "finetune-joined"

    def __init__(self, parts: Sequence[Lever]) -> None:
        self.parts = tuple(parts)

    def settings(self) -> Mapping[str, Any]:
        """The parts' settings, since its answers depend on all of them."""
        return {"parts": {p.id: dict(p.settings()) for p in self.parts}, "method": 1}

    @property
    def files(self) -> tuple[str, ...]:
        """The files that the parts depend on."""
        return tuple(f for part in self.parts for f in getattr(part, "files", ()))

    def check(self, task: Task) -> None:
        """Raise early what a part would raise late."""
        for part in self.parts:
            early = getattr(part, "check", None)
            if early is not None:
                early(task)

    def estimate_seconds(self, train: int, valid: int) -> float | None:
        """About how long choosing the weights takes; the parts are fitted before."""
        return 1.0 + valid * 1e-3

    def fit(self, train: Sequence[Row], valid: Sequence[Row], context: Context) -> Fit:
        """Choose the parts' weights on ``valid``; nothing is trained here.

        Raises
        ------
        DataError
            There is no validation row that every part has scored.
        """
        fits = {part.id: context.parts[part.id] for part in self.parts}
        file = context.folder / FACTS
        if not file.exists():
            ids, scores, targets = _common(fits, valid, context.labels)
            chosen, pooled = choose_weights(tuple(fits), scores, targets, context.task.goal.metric)
            HeldOut(ids, pooled).save(context.folder)
            write_json(file, chosen)  # last: the fit is done
        chosen = read_json(file)
        weights = {name: chosen["weights"][name] for name in fits}
        used = [name for name, weight in weights.items() if weight > 0]
        return Fit(
            predictor=JoinedPredictor(
                [fits[name].predictor for name in used],
                [weights[name] for name in used],
                context.labels,
            ),
            what=_what(weights),
            chosen=chosen,
            rows_seen=max(fits[name].rows_seen for name in used),
            seeds=min((fits[name].seeds for name in used if name != "linear"), default=1),
            held_out=HeldOut.load(context.folder),
        )


def _common(
    fits: Mapping[str, Fit], valid: Sequence[Row], labels: Sequence[str]
) -> tuple[tuple[str, ...], list[Floats], Ints]:
    """Rows that every part has scored before learning from them, and those scores."""
    index = {label: i for i, label in enumerate(labels)}
    kept = [fit.held_out for fit in fits.values()]
    tables = [dict(zip(h.ids, h.scores, strict=True)) for h in kept if h is not None]
    rows = [r for r in valid if all(r.id in table for table in tables)]
    if len(tables) < len(fits) or not rows:
        raise DataError("finetune-joined: no validation rows to choose on; give valid: a share")
    scores = [np.stack([table[r.id] for r in rows]).astype(np.float64) for table in tables]
    targets = np.array([index.get(r.target or "", -1) for r in rows], np.int64)
    return tuple(r.id for r in rows), scores, targets


def choose_weights(
    names: Sequence[str], scores: Sequence[Floats], targets: Ints, metric: str
) -> tuple[dict[str, Any], npt.NDArray[np.float32]]:
    """The weights with the best score on rows that no part had learned from.

    A mixture's score is averaged with those of its neighbours on the grid, so that one lucky
    point does not win; a part alone has no such help and is taken on ties.

    Parameters
    ----------
    names, scores
        The parts, and their probabilities, each of shape (n, labels).
    targets
        Index of each row's label, shape (n,); -1 where it is outside the labels.
    metric
        ``macro_f1`` or ``accuracy``.

    Returns
    -------
    dict, array
        What was chosen, as JSON values, and the pooled probabilities, shape (n, labels).
    """
    logs = [np.log(np.maximum(s, LEAST)) for s in scores]

    def score(tenths: Sequence[int]) -> float:
        pooled = sum(t * log for t, log in zip(tenths, logs, strict=True))
        return goal_score(np.asarray(pooled).argmax(axis=1), targets, metric)

    grid = {
        tenths: score(tenths)
        for tenths in itertools.product(range(STEPS + 1), repeat=len(names))
        if sum(tenths) == STEPS
    }
    alone = {t: s for t, s in grid.items() if max(t) == STEPS}
    mixed = {t: _smoothed(t, grid) for t in grid if t not in alone}
    best = max(alone, key=lambda t: alone[t])
    mixture = max(mixed, key=lambda t: mixed[t], default=None)
    if mixture is not None and mixed[mixture] > alone[best]:
        best = mixture
    weights = {name: t / STEPS for name, t in zip(names, best, strict=True)}
    chosen = {
        "rung": "joined",
        "weights": weights,
        "validation": {"metric": metric, "score": grid[best], "rows": len(targets)},
        "alone": {name: grid[_corner(i, len(names))] for i, name in enumerate(names)},
    }
    return chosen, pool(scores, list(weights.values()))


def _corner(place: int, parts: int) -> tuple[int, ...]:
    return tuple(STEPS if i == place else 0 for i in range(parts))


def _smoothed(tenths: tuple[int, ...], grid: Mapping[tuple[int, ...], float]) -> float:
    """Mean score of a point and of those a tenth away from it."""
    near = [tenths]
    for i, j in itertools.permutations(range(len(tenths)), 2):
        moved = list(tenths)
        moved[i] += 1
        moved[j] -= 1
        near.append(tuple(moved))
    return float(np.mean([grid[t] for t in near if t in grid]))


def _what(weights: Mapping[str, float]) -> str:
    said = [f"{name} (weight {w:g})" for name, w in weights.items() if w > 0]
    if len(said) == 1:
        return f"{said[0].split(' ')[0]} alone: joined with the others it was no better"
    return f"{', '.join(said[:-1])} and {said[-1]} joined: the weighted mean of log-probabilities"
