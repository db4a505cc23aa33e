"""A trained tagger learns another source from a few lines: counting only, seconds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whichlever.fields import Aligned, Schema
from whichlever.fields.normalise import Rule
from whichlever.infer.tagger import Tagger
from whichlever.infer.tagger.candidates import Habit
from whichlever.infer.tagger.counts import Counts, count, entry_keys
from whichlever.infer.tagger.habits import Habits
from whichlever.infer.tagger.near import Near
from whichlever.infer.tagger.parser import Knowledge
from whichlever.infer.tagger.sources import SourceGuess, learn_sources
from whichlever.models.tagger.clocks import with_clocks
from whichlever.models.tagger.corpus import corpus_of
from whichlever.models.tagger.knowledge import (
    common_counts,
    fills_of,
    habit_of,
    home_counts,
    near_of,
)
from whichlever.models.tagger.line_habits import learn_habits

Array = NDArray[Any]


def extended(base: Tagger, lines: Sequence[Aligned], schema: Schema) -> Tagger:
    """Return a tagger that knows what ``base`` knows and what the lines show.

    How votes are weighed, and the confidence, stay as they are: they do not depend on names.

    Parameters
    ----------
    lines
        Of sources that are new or already known.
    schema
        Names and rules of the lines.
    """
    known = base.knowledge
    corpus = corpus_of(lines, known.sources, known.labels.marks)
    every = np.arange(len(lines))
    new = every[corpus.source >= len(known.sources)]
    variants = learn_habits(corpus, new, corpus.variant, len(known.variants.source))
    clocks = learn_habits(corpus, new, corpus.clock, len(known.clocks.source))
    parted = set(variants.source.tolist())
    guess = learn_sources(corpus.features, corpus.first, corpus.source, len(corpus.sources))
    return Tagger(
        Knowledge(
            with_clocks(merged_schema(known.schema, schema), lines, corpus.clock),
            corpus.labels,
            corpus.sources,
            _habits(known.habit, habit_of(corpus, every)),
            merged(known.home, home_counts(corpus, every, parted)),
            merged(known.common, common_counts(corpus, parted)),
            _near(known.near, near_of(corpus, every, len(known.near.size))),
            _both(known.variants, variants),
            _both(known.clocks, clocks),
            {**known.fills, **fills_of(corpus, every)},
            SourceGuess(merged(known.guess.counts, guess.counts), len(corpus.sources)),
            known.weights,
        )
    )


def merged(one: Counts, other: Counts) -> Counts:
    """Add two tables of counts."""
    keys = np.concatenate([entry_keys(one), entry_keys(other)])
    both = count(
        keys,
        np.concatenate([one.label, other.label]).astype(np.int64),
        np.concatenate([one.weight, other.weight]).astype(np.float32),
    )
    total = np.zeros(len(both.key), np.float32)
    for part in (one, other):
        at = np.searchsorted(both.key, part.key)
        at[at == len(both.key)] = 0
        there = both.key[at] == part.key if len(both.key) else np.zeros(0, bool)
        np.add.at(total, at[there], part.total[there])
    return Counts(both.key, both.first, both.label, both.weight, total)


def merged_schema(base: Schema, other: Schema) -> Schema:
    """Add names; a source's own rules win where it differs from the rest."""
    rules = {**other.rules, **base.rules}
    by_source: dict[str, dict[str, Rule]] = {s: dict(own) for s, own in base.by_source.items()}
    for source, own in other.by_source.items():
        by_source.setdefault(source, {}).update(own)
    return Schema(rules, by_source, (*base.inferred, *other.inferred))


def own_rules(schema: Schema, lines: Sequence[Aligned]) -> Schema:
    """Write out every source's rules, so that another schema's do not stand in for them."""
    by_source: dict[str, dict[str, Rule]] = {}
    for one in lines:
        source = one.line.source
        if source is not None:
            own = by_source.setdefault(source, {})
            own |= {
                name: schema.rule(name, source) for name in one.line.fields if name in schema.rules
            }
    return Schema(schema.rules, by_source, schema.inferred)


def _habits(base: Habit, other: Habit) -> Habit:
    kinds, lines = other.kinds.copy(), other.lines.copy()
    sources, labels = len(base.lines) - 1, base.kinds.shape[1]
    kinds[:sources, :labels] += base.kinds[:-1]
    lines[:sources] += base.lines[:-1]
    return Habit(kinds, lines)


def _both(base: Habits, other: Habits) -> Habits:
    key = np.concatenate([base.key, other.key])
    order = np.argsort(key)
    return Habits(
        np.concatenate([base.source, other.source]),
        np.concatenate([base.value, other.value]),
        np.concatenate([base.bias, other.bias]),
        key[order],
        np.concatenate([base.weight, other.weight])[order],
    )


def _near(base: Near, other: Near) -> Near:
    shifted = Counts(
        other.index.key,
        other.index.first,
        other.index.label.astype(np.int64) + len(base.size),
        other.index.weight,
        other.index.total,
    )
    token = np.concatenate([base.token, other.token])
    order = np.argsort(token, kind="stable")
    return Near(
        merged(base.index, shifted),
        np.concatenate([base.size, other.size]),
        token[order],
        np.concatenate([base.label, other.label])[order],
        np.concatenate([base.clock, other.clock]),
    )
