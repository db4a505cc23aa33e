"""Labelled lines as arrays: features and label of every token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whichlever.fields import Aligned
from whichlever.infer.tagger.features import Lexicon, Looks, hash_of, look
from whichlever.infer.tagger.labels import OUTSIDE, Labels, Marks, labels_of, marked
from whichlever.infer.tagger.templates import templates
from whichlever.models.tagger.clocks import clocks_of
from whichlever.models.tagger.companions import variants_of

Array = NDArray[Any]
CHUNK = 256
NOWHERE = ""
"""Name of the source of lines that say none."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """Lines as arrays.

    Attributes
    ----------
    lines
        What was aligned.
    features
        (tokens, templates) hashes.
    label, kind, line
        (tokens,) label, kind, and which line.
    first
        (lines + 1,) where each line's tokens begin.
    source
        (lines,) row in ``sources``.
    clock
        (lines,) which of its source's clocks each line goes by.
    variant
        (lines,) in which way each line is labelled, of its source's ways.
    hashes
        (sources,) hash of each source's name.
    looks
        Offsets, for whoever needs spans again.
    """

    lines: tuple[Aligned, ...]
    features: Array
    label: Array
    kind: Array
    line: Array
    first: Array
    source: Array
    clock: Array
    variant: Array
    sources: tuple[str, ...]
    hashes: Array
    labels: Labels
    looks: tuple[Looks, ...]

    def tokens(self, lines: Array) -> Array:
        """Return the tokens of some lines."""
        begin, size = self.first[lines], self.first[lines + 1] - self.first[lines]
        return np.repeat(begin - (np.cumsum(size) - size), size) + np.arange(int(size.sum()))


def corpus_of(
    lines: Sequence[Aligned],
    sources: Sequence[str] = (),
    marks: Sequence[Marks] = (OUTSIDE,),
) -> Corpus:
    """Read aligned lines; ``sources`` and ``marks`` that are already known keep their numbers."""
    lexicon = Lexicon()
    looks = tuple(
        look([one.line.text for one in lines[i : i + CHUNK]], lexicon)
        for i in range(0, len(lines), CHUNK)
    )
    known: dict[Marks, int] = {label: i for i, label in enumerate(marks)}
    label: list[int] = []
    for i, one in enumerate(lines):
        part, at = looks[i // CHUNK], i % CHUNK
        cut = slice(int(part.first[at]), int(part.first[at + 1]))
        for found in marked(one.spans, part.start[cut], part.end[cut]):
            label.append(known.setdefault(found, len(known)))
    names = list(sources)
    rows = {name: i for i, name in enumerate(names)}
    source = []
    for one in lines:
        name = one.line.source or NOWHERE
        if name not in rows:
            rows[name] = len(names)
            names.append(name)
        source.append(rows[name])
    sizes = np.concatenate([np.diff(part.first) for part in looks] or [np.zeros(0, np.int64)])
    return Corpus(
        tuple(lines),
        np.concatenate([templates(part) for part in looks]),
        np.array(label, np.int64),
        np.concatenate([part.columns["kind"] for part in looks]).astype(np.int64),
        np.repeat(np.arange(len(lines)), sizes),
        np.concatenate([[0], np.cumsum(sizes)]),
        np.array(source, np.int64),
        clocks_of(lines),
        variants_of(lines, np.array(source, np.int64)),
        tuple(names),
        np.array([hash_of(name) for name in names], np.uint64),
        labels_of(tuple(known)),
        looks,
    )
