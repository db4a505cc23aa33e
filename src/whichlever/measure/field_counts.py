"""What is right in the fields said of a line: counts per row and name, and values made up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from whichlever.fields.occurrences import places
from whichlever.fields.pairs import Pairs, flat, pairs_of
from whichlever.fields.schema import Schema
from whichlever.predict import Prediction, Row

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class FieldCounts:
    """Counts of n rows over k names and, in the last column, every name outside them.

    Attributes
    ----------
    hit, said, true
        (name, value) pairs that are right, that were said, and that are true, as multisets; shape
        (n, k + 1) each.
    exact
        Every pair is right and none is missing, shape (n,); a row that was not answered is not.
    invented
        Values said that stand nowhere in the line and are not made from it by a declared
        normaliser, or whose name is not in the schema, shape (n,).
    """

    hit: Ints
    said: Ints
    true: Ints
    exact: Bools
    invented: Ints

    def __len__(self) -> int:
        return len(self.exact)


def count_fields(
    rows: Sequence[Row], answers: Sequence[Prediction], names: Sequence[str], schema: Schema
) -> FieldCounts:
    """Compare what was said of each line with what is true of it.

    Values are compared as the field's normaliser says: timestamps as instants to the millisecond,
    numbers as numbers, case aside where it is levelled. True values that cannot be copied out of
    the line count as missed.
    """
    place = {name: i for i, name in enumerate(names)}
    shape = (len(rows), len(names) + 1)
    hit, said, true = (np.zeros(shape, dtype=np.int64) for _ in range(3))
    exact = np.zeros(len(rows), dtype=bool)
    invented = np.zeros(len(rows), dtype=np.int64)
    for i, (row, answer) in enumerate(zip(rows, answers, strict=True)):
        truth = pairs_of(row.fields or {}, schema, row.source)
        found: Pairs = Counter()
        if answer.status == "ok" and answer.fields is not None:
            found = pairs_of(answer.fields, schema, row.source)
            exact[i] = found == truth
            if not answer.spans:
                invented[i] = len(made_up(row.text, answer.fields, schema))
        for counts, pairs in ((hit, found & truth), (said, found), (true, truth)):
            for (name, _), number in pairs.items():
                counts[i, place.get(name, len(names))] += number
    return FieldCounts(hit, said, true, exact, invented)


def made_up(text: str, fields: Mapping[str, Any], schema: Schema) -> list[tuple[str, Any]]:
    """The fields that were not copied: a name outside the schema, or a value not of the line."""
    return [
        (name, value)
        for name, value in flat(fields)
        if name not in schema.rules or not places(text, value)
    ]
