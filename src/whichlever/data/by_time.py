"""Splits that learn from the past and are measured on the future."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from whichlever.data.rows import Role

OLD_TO_NEW: tuple[Role, ...] = ("train", "valid", "calibrate", "test")


def roles_by_time(times: Sequence[float], counts: Mapping[Role, int]) -> list[Role]:
    """The oldest rows train, then come valid, calibrate and test.

    Rows of one moment stay together where a boundary can move to the edge of the moment without
    changing a neighbouring role's size by more than half; else the moment is divided in the
    order in which the rows are given.

    Parameters
    ----------
    times : (n,) seconds since 1970
    counts : rows wanted in valid, calibrate and test; the rest trains
    """
    moments = np.asarray(times, dtype=np.float64)
    order = np.argsort(moments, kind="stable")
    sizes = [len(times) - sum(counts.values()), *(counts.get(r, 0) for r in OLD_TO_NEW[1:])]
    ends = _boundaries(moments[order], sizes)
    roles: list[Role] = ["train"] * len(times)
    for role, start, end in zip(OLD_TO_NEW, [0, *ends], [*ends, len(times)], strict=True):
        for i in order[start:end].tolist():
            roles[i] = role
    return roles


def _boundaries(moments: npt.NDArray[np.float64], sizes: Sequence[int]) -> list[int]:
    """Where each role but the last ends, in sorted rows."""
    planned = np.cumsum(sizes)[:-1].tolist()
    ends: list[int] = []
    for i, end in enumerate(planned):
        if sizes[i + 1] == 0:
            ends.append(end)
            continue
        start = ends[-1] if ends else 0
        after = planned[i + 1] if i + 1 < len(planned) else len(moments)
        ends.append(_edge(moments, start, end, after))
    # A role that was not asked for stays empty wherever its neighbour's boundary went.
    for i in range(len(ends) - 1, -1, -1):
        if sizes[i + 1] == 0:
            ends[i] = ends[i + 1] if i + 1 < len(ends) else len(moments)
    return ends


def _edge(moments: npt.NDArray[np.float64], start: int, end: int, after: int) -> int:
    """The end of the moment nearest to ``end`` that leaves both neighbours half of their rows."""
    if end <= 0 or end >= len(moments) or moments[end - 1] != moments[end]:
        return end
    left = int(np.searchsorted(moments, moments[end], side="left"))
    right = int(np.searchsorted(moments, moments[end], side="right"))
    before, behind = end - start, after - end
    fits = [
        edge
        for edge in sorted((left, right), key=lambda edge: abs(edge - end))
        if edge - start >= max(1, before / 2)
        and after - edge >= max(1, behind / 2)
        and edge - start <= before * 1.5
        and after - edge <= behind * 1.5
    ]
    return fits[0] if fits else end
