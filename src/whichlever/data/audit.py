"""The audit: what in these rows would make test figures promise too much.

What is called a leak (``whichlever audit`` exits 3)
----------------------------------------------------
- *Exact duplicates* of test rows in train, valid or calibrate: any at all where the split promises
  unseen groups, more than 1 % of the test rows where it is random or given. Below that a few
  repeated texts are a warning: they move a figure by less than a hundredth. A split by time never
  leaks so: a text of the past that comes again comes again in production too. It is a warning
  there, with the figure without such rows beside it.
- *Near duplicates*: more than 5 % of the test rows in a split that is not by time, and the near
  row's label gives the test row's away (Cohen's kappa of the two at least .5). Where it does not,
  the texts are filled-in templates: all of them are near each other, new ones will be too, and
  looking one up answers nothing. Such rows are reported, and are not among ``leaked_ids``.
- *Groups on both sides* although a group column is declared, where the probe loses more than
  ``goal.margin`` once it has not seen a row's group.
- *A label's own word in the input* that says that label nine times in ten, in at least a tenth of
  the label's rows, and leaves at most a quarter of the doubt that the label's share leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from whichlever.data import checks
from whichlever.data.across import Pool, across_findings, inside_findings
from whichlever.data.findings import Audit, Finding, ProbeScore, Scores, found, in_order
from whichlever.data.label_words import LabelWord, index_labels, label_words, labels_in, masked
from whichlever.data.probe import probe_answers, probe_rows, probe_score, without_own_group
from whichlever.data.rows import ROLES, Splits
from whichlever.data.shortcuts import shortcuts
from whichlever.predict import Row
from whichlever.task import Task

MOST_MASKED = 20
"""Labels whose words are masked at once for the clean score."""


def audit_splits(
    splits: Splits,
    task: Task,
    labels: Sequence[str],
    windows: Mapping[str, int] | None = None,
    count_tokens: Callable[[str], int] | None = None,
) -> Audit:
    """Look for duplicates, leaks, conflicts, long inputs and classes too small to measure.

    Parameters
    ----------
    splits
        The rows of each role.
    task
        Its ``data`` (how it was split) and ``goal.margin`` decide what is a leak.
    labels
        The run's labels.
    windows
        Tokens that each lever can read, by lever.
    count_tokens
        Tokens of a text; about a quarter of its characters where not given.
    """
    seed = task.data.split.seed
    pool = Pool.of(splits)
    truth = [row.target or "" for row in splits.test]
    train = probe_rows(splits.train, len(labels), keep=pool.counterparts(), seed=seed)
    texts, targets = [row.text for row in train], [row.target or "" for row in train]
    answers = probe_answers(texts, targets, [row.text for row in splits.test], seed)
    every = probe_score(truth, answers)
    test_ids = [row.id for row in splits.test]

    def without(ids: set[str]) -> Scores:
        """The probe's score on all test rows and on those that are not in ``ids``."""
        kept = np.array([i not in ids for i in test_ids], dtype=bool)
        return Scores(
            leaky=every,
            clean=probe_score(truth, answers, kept),
            clean_means="the same probe on the test rows that are not affected",
        )

    findings: list[Finding] = [
        *across_findings(pool, splits, task, without),
        *_groups(splits, train, task, every, truth),
        *_label_words(splits, train, labels, seed, every),
        *inside_findings(pool, splits),
        *shortcuts(splits, labels, seed),
        *checks.few_groups(splits.test),
        *checks.small_classes(splits.test, labels),
        *checks.unseen_labels(splits),
        *checks.lengths(splits, windows or {}, count_tokens),
    ]
    leaked = pool.leaked_ids()
    clean = without(set(leaked)).clean if leaked else every
    part = "" if len(train) == len(splits.train) else f" of {len(splits.train)}"
    return Audit(
        rows={role: len(getattr(splits, role)) for role in ROLES},
        findings=in_order(findings),
        probe=every,
        probe_without_leaked=clean,
        probe_is=f"a linear SVM on hashed words and word pairs, from {len(train)}{part} training "
        "rows; it shows what a leak is worth and is no lever",
        leaked_ids=tuple(leaked),
    )


def _groups(
    splits: Splits, train: Sequence[Row], task: Task, every: ProbeScore | None, truth: Sequence[str]
) -> list[Finding]:
    """Groups that stand in training and in test, and what the probe scores without them."""
    seen = {row.group for row in splits.train if row.group is not None}
    both = [row for row in splits.test if row.group in seen]
    if not both or len(seen | {row.group for row in splits.test}) < 2:
        return []
    answers = without_own_group(splits.test, train, task.data.split.seed)
    clean = probe_score(truth, answers)
    metric = task.goal.metric
    loss = getattr(every, metric) - getattr(clean, metric)
    groups = len({row.group for row in both})
    return [
        found(
            "group_across",
            "leak" if loss > task.goal.margin else "warning",
            f"{groups} groups ({task.data.group}) stand in training and in test, with {len(both)} "
            f"of {len(splits.test)} test rows: a new group would be answered worse by about "
            f"{max(loss, 0):.3f} {metric}",
            [row.id for row in both],
            "split by: group, unless every group that will ever be seen is in these rows",
            Scores(
                leaky=every,
                clean=clean,
                clean_means="probes that saw no row of the test row's group (five folds of groups)",
            ),
        )
    ]


def _label_words(
    splits: Splits, train: Sequence[Row], labels: Sequence[str], seed: int, every: ProbeScore | None
) -> list[Finding]:
    rows = [*splits.train, *splits.valid, *splits.calibrate]
    telling = [w for w in label_words(rows, labels) if w.rows >= 5 and _tells(w)]
    if not telling:
        return []
    telling.sort(key=lambda w: (-w.right, w.label))
    leaks = [
        w for w in telling if w.precision >= 0.9 and w.covered >= 0.1 and w.doubt_removed >= 0.75
    ]
    worth = leaks or telling
    index = index_labels([w.label for w in worth])
    affected = [row.id for row in splits.test if labels_in(row.text, index)]
    scores = None
    if leaks:
        names = [w.label for w in leaks[:MOST_MASKED]]
        answers = probe_answers(
            [masked(row.text, names) for row in train],
            [row.target or "" for row in train],
            [masked(row.text, names) for row in splits.test],
            seed,
        )
        scores = Scores(
            leaky=every,
            clean=probe_score([row.target or "" for row in splits.test], answers),
            clean_means="a probe on texts without these labels' words",
        )
    shown = "; ".join(_said(w) for w in worth[:3])
    rest = f"; and {len(worth) - 3} more labels" if len(worth) > 3 else ""
    return [
        found(
            "label_word",
            "leak" if leaks else "warning" if _strong(telling) else "info",
            f"the input holds the target's own word: {shown}{rest} "
            f"({len(affected)} of {len(splits.test)} test rows)",
            affected,
            "check that the word is there before the label is given; else render the input "
            "without that field",
            scores,
        )
    ]


def _said(word: LabelWord) -> str:
    return (
        f"where {word.label!r} stands ({word.rows} rows) it is the label in {word.precision:.0%}, "
        f"{word.lift:.1f} times its share"
    )


def _tells(word: LabelWord) -> bool:
    return word.lift >= 1.5 or word.doubt_removed >= 0.5


def _strong(telling: Sequence[LabelWord]) -> bool:
    return any(w.precision >= 0.5 and w.covered >= 0.05 for w in telling)
