"""Training: align, count, learn to weigh votes, learn when to doubt."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import numpy as np

from whichlever.errors import DataError
from whichlever.fields import LabelledLine, Schema, align, infer
from whichlever.infer.tagger import Tagger
from whichlever.infer.tagger.candidates import score
from whichlever.infer.tagger.decode import decode
from whichlever.infer.tagger.parser import DOUBTS, Knowledge, chosen_scores, doubts
from whichlever.infer.tagger.sources import learn_sources
from whichlever.models.tagger.clocks import with_clocks
from whichlever.models.tagger.combine import fit_doubt, train_combiner, untrained
from whichlever.models.tagger.corpus import Corpus, corpus_of
from whichlever.models.tagger.episodes import Episode, School, line_shape
from whichlever.models.tagger.extend import extended, own_rules
from whichlever.models.tagger.knowledge import (
    common_counts,
    fills_of,
    habit_of,
    home_counts,
    near_of,
)
from whichlever.models.tagger.line_habits import learn_habits
from whichlever.progress import Progress, Silent

SECONDS = 600.0
"""Budget of the exercises and the fit, unless given; counting takes what it takes."""
EPISODES = 260
LEAST = 2


def train_tagger(
    train: Sequence[LabelledLine],
    valid: Sequence[LabelledLine] = (),
    schema: Schema | None = None,
    *,
    seed: int = 0,
    seconds: float | None = None,
    progress: Progress | None = None,
    base: Mapping[str, bytes] | None = None,
) -> dict[str, bytes]:
    """Train a tagger.

    Parameters
    ----------
    train
        Labelled lines, of one source or many: sources teach each other.
    valid
        More of them, from which only the confidence is learned.
    schema
        Names and rules; inferred from ``train`` unless given.
    seconds
        Budget of learning to weigh votes; at most 600 unless given.
    base
        Files of a tagger that learned other sources: it learns these lines too, in seconds, and
        weighs votes as before.

    Returns
    -------
    dict
        File name → content, for :meth:`Tagger.from_bytes`.

    Raises
    ------
    DataError
        There are fewer than two lines, or none of their values stands in them.
    """
    if len(train) < LEAST:
        raise DataError(f"{len(train)} labelled lines are too few to learn from; ten are a start")
    watcher = progress or Silent()
    budget = SECONDS if seconds is None else seconds
    with watcher.step("Aligning", len(train)):
        aligned = align(train).lines
    if not any(one.spans for one in aligned):
        raise DataError("no labelled value stands in its line; values must be copied from the line")
    schema = infer(aligned) if schema is None else schema
    if base is not None:
        return extended(Tagger.from_bytes(base), aligned, own_rules(schema, aligned)).to_bytes()
    corpus = corpus_of(aligned)
    every = np.arange(len(aligned))
    with watcher.step("Counting", len(aligned)):
        variants = learn_habits(corpus, every, corpus.variant)
        parted = frozenset(variants.source.tolist())
        school = School(
            corpus,
            home_counts(corpus, every, parted),
            common_counts(corpus, parted),
            tuple(line_shape(one.line.text) for one in aligned),
            parted,
        )
    episodes = _exercises(school, seed, budget * 0.6, watcher)
    with watcher.step("Weighing votes", len(episodes)):
        held = episodes[::6] if len(episodes) >= 12 else []
        taught = [e for i, e in enumerate(episodes) if i % 6] if held else episodes
        weights = train_combiner(taught, seed=seed, seconds=budget * 0.3) if taught else untrained()
        weights["doubt"] = _doubt(corpus, held or episodes, weights)
    guess = learn_sources(corpus.features, corpus.first, corpus.source, len(corpus.sources))
    tagger = Tagger(
        Knowledge(
            with_clocks(schema, aligned, corpus.clock),
            corpus.labels,
            corpus.sources,
            habit_of(corpus, every),
            school.home,
            school.common,
            near_of(corpus, every),
            variants,
            learn_habits(corpus, every, corpus.clock),
            fills_of(corpus, every),
            guess,
            weights,
        )
    )
    return tagger.to_bytes()


def _exercises(school: School, seed: int, seconds: float, watcher: Progress) -> list[Episode]:
    found: list[Episode] = []
    started = time.monotonic()
    with watcher.step("Exercises", EPISODES) as step:
        for episode in school.episodes(seed):
            found.append(episode)
            step.advance()
            if len(found) >= EPISODES or time.monotonic() - started > seconds:
                break
    return found


def _doubt(
    corpus: Corpus, episodes: Sequence[Episode], weights: Mapping[str, np.ndarray]
) -> np.ndarray:
    features, right = [np.zeros((0, DOUBTS), np.float32)], [np.zeros(0)]
    for episode in episodes:
        scores = score(episode.pairs, dict(weights))
        sizes = np.diff(corpus.first)[episode.lines]
        first = np.concatenate([[0], np.cumsum(sizes)])
        chosen = decode(episode.pairs, scores, first, corpus.labels)
        line = np.repeat(np.arange(len(sizes)), sizes)
        sure = chosen_scores(episode.pairs, scores, chosen, episode.habit)
        rows = corpus.source[episode.lines]
        features.append(doubts(episode.pairs, sure, first, line, episode.habit, rows))
        wrong = np.bincount(line, chosen != episode.gold, minlength=len(sizes))
        right.append(wrong == 0)
    return fit_doubt(np.concatenate(features), np.concatenate(right))
