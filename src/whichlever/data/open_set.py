"""Roles of rows that ask "did this person write it?": impostors of test rows are never seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from whichlever.data.rows import ROLES, Role
from whichlever.errors import DataError
from whichlever.predict import Row
from whichlever.task import Split

GENUINE, IMPOSTOR = "genuine", "impostor"
LABELS = (GENUINE, IMPOSTOR)

Counts = Callable[[int], dict[Role, int]]


def roles_open_set(rows: Sequence[Row], split: Split, counts: Counts) -> list[Role]:
    """Give each row its role.

    A person's genuine rows go by time, the oldest to train and the newest to test (by id where
    no row has a time). Impostors go by whole author, at random by the seed, so that whoever is
    met in test was met nowhere else. An author whose own genuine rows are there too is known
    while training whatever the split does, so their rows as impostor stay in train.

    Parameters
    ----------
    counts
        How many of n go to valid, calibrate and test.

    Raises
    ------
    DataError
        Too few impostor authors, or a person without enough rows.
    """
    persons = {row.person for row in rows if row.target == GENUINE}
    strangers = sorted({_author(r) for r in rows if r.target == IMPOSTOR} - persons)
    if len(strangers) < len(ROLES):
        raise DataError(
            f"{len(strangers)} authors who are nobody's genuine sender; an open set needs "
            f"{len(ROLES)}: some to learn from, others to choose on, to calibrate and to be tested"
        )
    order = np.random.default_rng([split.seed, 4]).permutation(len(strangers))
    of_author = dict(zip(
        [strangers[i] for i in order], _dealt(len(strangers), counts), strict=True
    ))  # fmt: skip
    roles: dict[str, Role] = {}
    for person in sorted(p for p in persons if p is not None):
        own = [r for r in rows if r.person == person and r.target == GENUINE]
        own.sort(key=lambda r: (r.time if r.time is not None else 0.0, r.id))
        roles |= {row.id: role for row, role in zip(own, _dealt(len(own), counts), strict=True)}
    return [
        roles[row.id] if row.target == GENUINE else of_author.get(_author(row), "train")
        for row in rows
    ]


def _dealt(count: int, counts: Counts) -> list[Role]:
    """Roles in order: train first, test last."""
    wanted = counts(count)
    left = count - sum(wanted.values())
    roles: list[Role] = ["train"] * left
    for role in ROLES[1:]:
        roles += [role] * wanted[role]
    return roles


def refuse_seen_impostors(parts: dict[Role, list[Row]]) -> None:
    """Refuse a split in which test meets an impostor whom any other role has met.

    Raises
    ------
    DataError
        It does, or test has only one of genuine and impostor rows.
    """
    known = {_author(row) for role in ROLES[:-1] for row in parts[role]}
    seen = sorted({_author(r) for r in parts["test"] if r.target == IMPOSTOR} & known)
    if seen:
        raise DataError(
            f"{len(seen)} impostors of test rows (first: {seen[0]!r}) have rows in train, valid or "
            "calibrate; only impostors never seen show what is true: split by: open_set"
        )
    for label in LABELS:
        if all(row.target != label for row in parts["test"]):
            raise DataError(f"no {label} row in test; nothing could be told apart")


def _author(row: Row) -> str:
    """Who really wrote it: the person, where it is genuine."""
    return row.author or row.person or ""
