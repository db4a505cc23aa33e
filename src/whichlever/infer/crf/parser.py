"""Chains by source as a parser of lines."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import numpy as np

from whichlever.errors import BundleError
from whichlever.fields.schema import Schema
from whichlever.fields.spans import Parsed, Span
from whichlever.fields.tokens import Token
from whichlever.fields.values import fields_of
from whichlever.infer.arrays import read_arrays
from whichlever.infer.crf.chain import OUTSIDE, Chain
from whichlever.infer.crf.features import VERSION, cut, hashed, line_features

MADE, ARRAYS = "crf.json", "crf.npz"
ARRAYS_PER_CHAIN = 5
"""As many as `Chain.arrays` gives."""


class Crf:
    """One chain for each source that taught enough, and one of all lines for every other.

    Parameters
    ----------
    schema
        Names that may be said, and how values are made.
    chains
        By source; None is every other one.
    """

    def __init__(self, schema: Schema, chains: Mapping[str | None, Chain]) -> None:
        self.schema = schema
        self.chains = chains

    def parse(
        self, lines: Sequence[str], sources: Sequence[str | None] | None = None
    ) -> list[Parsed]:
        """Parse lines; ``sources`` say what wrote each, where that is known."""
        given = list(sources) if sources is not None else [None] * len(lines)
        year = datetime.now(UTC).year
        return [self._one(line, of, year) for line, of in zip(lines, given, strict=True)]

    def _one(self, text: str, source: str | None, year: int) -> Parsed:
        chain = self.chains.get(source) or self.chains[None]
        found = cut(text)
        labels, sure = chain.best([hashed(f) for f in line_features(text, found)])
        spans = spans_of(labels, found)
        return Parsed(spans, sure, None, fields_of(text, spans, self.schema, source, year))

    def to_bytes(self) -> dict[str, bytes]:
        """Return the files to store."""
        order = sorted(self.chains, key=lambda source: (source is not None, source or ""))
        arrays: dict[str, np.ndarray] = {}
        for i, source in enumerate(order):
            arrays |= self.chains[source].arrays(f"c{i}_")
        made = {
            "features": VERSION,
            "sources": order,
            "labels": [list(self.chains[source].labels) for source in order],
            "schema": json.loads(self.schema.to_json()),
        }
        stored = io.BytesIO()
        np.savez(stored, **arrays)  # type: ignore[arg-type]
        return {MADE: json.dumps(made).encode(), ARRAYS: stored.getvalue()}

    @classmethod
    def from_bytes(cls, files: Mapping[str, bytes]) -> Crf:
        """Read what :meth:`to_bytes` gave.

        Raises
        ------
        BundleError
            A file is missing, damaged, or of another version.
        """
        try:
            made = json.loads(files[MADE])
            if made["features"] != VERSION:
                raise BundleError(
                    f"the chains are of version {made['features']}, this one reads {VERSION}; "
                    "train them again"
                )
            arrays = read_arrays(files[ARRAYS], ARRAYS_PER_CHAIN * max(1, len(made["sources"])))
            chains: dict[str | None, Chain] = {}
            for i, (source, labels) in enumerate(zip(made["sources"], made["labels"], strict=True)):
                named = tuple(str(label) for label in labels)
                chains[None if source is None else str(source)] = Chain.of(named, arrays, f"c{i}_")
            if None not in chains:
                raise ValueError("no chain for lines of unknown sources")
            return cls(Schema.from_json(json.dumps(made["schema"])), chains)
        except (KeyError, ValueError, TypeError, IndexError, zipfile.BadZipFile) as error:
            raise BundleError(f"the chains' files are damaged ({error}); pack them again") from None


def labels_of(spans: Sequence[Span], found: Sequence[Token]) -> list[str]:
    """Each token's label: ``B-name`` where a value begins, ``I-name`` where it goes on.

    A token of several values has the marks of all; a value that ends inside of a token takes it.
    """
    marks: list[list[str]] = [[] for _ in found]
    for span in spans:
        inside = [i for i, t in enumerate(found) if t.start < span.end and t.end > span.start]
        for place, i in enumerate(inside):
            marks[i] += [f"{'I' if place else 'B'}-{name}" for name in span.names]
    return [" ".join(sorted(set(m))) if m else OUTSIDE for m in marks]


def spans_of(labels: Sequence[str], found: Sequence[Token]) -> tuple[Span, ...]:
    """The spans that labels say; a mark that goes on from nowhere begins."""
    open_at: dict[str, int] = {}
    named: dict[tuple[int, int], list[str]] = {}

    def close(name: str, last: int) -> None:
        place = (found[open_at.pop(name)].start, found[last].end)
        named.setdefault(place, []).append(name)

    for i, label in enumerate(labels):
        marks = [] if label == OUTSIDE else label.split(" ")
        going = {mark[2:] for mark in marks if mark.startswith("I-")}
        for name in [n for n in open_at if n not in going]:
            close(name, i - 1)
        for mark in marks:
            open_at.setdefault(mark[2:], i)
    for name in list(open_at):
        close(name, len(labels) - 1)
    ordered = sorted(named, key=lambda place: (place[0], -place[1]))
    return tuple(Span(a, b, tuple(sorted(set(named[a, b])))) for a, b in ordered)
