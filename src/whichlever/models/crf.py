"""Training of the linear floor for lines: conditional random fields, one a source.

A chain over every name of every source has hundreds of labels, and its cost grows with their
square. Lines of one source have a few dozen, so each source that teaches enough gets a chain of its
own; lines of other sources, or of none, are read by a chain of a sample of all lines and of the
names that most of them have.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from whichlever.errors import DataError, MissingExtraError
from whichlever.fields.align import Aligned, align
from whichlever.fields.schema import Schema, infer
from whichlever.fields.spans import LabelledLine
from whichlever.infer.crf import Crf
from whichlever.infer.crf.chain import OUTSIDE, Chain
from whichlever.infer.crf.features import cut, hashed, line_features
from whichlever.infer.crf.parser import labels_of
from whichlever.progress import Progress, Silent

LEAST_LINES = 5
"""Lines from which a source has a chain of its own."""

COMMON_LINES, COMMON_LABELS = 1_000, 100
"""Lines, drawn evenly over sources, and labels that the chain of all lines is trained with."""

STEPS = 80
"""Steps of the optimiser (L-BFGS) for a chain; fewer where its share of the time is short."""

COST = 2.5e-8
"""Seconds of a step per token and pair of labels, about."""

L1, L2 = 0.05, 0.01

Example = tuple[list[list[str]], list[str]]
"""Each token's features, and each token's label."""


def train_crf(
    train: Sequence[LabelledLine] | Sequence[Aligned],
    schema: Schema | None = None,
    *,
    seed: int = 0,
    seconds: float = 300.0,
    progress: Progress | None = None,
) -> dict[str, bytes]:
    """Train chains.

    Parameters
    ----------
    train
        Labelled lines, of one source or many; aligned already, or not yet.
    schema
        Names and rules; inferred from ``train`` unless given.
    seconds
        Budget, kept about: chains that would take longer take fewer steps.

    Returns
    -------
    dict
        File name → content, for `whichlever.infer.crf.Crf.from_bytes`.

    Raises
    ------
    DataError
        None of the labelled values stands in its line.
    MissingExtraError
        python-crfsuite is not installed.
    """
    watcher = progress or Silent()
    aligned = [line for line in train if isinstance(line, Aligned)]
    if len(aligned) < len(train):
        with watcher.step("align", len(train)):
            aligned = list(align([x for x in train if isinstance(x, LabelledLine)]).lines)
    if not any(found.spans for found in aligned):
        raise DataError("no labelled value stands in its line; values must be copied from the line")
    schema = infer(aligned) if schema is None else schema
    examples = [_example(found) for found in aligned]
    by_source: dict[str | None, list[Example]] = defaultdict(list)
    for found, example in zip(aligned, examples, strict=True):
        by_source[found.line.source].append(example)
    jobs: dict[str | None, list[Example]] = {None: _sample(by_source, seed)}
    jobs |= {s: own for s, own in by_source.items() if s is not None and len(own) >= LEAST_LINES}
    costs = {source: _cost(own) for source, own in jobs.items()}
    pace = min(1.0, seconds / max(sum(costs.values()) * STEPS, 1e-9))
    chains: dict[str | None, Chain] = {}
    with watcher.step("train chains", len(jobs), seconds=sum(costs.values()) * STEPS * pace) as bar:
        for source, own in sorted(jobs.items(), key=lambda item: str(item[0])):
            chains[source] = _chain(own, max(10, round(STEPS * pace)))
            bar.advance()
    return Crf(schema, chains).to_bytes()


def _example(found: Aligned) -> Example:
    text = found.line.text
    read = cut(text)
    return line_features(text, read), labels_of(found.spans, read)


def _sample(by_source: dict[str | None, list[Example]], seed: int) -> list[Example]:
    """Lines of every source in turn, their rare labels taken away."""
    rng = np.random.default_rng([seed, 11])
    queues = [[own[i] for i in rng.permutation(len(own))] for own in by_source.values()]
    drawn: list[Example] = []
    while any(queues) and len(drawn) < COMMON_LINES:
        for queue in queues:
            if queue and len(drawn) < COMMON_LINES:
                drawn.append(queue.pop())
    counts = Counter(label for _, labels in drawn for label in labels)
    kept = {label for label, _ in counts.most_common(COMMON_LABELS)} | {OUTSIDE}
    return [(f, [label if label in kept else OUTSIDE for label in labels]) for f, labels in drawn]


def _cost(examples: Sequence[Example]) -> float:
    """About the seconds of one step."""
    labels = len({label for _, labels in examples for label in labels})
    return COST * sum(len(f) for f, _ in examples) * labels**2 + 1e-4


def _chain(examples: Sequence[Example], steps: int) -> Chain:
    try:
        import pycrfsuite
    except ImportError as error:
        raise MissingExtraError("the linear floor for lines", "train") from error
    import tempfile
    from pathlib import Path

    # Features by hash and labels by number: what a line holds never meets crfsuite's text dump.
    names = tuple(sorted({label for _, labels in examples for label in labels} | {OUTSIDE}))
    place = {name: str(i) for i, name in enumerate(names)}
    trainer = pycrfsuite.Trainer(algorithm="lbfgs", verbose=False)
    for features, labels in examples:
        if labels:
            seen = [[str(h) for h in hashed(token)] for token in features]
            trainer.append(seen, [place[label] for label in labels])
    trainer.set_params({"c1": L1, "c2": L2, "max_iterations": steps})
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "model")
        trainer.train(path)
        tagger = pycrfsuite.Tagger()
        tagger.open(path)
        info = tagger.info()
        tagger.close()
    weights: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for (feature, label), weight in info.state_features.items():
        weights[int(feature)].append((int(label), weight))
    transitions = np.zeros((len(names), len(names)), np.float32)
    for (before, after), weight in info.transitions.items():
        transitions[int(before), int(after)] = weight
    order = sorted(weights)
    flat = [pair for key in order for pair in weights[key]]
    return Chain(
        names,
        np.array(order, np.uint64),
        np.concatenate([[0], np.cumsum([len(weights[key]) for key in order])]).astype(np.int64),
        np.array([label for label, _ in flat], np.int32),
        np.array([weight for _, weight in flat], np.float32),
        transitions,
    )
