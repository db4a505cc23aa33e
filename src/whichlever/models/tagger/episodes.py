"""Learning to weigh votes: lines of one source are parsed as if the rest of them were all there is.

An episode takes a few labelled lines of a source (or all but some shapes), forgets the others, and
asks for lines it has not seen. What other sources say is taken without that source and, mostly,
without its relatives, so that it is worth as much as it will be for a new source.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whichlever.infer.tagger.candidates import (
    Habit,
    Pairs,
    at_home,
    gather,
    less,
    narrowed,
    table,
)
from whichlever.infer.tagger.counts import Counts, Entries
from whichlever.infer.tagger.habits import home_of
from whichlever.infer.tagger.labels import Labels
from whichlever.models.tagger.corpus import Corpus
from whichlever.models.tagger.knowledge import habit_of, home_counts, near_of
from whichlever.models.tagger.line_habits import learn_habits

Array = NDArray[Any]
FEW = (8, 12, 20, 20, 30, 50)
SUPPORT_LINES = 300
QUERY_TOKENS = 2500
RELATIVES = 8


@dataclass(frozen=True, slots=True)
class Episode:
    """One exercise.

    Attributes
    ----------
    lines
        Query lines.
    pairs
        Their candidates.
    gold
        (tokens,) right labels.
    habit
        What was usual in the support lines.
    clocks
        (lines,) which of their source's clocks the lines seem to go by.
    """

    lines: Array
    pairs: Pairs
    gold: Array
    habit: Habit
    clocks: Array


@dataclass(frozen=True, slots=True)
class School:
    """What episodes are drawn from: the corpus, and what all of it says."""

    corpus: Corpus
    home: Counts
    common: Counts
    shapes: tuple[str, ...]
    parted: frozenset[int] = frozenset()

    def episodes(self, seed: int) -> Iterator[Episode]:
        """Draw without end, sources in turn."""
        rng = random.Random(seed)
        lines = [np.flatnonzero(self.corpus.source == s) for s in range(len(self.corpus.sources))]
        turn = [s for s in range(len(lines)) if len(lines[s]) >= 6]
        while turn:
            rng.shuffle(turn)
            for source in turn:
                found = self._episode(source, lines[source], rng)
                if found is not None:
                    yield found

    def _episode(self, source: int, lines: Array, rng: random.Random) -> Episode | None:
        support, query = self._parted(lines, rng)
        query = query[np.cumsum(np.diff(self.corpus.first)[query]) <= QUERY_TOKENS]
        if not len(support) or not len(query):
            return None
        without = self._relatives(source) if rng.random() < 0.7 else [source]
        return self.ask(support, query, without)

    def ask(self, support: Array, query: Array, without: list[int]) -> Episode:
        """Make the candidates of query lines from support lines, other sources helping."""
        corpus = self.corpus
        tokens = corpus.tokens(query)
        features = corpus.features[tokens]
        source = corpus.source[corpus.line[tokens]]
        first = np.concatenate([[0], np.cumsum(np.diff(corpus.first)[query])])
        line = np.repeat(np.arange(len(query)), np.diff(first))
        ways = learn_habits(corpus, support, corpus.variant)
        way, _ = ways.of_lines(features, first, corpus.source[query])
        parted = set(ways.source.tolist())
        home = home_counts(corpus, support, parted).find(
            at_home(features, home_of(corpus.hashes[source], way[line]))
        )
        common = self._common(features, without)
        habit = habit_of(corpus, support)
        near = near_of(corpus, support)
        rows, cosine = near.neighbours(features, first, corpus.hashes[corpus.source[query]])
        close = near.votes(features, line, rows, cosine, len(corpus.labels.marks))
        pairs = gather(
            home, common, close, cosine[line, 0], corpus.kind[tokens], source, habit, corpus.labels
        )
        clock, several = learn_habits(corpus, support, corpus.clock).of_lines(
            features, first, corpus.source[query]
        )
        clock = np.where(several, clock, near.clocks(rows, cosine))
        return Episode(query, pairs, corpus.label[tokens], habit, clock)

    def _common(self, features: Array, without: list[int]) -> Entries:
        common = table(self.common, features)
        for source in without[:RELATIVES]:
            for way in (0, 1) if source in self.parted else (0,):
                home = home_of(self.corpus.hashes[source : source + 1], np.array([way]))
                inside = at_home(features, np.repeat(home, len(features)))
                own = narrowed(self.home.find(inside), len(features))
                common = less(common, own, len(self.corpus.labels.marks))
        return common

    def _parted(self, lines: Array, rng: random.Random) -> tuple[Array, Array]:
        mixed = lines.tolist()
        rng.shuffle(mixed)
        shapes = sorted({self.shapes[i] for i in mixed})
        if len(shapes) > 3 and rng.random() < 0.35:
            held = set(rng.sample(shapes, max(1, len(shapes) * 3 // 10)))
            support = [i for i in mixed if self.shapes[i] not in held][:SUPPORT_LINES]
            query = [i for i in mixed if self.shapes[i] in held]
        else:
            few = min(rng.choice(FEW), len(mixed) * 2 // 3)
            support, query = mixed[:few], mixed[few:]
        return np.array(support, np.int64), np.array(query, np.int64)

    def _relatives(self, source: int) -> list[int]:
        family = family_of(self.corpus.sources[source])
        others = [s for s, n in enumerate(self.corpus.sources) if family_of(n) == family]
        return [source, *(s for s in others if s != source)]


def family_of(source: str) -> str:
    """Return the first word of a source's name: usually the vendor."""
    return re.split(r"[^A-Za-z0-9]", source, maxsplit=1)[0]


def line_shape(text: str) -> str:
    """Mask what varies: two lines of one shape differ in numbers and quoted values only."""
    text = re.sub(r"\"[^\"]*\"", '"', text[:4000])
    return re.sub(r"[0-9a-fA-F]{8,}|\d+", "0", text)


__all__ = ["Episode", "Labels", "School", "family_of", "line_shape"]
