"""Splits that keep every group on one side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from whichlever.data.rows import Role
from whichlever.errors import DataError

Table = npt.NDArray[np.float64]

MOST_TRIES = 64
GROUPS_DEALT = 4_000
"""Orders tried: up to `MOST_TRIES` where groups are few; where they are many, one greedy pass comes
close enough, so that about `GROUPS_DEALT` groups are dealt in all."""


def roles_by_group(
    groups: Sequence[str], targets: npt.NDArray[np.intp], counts: Mapping[Role, int], seed: int
) -> list[Role]:
    """A role for each row such that no group has two.

    Groups are taken in turn (large ones first, then at random) and each goes where it brings the
    rows per role and label closest to what was asked, by the chi-square distance; of several
    orders the best is kept, first those in which training lacks the fewest labels.

    Parameters
    ----------
    groups : (n,) group of each row
    targets : (n,) label numbers
    counts : rows wanted in valid, calibrate and test; the rest trains
    seed : makes the same split again

    Raises
    ------
    DataError
        There are fewer groups than roles.
    """
    roles: list[Role] = ["train", *(role for role, count in counts.items() if count)]
    names = sorted(set(groups))
    if len(names) < len(roles):
        raise DataError(
            f"{len(names)} groups are too few: {', '.join(roles)} need at least one each, so "
            f"{len(roles)} groups; give more groups, or leave roles out (data.split.calibrate: 0)"
        )
    index = {name: i for i, name in enumerate(names)}
    codes = np.array([index[group] for group in groups], dtype=np.intp)
    table = np.zeros((len(names), int(targets.max()) + 1))
    np.add.at(table, (codes, targets), 1)
    shares = np.array([counts[role] / len(groups) for role in roles[1:]])
    shares = np.concatenate([[1 - shares.sum()], shares])
    wanted = np.outer(shares, table.sum(axis=0))
    tries = max(1, min(MOST_TRIES, GROUPS_DEALT // len(names)))
    best: tuple[tuple[int, float], npt.NDArray[np.intp]] | None = None
    for attempt in range(tries):
        rng = np.random.default_rng([seed, 3, attempt])
        dealt = _deal(table, wanted, rng)
        loss = _loss(table, wanted, dealt)
        if best is None or loss < best[0]:
            best = (loss, dealt)
    assert best is not None
    return [roles[role] for role in best[1][codes].tolist()]


def _deal(table: Table, wanted: Table, rng: np.random.Generator) -> npt.NDArray[np.intp]:
    """One greedy pass, shape (groups,): the role number of each group."""
    sizes = table.sum(axis=1)
    order = rng.permutation(len(table))
    # Sizes are blurred by up to a half, so that the tries differ where groups are few.
    order = order[np.argsort(-sizes[order] * rng.uniform(0.67, 1.5, len(table)), kind="stable")]
    dealt = np.zeros(len(table), dtype=np.intp)
    held = np.zeros_like(wanted)
    weight = 1 / np.maximum(wanted, 1e-9)
    total = wanted.sum(axis=1)
    empty = set(range(len(wanted)))
    for left, group in zip(range(len(order), 0, -1), order.tolist(), strict=True):
        labels = np.flatnonzero(table[group])
        rows = table[group, labels]
        more = (rows * (2 * (held[:, labels] - wanted[:, labels]) + rows)) * weight[:, labels]
        size = sizes[group]
        in_all = size * (2 * (held.sum(axis=1) - total) + size) / total
        # As much weight for the size of the role as for its labels together.
        cost = more.sum(axis=1) + in_all * max(1, len(labels))
        if left <= len(empty):  # every role gets a group
            cost[[r for r in range(len(cost)) if r not in empty]] = np.inf
        role = int(np.argmin(cost))
        dealt[group] = role
        held[role] += table[group]
        empty.discard(role)
    return dealt


def _loss(table: Table, wanted: Table, dealt: npt.NDArray[np.intp]) -> tuple[int, float]:
    """Labels that training lacks, and the distance from what was asked; lower is better."""
    held = np.zeros_like(wanted)
    np.add.at(held, dealt, table)
    lacking = int(np.count_nonzero((held[0] == 0) & (table.sum(axis=0) > 0)))
    size = (held.sum(axis=1) - wanted.sum(axis=1)) ** 2 / wanted.sum(axis=1)
    label = (held - wanted) ** 2 / np.maximum(wanted, 1e-9)
    return lacking, float(size.sum() * table.shape[1] + label.sum())
