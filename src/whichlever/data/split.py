"""Which row gets which role: train fits, valid chooses, calibrate sets thresholds, test is read
once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from whichlever.closed import looks_closed
from whichlever.data.by_group import roles_by_group
from whichlever.data.by_time import roles_by_time
from whichlever.data.open_set import refuse_seen_impostors, roles_open_set
from whichlever.data.rows import ROLES, Dataset, Role, Splits
from whichlever.data.stratify import roles_at_random, stratified_order
from whichlever.errors import DataError
from whichlever.predict import Row
from whichlever.task import Split, Task
from whichlever.taskfile import nearest


def split_rows(dataset: Dataset, task: Task) -> Splits:
    """The rows of each role.

    ``random`` keeps the share of every label (for lines: of every source) in every role,
    ``group`` keeps each group in one role, ``shape`` each shape of line,
    ``open_set`` each impostor (`roles_open_set`), ``time`` gives the oldest
    rows to train and the newest to test, ``given`` does what the files or the column say. Where
    train and test are given apart, the others say how valid and calibrate are taken out of the
    training rows (``given``: at random). The same rows and seed give the same roles, in whatever
    order the rows stand in their files.

    Raises
    ------
    DataError
        Too few rows or groups for the roles, one label only in training, or (unless
        ``data.unseen_labels`` is ``count_wrong``) a test label that no training row has.
    """
    roles = assign_roles(
        dataset.rows, dataset.given, task.data.split, dataset.shapes,
        free=answers_are_free(dataset.rows, task),
    )  # fmt: skip
    parts: dict[Role, list[Row]] = {role: [] for role in ROLES}
    for row, role in zip(dataset.rows, roles, strict=True):
        parts[role].append(row)
    if not parts["test"]:
        raise DataError("no test row: nothing could be measured; set data.split.test, or give some")
    if task.kind == "classify":
        _check_labels(parts, task)
    if task.kind == "verify":
        refuse_seen_impostors(parts)
    seed = task.data.split.seed
    return Splits(
        train=tuple(parts["train"]),
        valid=tuple(parts["valid"]),
        calibrate=_frozen_order(parts["calibrate"], seed),
        test=_frozen_order(parts["test"], seed),
    )


def _frozen_order(rows: Sequence[Row], seed: int) -> tuple[Row, ...]:
    """One random, stratified order, whatever order the rows came in: any prefix is a sample."""
    by_id = sorted(rows, key=lambda row: row.id)
    order = stratified_order([_target(row) for row in by_id], seed=seed)
    return tuple(by_id[i] for i in order)


def assign_roles(
    rows: Sequence[Row],
    given: Mapping[str, Role],
    split: Split,
    shapes: Mapping[str, str] | None = None,
    *,
    free: bool = False,
) -> list[Role]:
    """The role of each row, in order; see `split_rows`.

    Parameters
    ----------
    shapes
        Row id → shape of its line; only split by: shape needs it.
    free
        Targets are free texts: there are no labels whose shares could be kept.

    Raises
    ------
    DataError
        Too few rows or groups for the roles.
    """
    roles: list[Role] = [given.get(row.id, "train") for row in rows]
    present = set(given.values())
    wanted: dict[Role, float | int] = {
        "valid": split.valid,
        "calibrate": split.calibrate,
        "test": split.test,
    }
    if given:
        if "train" not in present or "test" not in present:
            lacking = "train" if "train" not in present else "test"
            raise DataError(f"no row has the role {lacking}; give some rows to it")
        wanted = {r: 0 if r in present or r == "test" else share for r, share in wanted.items()}
    pool = [i for i, role in enumerate(roles) if role == "train"]
    # By id, so that the order of lines in a file changes nothing.
    pool.sort(key=lambda i: rows[i].id)
    counts = role_counts(len(pool), wanted)
    if not any(counts.values()):
        return roles
    chosen = [rows[i] for i in pool]
    if free:
        chosen = [row if row.target is None else replace(row, target="") for row in chosen]
    if split.by == "group":
        strata = _targets(chosen)
        if chosen[0].fields is not None:  # a line's stratum is its source, often the very group
            strata = np.zeros(len(chosen), dtype=np.intp)
        dealt = roles_by_group([_group(r) for r in chosen], strata, counts, split.seed)
    elif split.by == "shape":
        alike = [(shapes or {})[row.id] for row in chosen]
        dealt = roles_by_group(alike, _targets(chosen), counts, split.seed)
    elif split.by == "open_set":
        dealt = roles_open_set(chosen, split, lambda n: role_counts(n, wanted))
    elif split.by == "time":
        dealt = roles_by_time([_time(row) for row in chosen], counts)
    else:
        dealt = roles_at_random(_targets(chosen), counts, split.seed)
    for i, role in zip(pool, dealt, strict=True):
        roles[i] = role
    return roles


def answers_are_free(rows: Sequence[Row], task: Task) -> bool:
    """Whether targets are texts of their own rather than answers of a closed set."""
    if task.kind != "generate" or task.answers is not None:
        return task.answers == "open"
    return not looks_closed([row.target or "" for row in rows])


def role_counts(rows: int, wanted: Mapping[Role, float | int]) -> dict[Role, int]:
    """Rows for valid, calibrate and test out of ``rows``: whole numbers as they are, shares
    rounded, at least one where a share was asked for.

    Raises
    ------
    DataError
        Nothing would be left to train on.
    """
    counts: dict[Role, int] = {
        role: share if isinstance(share, int) else max(1, round(share * rows))
        for role, share in wanted.items()
    }
    needed = sum(counts.values()) + 2
    if rows < needed:
        asked = ", ".join(f"{role} {count}" for role, count in counts.items() if count)
        raise DataError(
            f"{rows} rows are too few for the split ({asked}, and at least 2 to train on); "
            f"at least {needed} are needed: give more rows or smaller roles in data.split"
        )
    return counts


def _check_labels(parts: Mapping[Role, Sequence[Row]], task: Task) -> None:
    train = Counter(_target(row) for row in parts["train"])
    if len(train) < 2:
        raise DataError(
            f"the training rows have only one label ({next(iter(train), None)!r}); "
            "split otherwise (data.split), or give rows of a second label"
        )
    if task.data.unseen_labels == "count_wrong":
        return
    unseen = [row for row in parts["test"] if row.target not in train]
    if unseen:
        labels = sorted({_target(row) for row in unseen})
        shown = ", ".join(repr(label) for label in labels[:5])
        more = f" and {len(labels) - 5} more" if len(labels) > 5 else ""
        raise DataError(
            f"{len(unseen)} test rows (first: id {unseen[0].id!r}) have labels that no training "
            f"row has: {shown}{more}{_near(labels, train)} (add training rows, correct the label, "
            "or set data.unseen_labels: count_wrong)"
        )


def _near(labels: Sequence[str], train: Mapping[str, int]) -> str:
    hint = nearest(labels[0], train) if len(labels) == 1 else ""
    return hint if hint.startswith(";") else ""


def _target(row: Row) -> str:
    """What a split keeps the share of: the label, or what wrote the line."""
    if row.fields is not None:
        return row.source or ""
    if row.target is None:
        raise DataError(f"row {row.id!r} has no target; every row that is split needs one")
    return row.target


def _targets(rows: Sequence[Row]) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Label numbers, shape (rows,), by sorted label."""
    found = [_target(row) for row in rows]
    index = {label: i for i, label in enumerate(sorted(set(found)))}
    return np.array([index[label] for label in found], dtype=np.intp)


def _group(row: Row) -> str:
    if row.group is None:
        raise DataError(f"row {row.id!r} has no group; split by: group needs one for every row")
    return row.group


def _time(row: Row) -> float:
    if row.time is None:
        raise DataError(f"row {row.id!r} has no time; split by: time needs one for every row")
    return row.time
