"""Sources whose lines go by several clocks: which lines by which, and each one's rules.

One source may hold lines of machines in different zones, or of summer and winter. Where a text
names no zone, the lines most like it say which one is meant.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whichlever.fields import Aligned, Schema, infer, timestamps
from whichlever.fields.align import values_of
from whichlever.fields.normalise import Rule
from whichlever.fields.occurrences import gaps
from whichlever.infer.tagger.parser import clock_name

LEAST = 3
"""Lines that make a clock of its own."""


def clocks_of(lines: Sequence[Aligned]) -> NDArray[np.int64]:
    """Number the clocks of each source by how many lines go by them; 0 is the usual one."""
    offsets = [_offset(one) for one in lines]
    often: dict[str | None, Counter[float]] = defaultdict(Counter)
    for one, offset in zip(lines, offsets, strict=True):
        if offset is not None:
            often[one.line.source][offset] += 1
    numbers: dict[tuple[str | None, float], int] = {}
    for source, counts in often.items():
        for i, (offset, count) in enumerate(counts.most_common()):
            numbers[(source, offset)] = i if count >= LEAST else 0
    found = [
        0 if offset is None else numbers[(one.line.source, offset)]
        for one, offset in zip(lines, offsets, strict=True)
    ]
    return np.array(found, np.int64)


def _offset(one: Aligned) -> float | None:
    """Return the zone, in minutes, that the first timestamp without one must be in."""
    for span in one.spans:
        text = one.line.text[span.start : span.end]
        stamp = timestamps.read(text)
        if stamp is None or stamp.offset is not None:
            continue
        for name in span.names:
            value = timestamps.read(str(values_of(one.line.fields[name])[0]))
            found = gaps(stamp, value, own_zone=False) if value is not None else {}
            if found:
                return next(iter(found.values()))
    return None


def with_clocks(schema: Schema, lines: Sequence[Aligned], clocks: NDArray[np.int64]) -> Schema:
    """Add the rules of every clock but the usual one."""
    parted = [
        replace(one, line=replace(one.line, source=clock_name(one.line.source or "", int(clock))))
        for one, clock in zip(lines, clocks, strict=True)
    ]
    several = {one.line.source for one, clock in zip(lines, clocks, strict=True) if clock}
    kept = [part for part, one in zip(parted, lines, strict=True) if one.line.source in several]
    if not kept:
        return schema
    found = infer(kept, None).by_source
    rules: dict[str, Mapping[str, Rule]] = dict(schema.by_source)
    for source, own in found.items():
        known = {n: r for n, r in own.items() if n in schema.rules and r.normalise == "timestamp"}
        rules[source] = {**schema.by_source.get(source.split("\x1f")[0], {}), **known}
    return Schema(schema.rules, rules, schema.inferred)
