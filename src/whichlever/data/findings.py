"""What an audit says: frozen, JSON in and out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel, ConfigDict

from whichlever.data.noise_record import Noise

SHOWN_ROWS = 50
"""Row ids that a finding carries; ``count`` is of all of them."""

Kind = Literal[
    "exact_across",
    "near_across",
    "exact_inside",
    "near_inside",
    "conflict",
    "group_across",
    "label_word",
    "length",
    "small_class",
    "few_groups",
    "unseen_label",
    "unlabelled",
    "label_noise",
    "shape_across",
    "unaligned",
    "learned",
    "source",
    "shortcut",
]
Severity = Literal["info", "warning", "leak"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ProbeScore(_Frozen):
    """What a quick look scores on ``rows`` rows: a linear model, or for lines the nearest line.

    ``macro_f1`` is the mean over the labels that these rows have; ``micro_f1`` and ``line_exact``
    are those of fields. None is another kind's.
    """

    rows: int
    accuracy: float | None = None
    macro_f1: float | None = None
    micro_f1: float | None = None
    line_exact: float | None = None

    def __str__(self) -> str:
        if self.micro_f1 is not None:
            said = f"micro-F1 {self.micro_f1:.3f}, whole lines {self.line_exact or 0.0:.3f}"
        else:
            said = f"macro-F1 {self.macro_f1 or 0.0:.3f}, accuracy {self.accuracy or 0.0:.3f}"
        return f"{said} on {self.rows} rows"


class Scores(_Frozen):
    """The probe's score with a leak and without it, and how the second was made."""

    leaky: ProbeScore | None
    clean: ProbeScore | None
    clean_means: str


class Finding(_Frozen):
    """One thing the audit found.

    Attributes
    ----------
    kind, severity
        ``leak`` means that test figures would promise more than a deployment keeps.
    text
        One sentence with the numbers.
    count
        Rows it is about, all of them.
    row_ids
        The first of these rows; quotes no input.
    remedy
        What to do about it.
    leaky, clean
        The probe's score with the leak and without it, where there is one.
    clean_means
        How the clean score was made.
    """

    kind: Kind
    severity: Severity
    text: str
    count: int
    row_ids: tuple[str, ...] = ()
    remedy: str
    leaky: ProbeScore | None = None
    clean: ProbeScore | None = None
    clean_means: str | None = None


class Audit(_Frozen):
    """Everything found in one split.

    Attributes
    ----------
    rows
        Number of rows of each role.
    findings
        Leaks first, then warnings, then the rest.
    probe
        The probe's score on all test rows and, where rows are leaked, on the others; what the
        probe is.
    leaked_ids
        Every test row that has an exact duplicate in train, valid or calibrate, or a near one
        whose label gives its own away.
    noise
        Labels that are probably wrong; None where they were not looked for.
    """

    rows: dict[str, int]
    findings: tuple[Finding, ...]
    probe: ProbeScore | None = None
    probe_without_leaked: ProbeScore | None = None
    probe_is: str = ""
    leaked_ids: tuple[str, ...] = ()
    noise: Noise | None = None

    @property
    def has_leak(self) -> bool:
        """Whether any finding is a leak; the command line then exits 3."""
        return any(finding.severity == "leak" for finding in self.findings)


def found(
    kind: Kind,
    severity: Severity,
    text: str,
    ids: Iterable[str],
    remedy: str,
    scores: Scores | None = None,
) -> Finding:
    """A finding about the rows ``ids``, of which the first are kept."""
    rows = list(ids)
    return Finding(
        kind=kind,
        severity=severity,
        text=text,
        count=len(rows),
        row_ids=tuple(rows[:SHOWN_ROWS]),
        remedy=remedy,
        leaky=scores.leaky if scores else None,
        clean=scores.clean if scores else None,
        clean_means=scores.clean_means if scores else None,
    )


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Leaks first, then warnings, then the rest; otherwise in the order found."""
    rank = {"leak": 0, "warning": 1, "info": 2}
    return tuple(sorted(findings, key=lambda finding: rank[finding.severity]))
