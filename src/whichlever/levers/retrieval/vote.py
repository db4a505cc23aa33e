"""Labels of the nearest labelled rows, weighed into a probability per class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from whichlever.levers.retrieval.fusion import Floats, Fusion, Positions
from whichlever.levers.retrieval.index import Found, Index
from whichlever.models.goal import goal_score

Weighting = Literal["equal", "rank", "similarity"]
WEIGHTINGS: tuple[Weighting, ...] = ("equal", "rank", "similarity")

FUSIONS = tuple(Fusion(dense, c) for dense in (0.0, 0.3, 0.5, 0.7, 1.0) for c in (10.0, 60.0))
"""What is tried; 60 is the constant of the paper, 10 trusts the first ranks more."""

PRIOR = 0.5
"""Votes that the training prior has, in units of the nearest neighbour's vote: no class gets 0."""

SHARPNESS = 20.0
"""How fast a vote by similarity falls: by e for each 0.05 of cosine below the nearest."""


@dataclass(frozen=True)
class VoteRule:
    """How many neighbours vote, found how, and what each vote weighs.

    ``equal``: one each; ``rank``: by the fused score; ``similarity``: exp of the cosine. The
    nearest neighbour's vote is 1 in all of them.
    """

    k: int = 10
    weighting: Weighting = "rank"
    fusion: Fusion = field(default_factory=lambda: Fusion(dense=0.5, c=10.0))

    def as_json(self) -> dict[str, Any]:
        """The rule as JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class Electorate:
    """The labelled passages of an index.

    ``classes`` is each passage's class, shape (passages,); ``prior`` the smoothed share of each
    class among those that may vote, shape (classes,).
    """

    classes: npt.NDArray[np.int64]
    prior: npt.NDArray[np.float64]

    @classmethod
    def of(cls, targets: Sequence[int], classes: int) -> Electorate:
        """Count the votes' classes, each one once more than it is."""
        held = np.asarray(targets, np.int64)
        counts = np.bincount(held, minlength=classes) + 1.0
        return cls(held, counts / counts.sum())

    def probabilities(self, positions: Positions, weights: Floats) -> Floats:
        """Probability of each class by the votes of passages, shape (n, classes).

        Parameters
        ----------
        positions : shape (n, k), -1 where there is no neighbour
        weights : shape (n, k)
        """
        totals = np.tile(PRIOR * self.prior, (len(positions), 1))
        rows, columns = np.nonzero(positions >= 0)
        np.add.at(totals, (rows, self.classes[positions[rows, columns]]), weights[rows, columns])
        return np.asarray(totals / totals.sum(axis=1, keepdims=True), np.float32)


def neighbours(index: Index, found: Found, rule: VoteRule) -> tuple[Positions, Floats]:
    """The passages that vote and the weight of each, both of shape (n, k)."""
    positions, fused = found.fused(rule.fusion, rule.k)
    if rule.weighting == "equal":
        weights = np.ones_like(fused)
    elif rule.weighting == "rank":
        weights = np.asarray(fused / np.maximum(fused[:, :1], 1e-12), np.float32)
    else:
        cosines = index.similarity(found.vectors, positions)
        nearest = cosines.max(axis=1, keepdims=True, initial=-1.0)
        weights = np.asarray(np.exp(SHARPNESS * (cosines - nearest)), np.float32)
    return positions, np.where(positions >= 0, weights, 0.0).astype(np.float32)


def choose_rule(
    index: Index,
    found: Found,
    targets: npt.NDArray[np.int64],
    voters: Electorate,
    ks: Sequence[int],
    metric: str,
) -> tuple[VoteRule, Mapping[str, Any]]:
    """Try every rule on validation rows; the best by the goal metric, then by log-loss.

    Parameters
    ----------
    found
        What the validation rows found among training rows.
    targets : shape (n,)
        Their classes; -1 is a class that training does not know.
    ks
        Numbers of neighbours to try.

    Returns
    -------
    rule : VoteRule
    tried : mapping
        JSON values: the best score at each k and at each dense weight.
    """
    best: tuple[float, float] | None = None
    chosen = VoteRule()
    by_k: dict[str, float] = {}
    by_dense: dict[str, float] = {}
    for fusion in FUSIONS:
        for weighting in WEIGHTINGS:
            rule = VoteRule(max(ks), weighting, fusion)
            positions, weights = neighbours(index, found, rule)
            for k in sorted(set(ks)):
                scores = voters.probabilities(positions[:, :k], weights[:, :k])
                score = goal_score(scores.argmax(axis=1), targets, metric)
                key = (score, -_log_loss(scores, targets))
                by_k[str(k)] = max(by_k.get(str(k), 0.0), score)
                dense = f"{fusion.dense:g}"
                by_dense[dense] = max(by_dense.get(dense, 0.0), score)
                if best is None or key > best:
                    best, chosen = key, VoteRule(k, weighting, fusion)
    return chosen, {"by_k": _rounded(by_k), "by_dense_weight": _rounded(by_dense)}


def _log_loss(scores: Floats, targets: npt.NDArray[np.int64]) -> float:
    known = np.flatnonzero(targets >= 0)
    return float(-np.log(scores[known, targets[known]]).mean()) if len(known) else 0.0


def _rounded(values: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in values.items()}
