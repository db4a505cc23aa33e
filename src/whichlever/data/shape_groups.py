"""Which lines count as one shape: alike around their values, or near copies of each other."""

from __future__ import annotations

from collections.abc import Sequence

from whichlever.data.duplicates import exact_keys, near_pairs
from whichlever.data.line_shape import line_shape
from whichlever.predict import Row

ALIKE = 0.65
"""Estimated Jaccard similarity of words and word pairs from which lines share a shape; a little
below that of near duplicates, as the estimate has a standard error of .06."""


def shapes_of(rows: Sequence[Row]) -> dict[str, str]:
    """The shape of each line, by row id.

    Lines whose labelled values stand between the same neighbours share one (`line_shape`), and so
    do near copies, whatever is labelled in them: a split that parts them would test memory.
    """
    keys = [line_shape(row.text, row.fields or {}) for row in rows]
    leads: dict[str, str] = {}

    def lead(key: str) -> str:
        while (above := leads.get(key, key)) != key:
            leads[key] = leads.get(above, above)
            key = above
        return key

    def join(one: str, other: str) -> None:
        first, second = sorted((lead(one), lead(other)))
        if first != second:
            leads[second] = first

    first_of: dict[int, int] = {}
    for i, copy in enumerate(exact_keys([row.text for row in rows])):
        join(keys[i], keys[first_of.setdefault(copy, i)])
    once = sorted(first_of.values())
    earlier, later = near_pairs([rows[i].text for i in once], ALIKE)
    for a, b in zip(earlier.tolist(), later.tolist(), strict=True):
        join(keys[once[a]], keys[once[b]])
    return {row.id: lead(key) for row, key in zip(rows, keys, strict=True)}
