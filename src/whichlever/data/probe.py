"""A quick linear model that shows what a leak is worth; never a lever, never in the verdict."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from whichlever.data.findings import ProbeScore
from whichlever.predict import Row

MOST_ROWS = 20_000
WORK = 2_000_000
"""Training rows times labels that a probe may cost: a few seconds on one core."""

LEAST_ROWS = 4_000
MOST_CHARS = 4_000
FOLDS = 5


def probe_rows(
    train: Sequence[Row], labels: int, keep: Collection[str] = (), seed: int = 0
) -> list[Row]:
    """The training rows that a probe learns from: all, or a random part that fits the budget.

    Rows whose ids are in ``keep`` (the counterparts of leaked test rows) stay in, so that a test
    row whose duplicate was there to be learned still finds it.
    """
    most = min(MOST_ROWS, max(LEAST_ROWS, WORK // max(1, labels)))
    if len(train) <= most:
        return list(train)
    wanted = set(keep)
    kept = [row for row in train if row.id in wanted][: most // 2]
    held = {row.id for row in kept}
    rest = [row for row in train if row.id not in held]
    order = np.random.default_rng([seed, 4]).permutation(len(rest))
    return kept + [rest[i] for i in order[: most - len(kept)].tolist()]


def probe_answers(
    train: Sequence[str], targets: Sequence[str], test: Sequence[str], seed: int = 0
) -> list[str]:
    """Answers of a linear SVM on hashed words and word pairs to each of ``test``.

    Parameters
    ----------
    train : texts learned from; only their first 4,000 characters are read
    targets : their labels
    test : texts answered
    """
    from sklearn.linear_model import SGDClassifier

    if len(set(targets)) < 2:
        return [targets[0]] * len(test)
    weigher = _features()
    learned = weigher.fit_transform([text[:MOST_CHARS] for text in train])
    model = SGDClassifier(
        loss="hinge", alpha=3e-5, max_iter=5, tol=None, average=True, random_state=seed
    )
    model.fit(learned, np.asarray(targets, dtype=object).astype(str))
    answers: list[str] = []
    for start in range(0, len(test), 4096):
        part = [text[:MOST_CHARS] for text in test[start : start + 4096]]
        answers.extend(str(label) for label in model.predict(weigher.transform(part)))
    return answers


def without_own_group(rows: Sequence[Row], train: Sequence[Row], seed: int = 0) -> list[str]:
    """Answers to ``rows`` by probes that saw no row of the same group.

    The groups are dealt into five folds; each fold's rows are answered by a probe that learned
    from the training rows of the other folds.
    """
    groups = sorted({row.group for row in (*rows, *train) if row.group is not None})
    folds = min(FOLDS, len(groups))
    order = np.random.default_rng([seed, 5]).permutation(len(groups)).tolist()
    fold_of = {groups[g]: i % folds for i, g in enumerate(order)}
    answers = [""] * len(rows)
    for fold in range(folds):
        mine = [i for i, row in enumerate(rows) if fold_of.get(row.group or "") == fold]
        others = [row for row in train if fold_of.get(row.group or "") != fold]
        if not mine or not others:
            continue
        said = probe_answers(
            [row.text for row in others],
            [row.target or "" for row in others],
            [rows[i].text for i in mine],
            seed,
        )
        for i, answer in zip(mine, said, strict=True):
            answers[i] = answer
    return answers


def probe_score(
    targets: Sequence[str], answers: Sequence[str], kept: npt.NDArray[np.bool_] | None = None
) -> ProbeScore | None:
    """Macro-F1 and accuracy of ``answers``, over the rows that ``kept`` marks; None of none."""
    from sklearn.metrics import accuracy_score, f1_score

    true = np.asarray(targets, dtype=object).astype(str)
    said = np.asarray(answers, dtype=object).astype(str)
    if kept is not None:
        true, said = true[kept], said[kept]
    if not len(true):
        return None
    macro = f1_score(true, said, labels=np.unique(true), average="macro", zero_division=0)
    return ProbeScore(
        rows=len(true),
        accuracy=round(float(accuracy_score(true, said)), 4),
        macro_f1=round(float(macro), 4),
    )


def _features() -> Any:  # noqa: ANN401 - scikit-learn is not typed
    from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
    from sklearn.pipeline import make_pipeline

    return make_pipeline(
        HashingVectorizer(
            ngram_range=(1, 2), n_features=2**18, alternate_sign=False, norm=None, dtype=np.float32
        ),
        TfidfTransformer(sublinear_tf=True),
    )
