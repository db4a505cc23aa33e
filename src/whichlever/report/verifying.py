"""What the page and the terminal show of `kind: verify`: error rates by person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from whichlever.measure.summary import Measures
from whichlever.measure.verification import FIGURES
from whichlever.report import wording
from whichlever.report.files import RunFiles
from whichlever.report.look import metric_name
from whichlever.report.palette import Mark


def verify_lines(measures: Measures) -> list[str]:
    """A sentence for each lever, for the terminal; none for other kinds of task."""
    found = []
    for own in measures.levers:
        said = [
            f"{metric_name(name)} {wording.interval(own.metrics[name])}"
            for name in FIGURES
            if name in own.metrics
        ]
        if said:
            found.append(f"{own.lever}: {', '.join(said)}")
    return found


def verify_section(files: RunFiles, given: Mapping[str, Mark]) -> dict[str, Any] | None:
    """The page's table; None for other kinds of task."""
    levers = [own for own in files.measures.levers if FIGURES[0] in own.metrics]
    if not levers:
        return None
    return {
        "columns": [metric_name(name) for name in ("auc", *FIGURES)],
        "rows": [
            {
                "lever": own.lever,
                "mark": given[own.lever],
                "cells": [wording.interval(own.metrics.get(name)) for name in ("auc", *FIGURES)],
            }
            for own in levers
        ],
    }
