"""Audit findings and the way the run was measured, as the page shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from whichlever.data.findings import ProbeScore
from whichlever.measure.summary import LeverSummary
from whichlever.report import wording
from whichlever.report.files import RunFiles
from whichlever.report.visible import shortened

SHOWN_IDS = 8
"""Row ids listed with a finding; the rest are counted."""

KINDS = {
    "exact_across": "the same text in training and test",
    "near_across": "nearly the same text in training and test",
    "exact_inside": "the same text twice",
    "near_inside": "nearly the same text twice",
    "conflict": "one text, two labels",
    "group_across": "one group in training and test",
    "label_word": "the label's own word in the input",
    "length": "inputs longer than a window",
    "small_class": "a class too small to measure",
    "few_groups": "few groups",
    "unseen_label": "a label that training never showed",
    "label_noise": "labels that are probably wrong",
    "unlabelled": "rows without a label",
    "shape_across": "shapes of lines in training and test",
    "unaligned": "values that stand nowhere in their line",
    "learned": "names and how their values are made",
    "source": "sources of lines",
    "shortcut": "rows that tell where they come from",
}
_GRAVITY = {"leak": 0, "warning": 1, "info": 2}


def audit_rows(files: RunFiles, *, redact: bool) -> list[dict[str, Any]]:
    """Findings, gravest first.

    With ``redact`` only kind, severity, counts and scores are left: a finding's own words and ids
    may quote rows.
    """
    if files.audit is None:
        return []
    rows = [
        {
            "kind": KINDS.get(finding.kind, finding.kind.replace("_", " ")),
            "severity": finding.severity,
            "grave": _GRAVITY.get(finding.severity, 2),
            "text": "" if redact else finding.text,
            "remedy": "" if redact else finding.remedy,
            "count": wording.count(finding.count),
            "ids": [] if redact else [shortened(i, 60) for i in finding.row_ids[:SHOWN_IDS]],
            "more": max(0, finding.count - min(SHOWN_IDS, len(finding.row_ids))),
            "leaky": _score(finding.leaky),
            "clean": _score(finding.clean),
            "clean_means": "" if redact else finding.clean_means or "",
        }
        for finding in files.audit.findings
    ]
    return sorted(rows, key=lambda r: r["grave"])


def _score(score: ProbeScore | None) -> str:
    if score is None:
        return ""
    if score.micro_f1 is not None:
        f1, whole = wording.share(score.micro_f1), wording.share(score.line_exact)
        return f"micro-F1 {f1}, whole lines {whole} on {wording.count(score.rows)} rows"
    f1, accuracy = wording.share(score.macro_f1), wording.share(score.accuracy)
    return f"macro-F1 {f1}, accuracy {accuracy} on {wording.count(score.rows)} rows"


def clean_rows(files: RunFiles) -> list[dict[str, str]]:
    """The score on all test rows beside the one without leaked rows."""
    metric = files.measures.metric
    rows = []
    for summary in files.measures.levers:
        clean = (summary.without_leaks or {}).get(metric)
        leaky = summary.metrics.get(metric)
        if clean is not None and leaky is not None:
            change = clean.value - leaky.value
            rows.append(
                {
                    "lever": summary.lever,
                    "leaky": wording.interval(leaky),
                    "clean": wording.interval(clean),
                    "left": _left(summary),
                    "change": wording.share(change) if change < 0 else f"+{wording.share(change)}",
                }
            )
    return rows


def _left(summary: LeverSummary) -> str:
    """Over what the clean score is; fewer classes make another macro-F1."""
    if summary.clean_rows is None:
        return ""
    said = f"{wording.count(summary.clean_rows)} rows"
    return said if summary.clean_classes is None else f"{said}, {summary.clean_classes} classes"


def measured_how(files: RunFiles, *, redact: bool) -> list[tuple[str, str]]:
    """Name and value of all that the figures depend on beside the data."""
    task, facts = files.task, []
    if task is not None:
        facts += [
            ("metric", f"{task.goal.metric}, margin {wording.share(task.goal.margin)}"),
            ("split", f"by {task.data.split.by}, seed {task.data.split.seed}"),
            ("calls a month", wording.count(task.constraints.calls_per_month)),
            ("data may leave", "yes" if task.constraints.data_may_leave else "no"),
            ("a core-hour", wording.money(task.prices.core_hour)),
            ("a label", wording.money(task.prices.label)),
            ("an engineer's hour", wording.money(task.prices.engineer_hour)),
        ]
    facts += [(f"{role} rows", wording.count(n)) for role, n in files.roles.items()]
    facts.append(("classes", wording.count(len(files.measures.labels))))
    for key, value in files.environment.items():
        facts += _flat(str(key), value)
    for summary in files.measures.levers:
        chosen = _chosen(summary.chosen, redact=redact)
        if chosen:
            facts.append((f"{summary.lever} chose", chosen))
    return facts


def _flat(key: str, value: object) -> list[tuple[str, str]]:
    if isinstance(value, Mapping):
        words = [f"{name} {version}" for name, version in value.items() if version is not None]
        return [(key, ", ".join(words))] if words else []
    if value is None:
        return []
    if isinstance(value, list | tuple):
        return [(key, ", ".join(str(v) for v in value))]
    return [(key.replace("_", " "), str(value))]


def _chosen(chosen: Mapping[str, Any], *, redact: bool) -> str:
    """What was chosen on validation rows; redacted, only numbers and yes or no are left.

    Shots, for one, are rows: their ids and texts are input.
    """
    words = []
    for key, value in chosen.items():
        if isinstance(value, bool | int | float) or (isinstance(value, str) and not redact):
            words.append(f"{key} {shortened(str(value), 120)}")
        elif not redact and isinstance(value, list) and len(value) <= 12:
            words.append(f"{key} {shortened(', '.join(str(v) for v in value), 160)}")
    return "; ".join(words)
