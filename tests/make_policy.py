"""A policy made by hand, for tests of closing rows."""

from __future__ import annotations

import math

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
