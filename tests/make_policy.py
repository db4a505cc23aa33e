"""A policy and scored answers made by hand, for tests of closing rows."""

from __future__ import annotations

import math

import numpy as np

from make_outcome import outcome
from whichlever.calibrate.policy import Policy

LABELS = ("critical", "investigate", "noise")


def policy(**given) -> Policy:
    fields = {
        "task": "t", "lever": "linear", "what": "linear", "fit": "abc", "labels": LABELS,
        "label": "noise", "protect": ("critical",), "threshold": math.log(99), "temperature": 1.0,
        "promise": {
            "kind": "high confidence", "scope": "deployment", "text": "p", "at_most": 0.01,
            "confidence": 0.95, "units": 299,
        },
        "review": 0.05, "salt": "ab" * 32, "protected_among_closed": 0.001,
    }  # fmt: skip
    return Policy.model_validate({**fields, **given})


def scored(rows, critical, seed=0, skill=3.0, groups=None, lever="linear", **given):
    """Simulated answers: ``critical`` of the rows are critical, the others noise."""
    rng = np.random.default_rng(seed)
    targets = np.where(np.arange(rows) < critical, 0, 2)
    logits = rng.normal(0, 1, (rows, 3))
    logits[np.arange(rows), targets] += skill
    scores = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return outcome(
        lever, targets, scores.argmax(1), scores=scores.astype(np.float32), groups=groups, **given
    )
