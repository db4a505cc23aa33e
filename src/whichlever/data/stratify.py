"""Random splits and orders in which every label keeps its share."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from whichlever.data.rows import Role
from whichlever.errors import DataError

Codes = npt.NDArray[np.intp]


def roles_at_random(targets: Codes, counts: Mapping[Role, int], seed: int) -> list[Role]:
    """A random, stratified role for each row.

    Every label has at least one training row (one that is only tested could not be learned);
    the other rows are laid out label by label in random order and the roles are dealt along that
    line at even distances, so that each role has exactly its count and each label its share of
    every role to within about a row.

    Parameters
    ----------
    targets : (n,) label numbers
    counts : rows of valid, calibrate and test; the rest trains
    seed : makes the same split again

    Raises
    ------
    DataError
        There are fewer rows than the roles and one training row per label need.
    """
    rng = np.random.default_rng([seed, 1])
    shuffled = rng.permutation(len(targets))
    labels, first = np.unique(targets[shuffled], return_index=True)
    needed = len(labels) + sum(counts.values())
    if len(targets) < needed:
        raise DataError(
            f"{len(targets)} rows with {len(labels)} labels are too few for the split: "
            f"{sum(counts.values())} outside training and one of each label in it make {needed}; "
            "give more rows or smaller roles in data.split"
        )
    kept = np.zeros(len(targets), dtype=bool)
    kept[first] = True
    roles: list[Role] = ["train"] * len(targets)
    pool = shuffled[~kept]
    # Labels in random order: which small labels share a role must not follow their names.
    rank = rng.permutation(int(targets.max()) + 1)
    pool = pool[np.argsort(rank[targets[pool]], kind="stable")]
    counts = {role: count for role, count in counts.items() if count}
    dealt = _dealt({**counts, "train": len(pool) - sum(counts.values())}, rng)
    for i, role in zip(pool.tolist(), dealt, strict=True):
        roles[i] = role
    return roles


def stratified_order(targets: Sequence[Hashable], seed: int) -> Codes:
    """A random order in which any prefix has each label's share to within about a row.

    The j-th row of a label that has n rows gets the key (j + u) / n, u uniform and one per label;
    the keys are sorted (systematic sampling within each label; Cochran, Sampling Techniques,
    ch. 8).

    Parameters
    ----------
    targets : (n,) labels
    seed : makes the same order again

    Returns
    -------
    (n,) positions in ``targets``
    """
    rng = np.random.default_rng([seed, 2])
    by_label: dict[Hashable, list[int]] = {}
    for i in rng.permutation(len(targets)).tolist():
        by_label.setdefault(targets[i], []).append(i)
    keys = np.empty(len(targets))
    for label in sorted(by_label, key=str):
        members = by_label[label]
        keys[members] = (np.arange(len(members)) + rng.random()) / len(members)
    return np.argsort(keys, kind="stable")


def _dealt(counts: Mapping[Role, int], rng: np.random.Generator) -> list[Role]:
    """Each role as often as its count, evenly spread along the line."""
    roles = [role for role, count in counts.items() for _ in range(count)]
    keys = [(np.arange(count) + rng.random()) / count for count in counts.values() if count]
    if not keys:
        return []
    return [roles[i] for i in np.argsort(np.concatenate(keys), kind="stable").tolist()]
