"""The network that weighs votes, trained on episodes; and how sure it is of a line."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whichlever.infer.tagger.candidates import ABROAD, EXTRAS, TEMPLATES, WIDTH
from whichlever.infer.tagger.near import CLOSE
from whichlever.models.tagger.episodes import Episode

Array = NDArray[Any]
UNITS = 64
BATCH = 2048
RATE = 3e-3
DECAY = 1e-2
DROP = 0.2
"""Share of the votes that are hidden from a token in training, so that none is relied on alone."""


def untrained(seed: int = 0, units: int = UNITS) -> dict[str, Array]:
    """Return weights that count votes alike: for, against, and a little for other sources'."""
    rng = np.random.default_rng(seed)
    linear = np.concatenate(
        [
            np.full(TEMPLATES, 0.1), np.full(TEMPLATES, 0.3), np.full(TEMPLATES, 0.1),
            np.full(len(ABROAD), 0.3), np.full(len(ABROAD), -0.1),
            np.full(len(CLOSE), 0.5), np.full(len(CLOSE), -0.15),
            np.array([0.1, 0.2, -0.5, 0, 0.5, 0, 0, 0, 0, 0, 1, 0.5, 0, 1, -0.2]),
        ]
    )  # fmt: skip
    return {
        "linear": linear.astype(np.float32),
        "hidden": (rng.normal(size=(WIDTH, units)) / np.sqrt(WIDTH)).astype(np.float32),
        "bias": np.zeros(units, np.float32),
        "out": np.zeros(units, np.float32),
    }


def train_combiner(
    episodes: Sequence[Episode],
    *,
    seed: int,
    seconds: float,
    epochs: int = 6,
    start: dict[str, Array] | None = None,
) -> dict[str, Array]:
    """Fit the network's weights: cross-entropy over each token's candidates.

    Tokens whose right label is no candidate teach nothing and are left out.
    """
    import torch

    torch.manual_seed(seed)
    torch.set_num_threads(1)
    evidence, gold, first = _stacked(episodes)
    weights = {
        name: torch.nn.Parameter(torch.tensor(array))
        for name, array in (start or untrained(seed)).items()
    }
    tokens = len(first) - 1
    if not tokens:
        return {name: w.detach().numpy() for name, w in weights.items()}
    optimiser = torch.optim.AdamW(list(weights.values()), RATE, weight_decay=DECAY)
    steps = max(1, epochs * -(-tokens // BATCH))
    rng = np.random.default_rng(seed)
    started, step = time.monotonic(), 0
    while step < steps and time.monotonic() - started < seconds:
        order = rng.permutation(tokens)
        for begin in range(0, tokens, BATCH):
            part = np.sort(order[begin : begin + BATCH])
            sizes = first[part + 1] - first[part]
            rows = np.repeat(first[part] - (np.cumsum(sizes) - sizes), sizes)
            rows = rows + np.arange(len(rows))
            owner = torch.tensor(np.repeat(np.arange(len(part)), sizes))
            x = torch.tensor(evidence[rows].astype(np.float32))
            if DROP:
                seen = torch.tensor(rng.random((len(part), TEMPLATES)) >= DROP)[owner]
                whole = torch.ones(len(rows), WIDTH - 3 * TEMPLATES, dtype=torch.bool)
                x = x * torch.cat([seen, seen, seen, whole], 1)
            raw = x @ weights["linear"]
            raw = raw + torch.relu(x @ weights["hidden"] + weights["bias"]) @ weights["out"]
            top = torch.full((len(part),), -1e9).scatter_reduce(0, owner, raw.detach(), "amax")
            raised = (raw - top[owner]).exp()
            norm = torch.zeros(len(part)).index_add(0, owner, raised).log() + top
            right = torch.tensor(gold[rows])
            loss = (norm[owner[right]] - raw[right]).mean()
            for group in optimiser.param_groups:
                group["lr"] = RATE * max(0.01, 1 - step / steps)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            step += 1
    return {name: w.detach().numpy() for name, w in weights.items()}


def _stacked(episodes: Sequence[Episode]) -> tuple[Array, Array, Array]:
    evidence, gold, sizes = [], [], []
    for episode in episodes:
        pairs = episode.pairs
        right = episode.gold[pairs.token] == pairs.label
        able = np.zeros(len(episode.gold), bool)
        able[pairs.token[right]] = True
        kept = able[pairs.token]
        evidence.append(pairs.evidence[kept].astype(np.float16))
        gold.append(right[kept])
        sizes.append(np.diff(pairs.first)[able])
    if not evidence:
        return np.zeros((0, WIDTH), np.float16), np.zeros(0, bool), np.zeros(1, np.int64)
    first = np.concatenate([[0], np.cumsum(np.concatenate(sizes))])
    return np.concatenate(evidence), np.concatenate(gold), first


def fit_doubt(features: Array, right: Array) -> Array:
    """Fit the confidence of lines: logistic regression by Newton's method, a little ridge.

    Parameters
    ----------
    features
        (lines, DOUBTS).
    right
        (lines,) whether every field was right.
    """
    x = np.hstack([features, np.ones((len(features), 1))]).astype(np.float64)
    w = np.zeros(x.shape[1])
    if not len(x):
        w[0] = 1.0
        return w.astype(np.float32)
    ridge = np.eye(len(w)) * 0.1
    for _ in range(30):
        p = 1 / (1 + np.exp(-np.clip(x @ w, -30, 30)))
        gradient = x.T @ (p - right) + ridge @ w
        hessian = (x * (p * (1 - p))[:, None]).T @ x + ridge
        step = np.linalg.solve(hessian, gradient)
        w -= step
        if float(np.abs(step).max()) < 1e-6:
            break
    return w.astype(np.float32)


__all__ = ["EXTRAS", "fit_doubt", "train_combiner", "untrained"]
