"""Counting: what the features of labelled tokens say, in each source and over all of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from whichlever.fields.tokens import KINDS
from whichlever.infer.tagger.candidates import ABROAD, TEMPLATES, Habit, at_home
from whichlever.infer.tagger.counts import Counts, count, strongest
from whichlever.infer.tagger.labels import runs_of
from whichlever.infer.tagger.near import Near, learn_near
from whichlever.infer.tagger.regions import learn_fills, regions_of
from whichlever.models.tagger.corpus import CHUNK, Corpus

Array = NDArray[Any]
HOME_LABELS = 8
"""Labels kept of what one source says of one feature."""
LEAST_SHARE = 0.02
"""Of a feature's votes: what a label with fewer has is noise, and slow."""
COMMON_LABELS = 6
"""Labels kept of what all sources say of one feature."""


def home_counts(corpus: Corpus, lines: Array) -> Counts:
    """Count within sources, over some lines."""
    tokens = corpus.tokens(lines)
    inside = at_home(corpus.features[tokens], corpus.hashes[corpus.source[corpus.line[tokens]]])
    counts = count(inside.ravel(), np.repeat(corpus.label[tokens], TEMPLATES))
    return strongest(counts, HOME_LABELS, LEAST_SHARE)


def common_counts(corpus: Corpus) -> Counts:
    """Count over all sources; each source's word has at most the weight of one."""
    features, labels, weights = [], [], []
    for source in range(len(corpus.sources)):
        tokens = corpus.tokens(np.flatnonzero(corpus.source == source))
        wide = np.ascontiguousarray(corpus.features[tokens][:, ABROAD])
        one = count(wide.ravel(), np.repeat(corpus.label[tokens], len(ABROAD)))
        sizes = np.diff(one.first)
        features.append(np.repeat(one.key, sizes))
        labels.append(one.label)
        weights.append((one.weight / (np.repeat(one.total, sizes) + 0.5)).astype(np.float32))
    counts = count(np.concatenate(features), np.concatenate(labels), np.concatenate(weights))
    return strongest(counts, COMMON_LABELS)


def habit_of(corpus: Corpus, lines: Array) -> Habit:
    """Count what kinds of token each label has in each source, over some lines."""
    shape = (len(corpus.sources) + 1, len(corpus.labels.marks), len(KINDS))
    tokens = corpus.tokens(lines)
    at = np.ravel_multi_index(
        (corpus.source[corpus.line[tokens]], corpus.label[tokens], corpus.kind[tokens]), shape
    )
    kinds = np.bincount(at, minlength=int(np.prod(shape))).reshape(shape).astype(np.float32)
    size = np.bincount(corpus.source[lines], minlength=shape[0]).astype(np.float32)
    return Habit(kinds, size)


def near_of(corpus: Corpus, lines: Array, begin: int = 0) -> Near:
    """Index some lines to compare with, numbered from ``begin``."""
    tokens = corpus.tokens(lines)
    first = np.concatenate([[0], np.cumsum(np.diff(corpus.first)[lines])])
    return learn_near(
        corpus.features[tokens],
        first,
        corpus.label[tokens],
        corpus.hashes[corpus.source[lines]],
        corpus.clock[lines],
        begin=begin,
    )


def fills_of(corpus: Corpus, lines: Array) -> dict[str, dict[str, str]]:
    """Find which fields fill which parts of some lines, by source."""
    return learn_fills(
        (
            corpus.sources[corpus.source[i]],
            regions_of(corpus.looks[i // CHUNK], i % CHUNK),
            runs_of(corpus.label[corpus.first[i] : corpus.first[i + 1]].tolist(), corpus.labels),
        )
        for i in lines.tolist()
    )
