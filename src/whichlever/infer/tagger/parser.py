"""The tagger as it is stored and as it parses."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whichlever.errors import BundleError
from whichlever.fields import Parsed, Schema, fields_of
from whichlever.infer.arrays import read_arrays
from whichlever.infer.tagger import candidates
from whichlever.infer.tagger.candidates import (
    Habit,
    Pairs,
    at_home,
    gather,
    less,
    narrowed,
    score,
    table,
)
from whichlever.infer.tagger.counts import Counts
from whichlever.infer.tagger.decode import decode
from whichlever.infer.tagger.features import Lexicon, Looks, hash_of, look
from whichlever.infer.tagger.habits import Habits, home_of
from whichlever.infer.tagger.labels import Labels, labels_of, runs_of, spans_of
from whichlever.infer.tagger.near import Near
from whichlever.infer.tagger.regions import Fills, filled, regions_of, single
from whichlever.infer.tagger.sources import SourceGuess
from whichlever.infer.tagger.templates import NAMES, templates

Array = NDArray[Any]
FORMAT = 1
BATCH_CHARS = 16_000
BATCH_LINES = 64
MADE = "tagger.json"
ARRAYS = "tagger.npz"
DOUBTS = 7
SEEN = candidates.WIDTH - candidates.EXTRAS + 6
LIKENESS = SEEN + 3
"""Numbers about one line that its confidence is made of."""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Everything that was learned.

    Attributes
    ----------
    schema
        Names and rules.
    labels
        Labels of tokens.
    sources
        Names of sources, in the order of ``habit``.
    habit
        What is usual in each source; one more row, of zeros, for an unknown one.
    home, common
        Votes within sources, and over all of them.
    near
        Labelled lines to compare with.
    variants, clocks
        What tells apart how a source's lines are labelled, and which clock they go by.
    fills
        Which fields fill which parts of a line.
    guess
        Which source a line is of, where nobody says.
    weights
        Of the network that weighs votes, and ``doubt`` of the confidence.
    """

    schema: Schema
    labels: Labels
    sources: tuple[str, ...]
    habit: Habit
    home: Counts
    common: Counts
    near: Near
    variants: Habits
    clocks: Habits
    fills: Fills
    guess: SourceGuess
    weights: Mapping[str, Array]


def clock_name(source: str, clock: int) -> str:
    """Name a source's clock in the schema."""
    return f"{source}\x1f{clock}"


class Tagger:
    """Parses lines by what was learned from labelled ones."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self._lexicon = Lexicon()
        self._several: dict[str | None, dict[str, bool]] = {}
        self._rows = {name: i for i, name in enumerate(knowledge.sources)}
        self._hashes = np.array([*map(hash_of, knowledge.sources), 0], np.uint64)

    @property
    def schema(self) -> Schema:
        """Names that may be produced, and their rules."""
        return self.knowledge.schema

    def parse(
        self, lines: Sequence[str], sources: Sequence[str | None] | None = None
    ) -> list[Parsed]:
        """Parse lines.

        Parameters
        ----------
        lines
            Any text; only the first ``MAX_TOKENS`` tokens of a line are looked at.
        sources
            Which device or program wrote each line; guessed where None or not known.
        """
        given = list(sources) if sources is not None else [None] * len(lines)
        year = datetime.now(UTC).year
        found: list[Parsed] = []
        for begin, end in _batches(lines):
            found += self._batch(lines[begin:end], given[begin:end], year)
        return found

    def _batch(self, lines: Sequence[str], given: Sequence[str | None], year: int) -> list[Parsed]:
        known = self.knowledge
        looks = look(lines, self._lexicon)
        features = templates(looks)
        rows = self._source_rows(features, looks, given)
        alike = known.near.neighbours(features, looks.first, self._hashes[rows])
        way, _ = known.variants.of_lines(features, looks.first, rows)
        pairs = self.candidates(features, looks, rows, way, alike)
        clocks, several = known.clocks.of_lines(features, looks.first, rows)
        clocks = np.where(several, clocks, known.near.clocks(*alike))
        scores = score(pairs, dict(known.weights))
        chosen = decode(pairs, scores, looks.first, known.labels)
        sure = chosen_scores(pairs, scores, chosen, known.habit)
        trust = self._trust(doubts(pairs, sure, looks.first, looks.line, known.habit, rows))
        found = []
        for i, text in enumerate(lines):
            begin, end = int(looks.first[i]), int(looks.first[i + 1])
            source = known.sources[rows[i]] if rows[i] < len(known.sources) else given[i]
            many = self._many(source)
            runs = runs_of(chosen[begin:end].tolist(), known.labels)
            if (fills := known.fills.get(source or "")) is not None:
                runs = filled(runs, regions_of(looks, i), fills)
            runs = single(runs, sure[begin:end].tolist(), many)
            spans = spans_of(runs, looks.start[begin:end].tolist(), looks.end[begin:end].tolist())
            clock = clock_name(source or "", int(clocks[i]))
            by = clock if clock in known.schema.by_source else source
            fields = fields_of(text, spans, known.schema, by, year)
            found.append(Parsed(spans, float(trust[i]), None, fields))
        return found

    def _many(self, source: str | None) -> dict[str, bool]:
        if source not in self._several:
            schema = self.knowledge.schema
            self._several[source] = {n: schema.rule(n, source).many for n in schema.rules}
        return self._several[source]

    def _source_rows(
        self, features: Array, looks: Looks, given: Sequence[str | None]
    ) -> NDArray[np.int64]:
        known = [self._rows.get(name, -1) if name is not None else -1 for name in given]
        rows = np.array(known, np.int64)
        if (rows < 0).any():
            guessed = self.knowledge.guess.rows(features, looks.first)
            rows = np.where(rows < 0, guessed, rows)
        return rows

    def candidates(
        self, features: Array, looks: Looks, rows: Array, way: Array, alike: tuple[Array, Array]
    ) -> Pairs:
        """Collect every token's candidate labels and what speaks for them."""
        known = self.knowledge
        source = rows[looks.line]
        inside = at_home(features, home_of(self._hashes[source], way[looks.line]))
        home = known.home.find(inside)
        near = narrowed(home, len(source))
        common = less(table(known.common, features), near, len(known.labels.marks))
        cosine = alike[1]
        close = known.near.votes(features, looks.line, *alike, len(known.labels.marks))
        kind = looks.columns["kind"].astype(np.int64)
        return gather(
            home, common, close, cosine[looks.line, 0], kind, source, known.habit, known.labels
        )

    def _trust(self, features: Array) -> Array:
        weights = self.knowledge.weights["doubt"]
        z = features @ weights[:-1] + weights[-1]
        return np.asarray(1 / (1 + np.exp(-np.clip(z, -30, 30))))

    def to_bytes(self) -> dict[str, bytes]:
        """Return the files to store."""
        known = self.knowledge
        where = np.nonzero(known.habit.kinds)
        arrays = {
            **known.home.arrays("home_"),
            **known.common.arrays("common_"),
            **known.near.arrays(),
            **known.variants.arrays("variant_"),
            **known.clocks.arrays("clock_"),
            **known.guess.counts.arrays("guess_"),
            "habit_at": np.stack(where).astype(np.int32),
            "habit_count": known.habit.kinds[where].astype(np.float32),
            "habit_lines": known.habit.lines.astype(np.float32),
            **{f"w_{name}": array.astype(np.float32) for name, array in known.weights.items()},
        }
        made = {
            "format": FORMAT,
            "templates": list(NAMES),
            "sources": list(known.sources),
            "labels": [list(marks) for marks in known.labels.marks],
            "fills": {source: dict(names) for source, names in known.fills.items()},
            "schema": json.loads(known.schema.to_json()),
        }
        stored = io.BytesIO()
        np.savez(stored, **arrays)  # type: ignore[arg-type]
        return {MADE: json.dumps(made).encode(), ARRAYS: stored.getvalue()}

    @classmethod
    def from_bytes(cls, files: Mapping[str, bytes]) -> Tagger:
        """Read what :meth:`to_bytes` gave.

        Raises
        ------
        BundleError
            A file is missing, damaged, or of another format.
        """
        try:
            made = json.loads(files[MADE])
            if made["format"] != FORMAT:
                raise BundleError(
                    f"the tagger is of format {made['format']}, this version reads {FORMAT}; "
                    "train it again"
                )
            if tuple(made["templates"]) != NAMES:
                raise BundleError("the tagger votes by other templates; train it again")
            arrays = read_arrays(files[ARRAYS])
            labels = labels_of([tuple(marks) for marks in made["labels"]])
            sources = tuple(str(name) for name in made["sources"])
            kinds = np.zeros((len(sources) + 1, len(labels.marks), 8), np.float32)
            kinds[tuple(arrays["habit_at"])] = arrays["habit_count"]
            weights = {n[2:]: a for n, a in arrays.items() if n.startswith("w_")}
            knowledge = Knowledge(
                Schema.from_json(json.dumps(made["schema"])),
                labels,
                sources,
                Habit(kinds, arrays["habit_lines"]),
                Counts.of(arrays, "home_"),
                Counts.of(arrays, "common_"),
                Near.of(arrays),
                Habits.of(arrays, "variant_"),
                Habits.of(arrays, "clock_"),
                {str(s): {str(n): str(k) for n, k in f.items()} for s, f in made["fills"].items()},
                SourceGuess(Counts.of(arrays, "guess_"), len(sources)),
                weights,
            )
            _check(knowledge)
        except (KeyError, ValueError, TypeError, IndexError, zipfile.BadZipFile) as error:
            raise BundleError(f"the tagger's files are damaged ({error}); pack it again") from None
        return cls(knowledge)


def _check(known: Knowledge) -> None:
    most = len(known.labels.marks)
    for counts in (known.home, known.common):
        if len(counts.label) and int(counts.label.max()) >= most:
            raise ValueError("a label that there is not")
    if known.weights["linear"].shape != (candidates.WIDTH,):
        raise ValueError("weights of another width")
    if known.weights["doubt"].shape != (DOUBTS + 1,):
        raise ValueError("a confidence of another width")


def chosen_scores(pairs: Pairs, scores: Array, chosen: Array, habit: Habit) -> Array:
    """Return the log-probability of each token's chosen label."""
    many = int(habit.kinds.shape[1])
    at = np.searchsorted(pairs.token * many + pairs.label, np.arange(len(chosen)) * many + chosen)
    return np.asarray(scores[at]) if len(at) else np.zeros(0, np.float32)


def doubts(
    pairs: Pairs, sure: Array, first: Array, line: Array, habit: Habit, rows: Array
) -> Array:
    """Describe how sure each line's labels are: (lines, DOUBTS)."""
    lines = len(first) - 1
    out = np.zeros((lines, DOUBTS), np.float32)
    low = np.zeros(lines)
    np.minimum.at(low, line, sure)
    size = np.maximum(np.diff(first), 1)
    begin = pairs.first[:-1]
    out[:, 0] = -np.log1p(-np.bincount(line, np.maximum(sure, -10), minlength=lines))
    out[:, 1] = np.maximum(low, -10)
    out[:, 2] = np.log1p(np.bincount(line, sure < -0.1, minlength=lines))
    out[:, 3] = np.bincount(line, pairs.evidence[begin, SEEN], minlength=lines) / size
    out[:, 4] = np.log1p(habit.lines[rows]) / 5
    out[:, 5] = np.log1p(size) / 5
    out[:, 6] = np.bincount(line, pairs.evidence[begin, LIKENESS], minlength=lines) / size
    return out


def _batches(lines: Sequence[str]) -> Iterator[tuple[int, int]]:
    begin, chars = 0, 0
    for i, text in enumerate(lines):
        chars += len(text)
        if chars > BATCH_CHARS or i - begin >= BATCH_LINES:
            if i > begin:
                yield begin, i
            begin, chars = i, len(text)
    if len(lines) > begin:
        yield begin, len(lines)
