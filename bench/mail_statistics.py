"""Statistics of verification: AUC, equal error rate, recall, and intervals over whole authors."""

from __future__ import annotations

from typing import Any

import numpy as np

DRAWS = 2_000


def interval(values: Any) -> list[float]:  # noqa: ANN401 - any sequence of numbers
    """The middle 95 % of draws."""
    return [float(x) for x in np.quantile(values, [0.025, 0.975])]


def over_authors(values: list[tuple[str, float]]) -> list[float]:
    """Bootstrap interval of the mean over whole authors; nan is left out."""
    known = [(n, v) for n, v in values if not np.isnan(v)]
    names = sorted({name for name, _ in known})
    means = np.array([np.mean([v for n, v in known if n == name]) for name in names])
    rng = np.random.default_rng(0)
    return interval(means[rng.integers(0, len(means), (DRAWS, len(means)))].mean(1))


def verification(mine: np.ndarray, theirs: np.ndarray) -> dict[str, float]:
    """AUC, equal error rate, and recall of own mail at 1 % of impostors let in.

    Recall: the share of own mail above the score that 1 % of the impostors' mails are above.
    """
    order = np.sort(theirs)
    rates = [(float(np.mean(theirs >= s)), float(np.mean(mine < s))) for s in np.sort(mine)]
    false, missed = min(rates, key=lambda rate: abs(rate[0] - rate[1]))
    above = order[int(np.ceil(0.99 * len(order))) - 1]
    return {
        "auc": auc(mine, theirs), "eer": (false + missed) / 2,
        "recall_at_1": float(np.mean(mine > above)),
    }  # fmt: skip


def auc(high: np.ndarray, low: np.ndarray) -> float:
    """Area under the ROC curve, ties half."""
    from scipy.stats import mannwhitneyu

    return float(mannwhitneyu(high, low).statistic) / (len(high) * len(low))
