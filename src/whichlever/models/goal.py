"""The goal metric on validation rows, for early stopping and for choosing; numpy only."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


def goal_score(predicted: Ints, targets: Ints, metric: str) -> float:
    """Macro-F1 or accuracy.

    Parameters
    ----------
    predicted, targets : int arrays, shape (n,)
        -1 in ``targets`` is a label outside the classes: no answer is right.
    metric
        ``macro_f1``: the mean F1 over the classes that have a true row (as the test scores);
        ``accuracy``.

    Returns
    -------
    float
        In [0, 1]; 0 where there are no rows.
    """
    if len(targets) == 0:
        return 0.0
    if metric == "accuracy":
        return float(np.mean(predicted == targets))
    classes = int(max(predicted.max(), targets.max())) + 1
    said = np.bincount(predicted, minlength=classes)
    true = np.bincount(targets[targets >= 0], minlength=classes)
    right = np.bincount(targets[predicted == targets], minlength=classes)
    present = true > 0
    if not present.any():
        return 0.0
    return float(np.mean(2 * right[present] / (said + true)[present]))
