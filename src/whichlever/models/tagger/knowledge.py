"""Counting: what the features of labelled tokens say, in each source and over all of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whichlever.fields.tokens import KINDS
from whichlever.infer.tagger.candidates import ABROAD, TEMPLATES, Habit, at_home
from whichlever.infer.tagger.counts import Counts, count, strongest
from whichlever.infer.tagger.habits import home_of
from whichlever.infer.tagger.labels import runs_of
from whichlever.infer.tagger.near import Near, learn_near
from whichlever.infer.tagger.regions import learn_fills, regions_of
from whichlever.models.tagger.corpus import CHUNK, Corpus

Array = NDArray[Any]
HOME_LABELS = 8
"""Labels kept of what one source says of one feature."""
LEAST_SHARE = 0.02
"""Of a feature's votes: what a label with fewer has is noise, and slow."""
OTHER_WAY = 0.2
"""Weight of a line that is labelled in another way than its source's lines at hand."""
COMMON_LABELS = 6
"""Labels kept of what all sources say of one feature."""


def _voices(
    corpus: Corpus, lines: Array, parted: Collection[int]
) -> Iterator[tuple[int, int, Array, Array]]:
    """Yield source, way of labelling, lines and their weights: once a source, or once a way."""
    for source in np.unique(corpus.source[lines]).tolist():
        own = lines[corpus.source[lines] == source]
        ways = np.unique(corpus.variant[own]).tolist() if source in parted else [0]
        for way in ways:
            weight = np.ones(len(own), np.float32)
            if len(ways) > 1:
                weight[corpus.variant[own] != way] = OTHER_WAY
            yield source, way, own, weight


def home_counts(corpus: Corpus, lines: Array, parted: Collection[int] = ()) -> Counts:
    """Count within sources, over some lines; apart by way of labelling in ``parted`` sources."""
    features, labels, weights = [], [], []
    for source, way, own, weight in _voices(corpus, lines, parted):
        tokens = corpus.tokens(own)
        home = home_of(corpus.hashes[source : source + 1], np.array([way]))
        features.append(at_home(corpus.features[tokens], np.repeat(home, len(tokens))).ravel())
        labels.append(np.repeat(corpus.label[tokens], TEMPLATES))
        weights.append(np.repeat(np.repeat(weight, np.diff(corpus.first)[own]), TEMPLATES))
    counts = count(np.concatenate(features), np.concatenate(labels), np.concatenate(weights))
    return strongest(counts, HOME_LABELS, LEAST_SHARE)


def common_counts(corpus: Corpus, parted: Collection[int] = ()) -> Counts:
    """Count over all sources; each voice has at most the weight of one."""
    features, labels, weights = [], [], []
    for _, _, own, weight in _voices(corpus, np.arange(len(corpus.source)), parted):
        tokens = corpus.tokens(own)
        wide = np.ascontiguousarray(corpus.features[tokens][:, ABROAD])
        heavy = np.repeat(np.repeat(weight, np.diff(corpus.first)[own]), len(ABROAD))
        one = count(wide.ravel(), np.repeat(corpus.label[tokens], len(ABROAD)), heavy)
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
