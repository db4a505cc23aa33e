"""A head that starts as a linear probe of the encoder, not from nothing.

Fine-tuning from a random head first bends the encoder towards that head's noise; a head fitted on
the frozen features leaves it where it is good (linear probing, then fine-tuning: Kumar et al.
2022). In one short pass this is worth more than anything else that was tried.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from whichlever.infer.encoder_text import Ints, by_length, padded
from whichlever.models.encoder_net import Classifier

MOST_ROWS = 8_192
"""Rows that the probe is fitted on, at most: a seeded draw of more."""

SHRINK = 5e-5
"""Weight of the head's squared norm; features have a root mean square norm of one."""

PASSES = 60
TOKENS = 8_192
"""Tokens in one batch when features are made."""


def start_head(
    net: Classifier,
    texts: Sequence[Ints],
    targets: Ints,
    weight: torch.Tensor | None,
    rng: np.random.Generator,
) -> None:
    """Set ``net.head`` to a multinomial logistic regression on the encoder's pooled states.

    Parameters
    ----------
    texts
        Token ids of the training rows.
    targets
        Class of each, shape (n,).
    weight
        Weight per class in the loss; None weighs rows alike.
    rng
        Draws the rows where there are more than `MOST_ROWS`.
    """
    rows = np.arange(len(texts))
    if len(rows) > MOST_ROWS:
        rows = np.sort(rng.permutation(len(rows))[:MOST_ROWS])
    features = pooled(net, [texts[i] for i in rows.tolist()])
    norm = float(np.sqrt(np.square(features).sum(axis=1).mean())) or 1.0
    inputs, truth = torch.from_numpy(features / norm), torch.from_numpy(targets[rows])
    classes = net.head.out_features
    counts = np.bincount(targets, minlength=classes) + 0.1
    weights = torch.zeros(features.shape[1], classes, requires_grad=True)
    bias = torch.from_numpy(np.log(counts / counts.sum()).astype(np.float32)).requires_grad_()
    solver = torch.optim.LBFGS([weights, bias], max_iter=PASSES, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        solver.zero_grad()
        logits = inputs @ weights + bias
        found: torch.Tensor = torch.nn.functional.cross_entropy(logits, truth, weight=weight)
        found = found + SHRINK * weights.square().sum()
        found.backward()
        return found

    solver.step(loss)
    with torch.no_grad():
        net.head.weight.copy_((weights / norm).T)
        net.head.bias.copy_(bias)


def pooled(net: Classifier, texts: Sequence[Ints]) -> np.ndarray[tuple[int, int], np.dtype]:
    """What the head reads of each text, shape (n, hidden)."""
    out = np.zeros((len(texts), net.head.in_features), np.float32)
    lengths = np.fromiter((len(ids) for ids in texts), np.int64, len(texts))
    net.eval()
    with torch.inference_mode():
        for rows in by_length(lengths, TOKENS):
            ids, mask = padded([texts[i] for i in rows.tolist()])
            out[rows] = net.pooled(torch.from_numpy(ids), torch.from_numpy(mask)).numpy()
    return out
