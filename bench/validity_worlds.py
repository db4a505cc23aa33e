"""Simulated comparisons whose truth is known by construction, for bench/validity.py.

A row has a class and a difficulty that all levers share; a lever answers it right where a mixture
of that difficulty and noise of its own stays below a threshold of the class (a one-factor Gaussian
copula). The mixture is standard normal whatever the shares are, so that each lever's accuracy per
class, and with it accuracy and macro-F1 over endless rows, are known exactly, while answers are
correlated as real ones are. In groups, a part of the difficulty and a part of each lever's own
noise belong to the group, and half the rows have their group's favourite class: levers differ by
group, as they do by product or rule in real alerts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import expit, logit, ndtr

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

GAPS = {"none": 0.0, "small": 0.5, "edge": 1.02, "large": 3.0}
"""How far every other lever is behind the best, in margins.

``edge`` is the least favourable case for false winners: all others are just beyond the margin, and
the cheaper the further down, so that any of them taken for as good as the best is pulled.
"""

_ZIPF = 1 / np.arange(1, 21)
CLASSES = {
    "balanced": (np.full(3, 1 / 3), np.full(3, 0.85)),
    "imbalanced": (np.array([0.7, 0.2, 0.1]), np.array([0.92, 0.75, 0.65])),
    "many": (_ZIPF / _ZIPF.sum(), np.linspace(0.85, 0.65, 20)),
}
"""Class shares, and the best lever's accuracy per class before it is tilted."""

TILT = 0.4
"""Levers of one score differ in what they are good at: standard deviation, in logits."""

OF_GROUP = 0.3
"""Share of difficulty, and of each lever's own noise, that whole groups have in common."""

GROUP_ROWS = 10


@dataclass(frozen=True)
class World:
    """One kind of comparison: what is measured, and how the levers truly stand.

    Attributes
    ----------
    metric
        ``accuracy`` or ``macro_f1``.
    classes
        A key of `CLASSES`.
    grouped
        Whether rows come in groups (of ten on average, geometric).
    gap
        A key of `GAPS`.
    levers
        How many, beside the majority floor.
    margin
        The declared margin.
    correlation
        Latent correlation of two levers' answers to one row.
    """

    metric: str
    classes: str
    grouped: bool
    gap: str
    levers: int
    margin: float
    correlation: float

    @property
    def names(self) -> tuple[str, ...]:
        """The levers, best and dearest first."""
        return tuple(f"lever{i}" for i in range(self.levers))

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels."""
        return tuple(f"c{i}" for i in range(len(self.shares)))

    @property
    def shares(self) -> Floats:
        """Share of each class, shape (classes,)."""
        return CLASSES[self.classes][0]

    @cached_property
    def wrong(self) -> Floats:
        """Where wrong answers go, by true class, shape (classes, classes), rows sum to 1."""
        k = len(self.shares)
        out = np.tile(0.5 * self.shares + 0.5 / k, (k, 1))
        np.fill_diagonal(out, 0.0)
        return out / out.sum(axis=1, keepdims=True)

    def score(self, right: Floats, metric: str) -> float:
        """Score over endless rows of a lever that is right on a class with these chances."""
        if metric == "accuracy":
            return float(self.shares @ right)
        said = self.shares * right + (self.shares * (1 - right)) @ self.wrong
        return float(np.mean(2 * self.shares * right / (self.shares + said)))

    @cached_property
    def right(self) -> Floats:
        """Each lever's chance of being right on each class, shape (levers, classes)."""
        base = logit(CLASSES[self.classes][1])
        top = self.score(expit(base), self.metric)
        out = []
        for i in range(self.levers):
            tilted = base + np.random.default_rng([7, i]).normal(0, TILT, len(base))
            goal = top - (GAPS[self.gap] * self.margin if i else 0.0)
            shift = brentq(lambda s, t=tilted, g=goal: self.score(expit(t + s), self.metric) - g,
                           -6, 6)  # fmt: skip
            out.append(expit(tilted + shift))
        return np.array(out)

    def truth(self, metric: str | None = None) -> dict[str, float]:
        """Every lever's true score, the majority floor's too."""
        metric = metric or self.metric
        found = {n: self.score(r, metric) for n, r in zip(self.names, self.right, strict=True)}
        top = float(self.shares.max())
        floor = top if metric == "accuracy" else 2 * top / (1 + top) / len(self.shares)
        return {"majority": floor, **found}

    def draw(
        self, random: np.random.Generator, rows: int
    ) -> tuple[Ints, dict[str, Ints], tuple[str, ...] | None]:
        """A test set of about so many rows (whole groups): targets, answers, groups."""
        k = len(self.shares)
        group = np.arange(rows)
        if self.grouped:
            sizes = random.geometric(1 / GROUP_ROWS, max(2, round(rows / GROUP_ROWS)))
            group = np.repeat(np.arange(len(sizes)), sizes)
        n, g = len(group), int(group[-1]) + 1
        targets = random.choice(k, n, p=self.shares)
        if self.grouped:
            favourite = random.choice(k, g, p=self.shares)[group]
            targets = np.where(random.random(n) < 0.5, favourite, targets)
        hard = self._mixed(random, group, g)
        tempting = self._wrong(random, targets)
        answers = {"majority": np.full(n, int(self.shares.argmax()))}
        for name, right in zip(self.names, self.right, strict=True):
            latent = np.sqrt(self.correlation) * hard
            latent += np.sqrt(1 - self.correlation) * self._mixed(random, group, g)
            own = np.where(random.random(n) < 0.5, tempting, self._wrong(random, targets))
            answers[name] = np.where(ndtr(latent) < right[targets], targets, own)
        groups = tuple(f"g{i}" for i in group) if self.grouped else None
        return targets, answers, groups

    def _mixed(self, random: np.random.Generator, group: Ints, groups: int) -> Floats:
        """Standard normal noise, a part of it common to whole groups."""
        if not self.grouped:
            return random.standard_normal(len(group))
        shared = random.standard_normal(groups)[group]
        own = random.standard_normal(len(group))
        return np.sqrt(OF_GROUP) * shared + np.sqrt(1 - OF_GROUP) * own

    def _wrong(self, random: np.random.Generator, targets: Ints) -> Ints:
        """A wrong label per row."""
        edges = np.cumsum(self.wrong, axis=1)[targets]
        return (random.random(len(targets))[:, None] > edges).sum(axis=1).clip(0, len(edges[0]) - 1)
