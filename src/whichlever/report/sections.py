"""What each section of the page says, worked out from RUN's files; no markup, no drawing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from whichlever.measure.summary import Interval, LeverSummary
from whichlever.report import wording
from whichlever.report.figures import turned, value_behind
from whichlever.report.files import RunFiles
from whichlever.report.look import metric_name
from whichlever.report.palette import Mark
from whichlever.verdict.types import Reason, Standing

ALPHA = 0.05
"""After Holm; what lies below is set in bold."""

OUTCOMES = {
    "pull": "Pull this lever",
    "cannot tell": "The data cannot tell yet",
    "none eligible": "No lever is eligible",
}


def hero(files: RunFiles) -> dict[str, Any]:
    """The verdict, its reasons with their figures, and what would change it."""
    verdict = files.verdict

    def told(reasons: Sequence[Reason]) -> list[dict[str, str]]:
        return [
            {"text": r.text, "figure": r.figure, "value": value_behind(r.figure, files)}
            for r in reasons
        ]

    return {
        "outcome": OUTCOMES[verdict.outcome],
        "state": verdict.outcome.split()[0],
        "lever": verdict.lever,
        "headline": verdict.headline,
        "reasons": told(verdict.reasons),
        "would_change": told(verdict.would_change),
        "break_evens": [b.text for b in verdict.break_evens],
        "audit": verdict.audit,
        "scope": [line for line in verdict.scope if line != verdict.audit],
        "attack": verdict.attack,
        "labels_needed": verdict.labels_needed,
    }


def leader(files: RunFiles) -> LeverSummary | None:
    """The lever that the page speaks of first: the one to pull, else the best by the metric."""
    measures = files.measures
    for summary in measures.levers:
        if summary.lever == files.verdict.lever:
            return summary
    scored = [s for s in measures.levers if measures.metric in s.metrics]
    return max(scored, key=lambda s: s.metrics[measures.metric].value, default=None)


def strip(files: RunFiles) -> list[dict[str, str]]:
    """Four figures to open with; of the lever to pull, or of the best so far."""
    first = leader(files)
    if first is None:
        return []
    metric = files.measures.metric
    whose = "" if files.verdict.lever else f"best so far: {first.lever}"
    per_call, scaled = wording.per_call(first.cost.always_on)
    tiles = [
        {
            "name": metric_name(metric),
            "value": wording.share(first.metrics[metric].value) if metric in first.metrics else "–",
            "note": whose or _interval_note(first.metrics.get(metric)),
        },
        _bill(files, first, scaled or per_call),
        {
            "name": "95 % of answers within",
            "value": wording.milliseconds(first.latency.p95_ms),
            "note": _limit_note(files, first),
        },
        _bytes_tile(first),
    ]
    if files.verdict.labels_needed is not None:
        tiles[3] = {
            "name": "labels that would tell",
            "value": wording.count(files.verdict.labels_needed),
            "note": f"more test rows, margin {wording.share(_margin(files))}",
        }
    return tiles


def _margin(files: RunFiles) -> float | None:
    return files.task.goal.margin if files.task is not None else None


def _interval_note(figure: Interval | None) -> str:
    if figure is None or figure.low is None:
        return "no interval"
    return f"{figure.level:.0%} interval {wording.bounds(figure)}"


def _bill(files: RunFiles, first: LeverSummary, call: str) -> dict[str, str]:
    standing = standings(files).get(first.lever)
    month = standing.dollars_per_month if standing is not None else None
    if month is None and first.cost.always_on is not None and files.task is not None:
        month = first.cost.always_on * files.task.constraints.calls_per_month
    calls = files.task.constraints.calls_per_month if files.task is not None else None
    return {
        "name": "a month" if calls is None else f"a month for {wording.volume(calls)} calls",
        "value": wording.money(month),
        "note": f"everything counted; {call} to answer",
    }


def _limit_note(files: RunFiles, first: LeverSummary) -> str:
    limit = files.task.constraints.latency_p95_ms if files.task is not None else None
    if limit is None:
        return f"{wording.count(first.latency.rows)} rows, one at a time"
    if first.latency.p95_ms is None:
        return f"your limit is {wording.milliseconds(limit)}"
    kept = "within" if first.latency.p95_ms <= limit else "above"
    return f"{kept} your limit of {wording.milliseconds(limit)}"


def _bytes_tile(first: LeverSummary) -> dict[str, str]:
    sent = first.cost.bytes_out
    note = {
        "here": "answered on this machine",
        "remote": "a server elsewhere answers",
        "recorded": "answers recorded elsewhere",
    }[first.place]
    return {"name": "bytes out per call", "value": wording.size(sent), "note": note}


def standings(files: RunFiles) -> Mapping[str, Standing]:
    """Each lever's standing by name."""
    return {s.lever: s for s in files.verdict.standings}


def share_metric(files: RunFiles) -> str:
    """The metric that is a share of rows: of right labels, or of lines right as a whole."""
    of = dict.fromkeys(("macro_f1", "accuracy", "auc"), "accuracy") | dict.fromkeys(
        ("exact_match", "token_f1", "rouge_l"), "exact_match"
    )
    return of.get(files.measures.metric, "line_exact")


def share_name(files: RunFiles) -> str:
    """That metric as people write it."""
    return metric_name(share_metric(files))


def lever_rows(files: RunFiles, given: Mapping[str, Mark]) -> list[dict[str, Any]]:
    """The table of levers: one row each, every figure said and its interval placed in percent."""
    metric = files.measures.metric
    figures = [s.metrics[metric] for s in files.measures.levers if metric in s.metrics]
    low = min((f.value if f.low is None else f.low for f in figures), default=0.0)
    high = max((f.value if f.high is None else f.high for f in figures), default=1.0)
    room = max(high - low, 1e-9)

    def place(value: float | None) -> float | None:
        return None if value is None else round(4 + 92 * (value - low) / room, 2)

    rows = []
    for summary in files.measures.levers:
        figure = summary.metrics.get(metric)
        standing = standings(files).get(summary.lever)
        always, always_scaled = wording.per_call(summary.cost.always_on)
        marginal, marginal_scaled = wording.per_call(summary.cost.marginal)
        calibration = summary.calibration
        rows.append(
            {
                "lever": summary.lever, "mark": given[summary.lever], "what": summary.what,
                "pulled": summary.lever == files.verdict.lever,
                "score": wording.share(figure.value) if figure else "–",
                "bounds": wording.bounds(figure),
                "at": place(figure.value) if figure else None,
                "from": place(figure.low) if figure else None,
                "to": place(figure.high) if figure else None,
                "ece": wording.share(calibration.ece.value) if calibration else "no scores",
                "ece_bounds": wording.bounds(calibration.ece) if calibration else "",
                "p95": wording.milliseconds(summary.latency.p95_ms),
                "always": always, "always_scaled": always_scaled,
                "marginal": marginal, "marginal_scaled": marginal_scaled,
                "same_cost": summary.cost.always_on == summary.cost.marginal,
                "basis": summary.cost.basis, "estimated": summary.cost.estimated,
                "bytes": wording.size(summary.cost.bytes_out),
                "rows": wording.count(summary.rows), "all_rows": wording.count(summary.all_rows),
                "fewer": summary.rows < summary.all_rows,
                "statuses": {k: n for k, n in sorted(summary.statuses.items()) if n and k != "ok"},
                "place": summary.place, "seeds": summary.seeds,
                "state": standing.state if standing else "",
                "state_reasons": [r.text for r in standing.reasons] if standing else [],
                "non_inferior": standing.non_inferior if standing else None,
                "accuracy": wording.interval(summary.metrics.get(share_metric(files))),
                "loss": _loss(summary), "rows_seen": wording.count(summary.rows_seen),
                "fit": wording.seconds(summary.fit_seconds),
            }
        )  # fmt: skip
    return rows


def _loss(summary: LeverSummary) -> str:
    figure = summary.metrics.get("loss")
    if figure is None:
        return ""
    text = wording.significant(figure.value, 3)
    if figure.low is None or figure.high is None:
        return text
    return f"{text} [{wording.significant(figure.low, 3)}, {wording.significant(figure.high, 3)}]"


def pair_rows(files: RunFiles) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Paired tests: those of the leading lever against each other one, then the rest."""
    first = leader(files)
    near: list[dict[str, Any]] = []
    far: list[dict[str, Any]] = []
    for pair in files.measures.pairs:
        a, b, difference = pair.a, pair.b, pair.difference
        if first is not None and b == first.lever:
            a, b, difference = b, a, turned(difference)
        row = {
            "a": a, "b": b, "metric": metric_name(pair.metric),
            "difference": wording.signed(difference),
            "rows": wording.count(pair.rows),
            "groups": "–" if pair.groups is None else wording.count(pair.groups),
            "p": wording.probability(pair.p), "p_holm": wording.probability(pair.p_holm),
            "attainable": wording.probability(pair.p_attainable),
            "mcnemar": wording.probability(pair.mcnemar),
            "significant": pair.p_holm < ALPHA,
        }  # fmt: skip
        (near if first is not None and a == first.lever else far).append(row)
    return near, far
