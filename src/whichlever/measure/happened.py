"""What a closing threshold does to rows whose labels are known: counts and exact intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from whichlever.calibrate import clopper_pearson
from whichlever.measure.autoclosing import GroupClosed, Happened, LabelClosed
from whichlever.measure.figure import Interval
from whichlever.measure.intervals import LEVEL, share

GROUPS_SHOWN = 30


@dataclass(frozen=True, eq=False)
class Closing:
    """Rows with their closing scores.

    Attributes
    ----------
    scores
        Closing scores, shape (n,); a row is closed where its score is above the threshold.
    targets
        True label indices, shape (n,).
    groups
        A group per row, or None.
    labels, label, protect
        The label order, the index that is closed, and the protected indices.
    """

    scores: npt.NDArray[np.float64]
    targets: npt.NDArray[np.int64]
    groups: tuple[str, ...] | None
    labels: tuple[str, ...]
    label: int
    protect: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.scores)


def happened(rows: Closing, threshold: float) -> Happened:
    """Count what is closed above a threshold.

    Shares have Clopper–Pearson intervals; rows in groups count as many as there are groups
    (`measure.intervals.share`).
    """
    closed = rows.scores > threshold
    protected = np.isin(rows.targets, rows.protect)
    per_label = []
    for c, name in enumerate(rows.labels):
        mine = rows.targets == c
        per_label.append(
            LabelClosed(
                label=name,
                rows=int(mine.sum()),
                closed=int(closed[mine].sum()),
                share=_share(closed, mine, rows.groups),
            )
        )
    groups = _by_group(rows, closed, protected)
    return Happened(
        rows=len(rows),
        closed=int(closed.sum()),
        noise=per_label[rows.label].share,
        missed=_share(closed, protected, rows.groups),
        protected_rows=int(protected.sum()),
        protected_closed=int(closed[protected].sum()),
        labels=tuple(per_label),
        groups=tuple(groups[:GROUPS_SHOWN]),
        groups_in_all=None if rows.groups is None else len(groups),
    )


def _share(
    closed: npt.NDArray[np.bool_], mine: npt.NDArray[np.bool_], groups: Sequence[str] | None
) -> Interval | None:
    if not mine.any():
        return None
    units = None if groups is None else len({groups[i] for i in np.flatnonzero(mine).tolist()})
    return share(float(closed[mine].sum()), float(mine.sum()), units, None)


def _by_group(
    rows: Closing, closed: npt.NDArray[np.bool_], protected: npt.NDArray[np.bool_]
) -> list[GroupClosed]:
    if rows.groups is None:
        return []
    groups = np.asarray(rows.groups, dtype=object)
    out = []
    for name in sorted(set(groups[protected].tolist())):
        own = groups == name
        n, k = int((own & protected).sum()), int((own & protected & closed).sum())
        label = own & (rows.targets == rows.label)
        low, high = clopper_pearson(k, n, LEVEL)
        out.append(
            GroupClosed(
                group=name,
                rows=n,
                closed=k,
                share=Interval(value=k / n, low=low, high=high, level=LEVEL),
                label_rows=int(label.sum()),
                label_closed=int((label & closed).sum()),
            )
        )
    return sorted(out, key=lambda g: (-g.share.value, -g.closed, -(g.share.high or 0.0), g.group))
