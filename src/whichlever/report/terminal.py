"""The verdict in the terminal: a compact table of levers, then the reasons."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from whichlever.measure.summary import LeverSummary, Measures
from whichlever.report import wording
from whichlever.report.attack import attack_lines
from whichlever.report.autoclose import autoclose_lines
from whichlever.report.change import change_lines, cost_line
from whichlever.report.curve import curve_lines
from whichlever.report.hybrid import hybrid_lines
from whichlever.report.judge import judge_lines
from whichlever.report.lines import line_notes
from whichlever.report.look import metric_name
from whichlever.report.noise import evidence_lines
from whichlever.report.verifying import verify_lines
from whichlever.report.visible import shortened, visible
from whichlever.report.workload import terminal_lines as desk_lines
from whichlever.verdict.types import Reason, Verdict

SHOWN = 8
"""Sentences of one kind that are printed; the page has all."""

CURVES_SHOWN = 3
"""Learning curves that are said in a line each; the page has all."""

_COLUMNS = ("lever", "", "vs best", "p95", "$/M calls", "one more", "rows", "unanswered")
_WIDE_ONLY = (5, 7)
"""A terminal of 80 columns shows whole figures rather than all of them; the page has the rest."""

_STYLE = {"pull": "bold green", "cannot tell": "bold yellow", "none eligible": "bold red"}


def print_verdict(console: Console, measures: Measures, verdict: Verdict, run: Path) -> None:
    """Print the levers, the verdict and where the page is.

    Names and sentences go through `whichlever.report.visible` and are never read as markup, so
    that nothing in the data can colour, move or rewrite the terminal.

    Parameters
    ----------
    console
        Where to; its width decides how much of a name is shown.
    run
        The RUN folder; ``report.html`` in it is named at the end.
    """
    console.print(_table(measures, verdict, narrow=console.width < 100))
    console.print()
    console.print(_plain(verdict.headline, _STYLE[verdict.outcome]))
    if verdict.audit is not None:
        console.print(_plain(verdict.audit, "bold red"))
    _sentences(console, verdict.reasons)
    if verdict.would_change:
        console.print(Text("What would change it:", style="bold"))
        _sentences(console, verdict.would_change)
    _listed(console, "When facts change:", change_lines(measures))
    if measures.hybrid is not None:
        console.print(Text("Hybrid:", style="bold"))
        for said in hybrid_lines(measures):
            console.print(Text("  • ").append(visible(said)))
    _curves(console, measures)
    best = _best(measures)
    spoken_of = verdict.lever or (best.lever if best is not None else None)
    _listed(console, "Lines:", line_notes(measures, spoken_of))
    _listed(console, "Persons:", verify_lines(measures))
    for said in autoclose_lines(measures.autoclose, spoken_of):
        console.print(Text(visible(said)))
    if measures.workload is not None:
        console.print(Text("On shift:", style="bold"))
        for said in desk_lines(measures.workload, spoken_of):
            console.print(Text("  • ").append(visible(said)))
    _listed(console, "Labels:", evidence_lines(measures.noise))
    _listed(console, "A judge model:", judge_lines(measures))
    _listed(console, "Under attack:", attack_lines(measures.attacks))
    if line := cost_line(measures):
        console.print(_plain(line))
    silent = [verdict.attack] if measures.attacks is None else []
    for line in (*(said for said in verdict.scope if said != verdict.audit), *silent):
        console.print(_plain(line, "dim"))
    console.print()
    console.print(
        Text("report: ").append(visible(str(run / "report.html")), "bold"), soft_wrap=True
    )


def _listed(console: Console, title: str, lines: Sequence[str]) -> None:
    """Print lines under a title; nothing where there are none."""
    if lines:
        console.print(Text(title, style="bold"))
    for said in lines:
        console.print(Text("  • ").append(visible(said)))


def _curves(console: Console, measures: Measures) -> None:
    if measures.curve is None or not measures.curve.points:
        return
    console.print(Text("Learning curves:", style="bold"))
    for said in curve_lines(measures.curve)[:CURVES_SHOWN]:
        console.print(Text("  • ").append(visible(said)))


def _sentences(console: Console, reasons: Sequence[Reason]) -> None:
    for reason in reasons[:SHOWN]:
        console.print(Text("  • ").append(visible(reason.text)))
    if len(reasons) > SHOWN:
        console.print(Text(f"    {len(reasons) - SHOWN} more in the report", style="dim"))


def _plain(text: str, style: str = "") -> Text:
    return Text(visible(text), style=style)


def _table(measures: Measures, verdict: Verdict, *, narrow: bool) -> Table:
    best = _best(measures)
    table = Table(
        box=None, padding=(0, 1 if narrow else 2, 0, 0), header_style="dim", pad_edge=False
    )
    shown = [i for i in range(len(_COLUMNS)) if not narrow or i not in _WIDE_ONLY]
    for i in shown:
        name = _COLUMNS[i] or metric_name(measures.metric)
        table.add_column(name, justify="right" if i > 1 else "left", no_wrap=True)
    for summary in measures.levers:
        cells = _row(summary, measures, best)
        table.add_row(*(cells[i] for i in shown), style="bold" * (summary.lever == verdict.lever))
    return table


def _row(summary: LeverSummary, measures: Measures, best: LeverSummary | None) -> list[Text]:
    rows = wording.count(summary.rows)
    if summary.rows < summary.all_rows:
        rows += f"/{wording.count(summary.all_rows)}"
    unanswered = sum(n for status, n in summary.statuses.items() if status != "ok")
    cells = (
        shortened(summary.lever, 24),
        wording.interval(summary.metrics.get(measures.metric)),
        _behind(summary, measures, best),
        _short(wording.milliseconds(summary.latency.p95_ms)),
        _million(summary.cost.always_on),
        _million(summary.cost.marginal),
        rows,
        wording.count(unanswered) if unanswered else "–",
    )
    return [Text(cell) for cell in cells]


def _best(measures: Measures) -> LeverSummary | None:
    scored = [s for s in measures.levers if measures.metric in s.metrics]
    return max(scored, key=lambda s: s.metrics[measures.metric].value, default=None)


def _behind(summary: LeverSummary, measures: Measures, best: LeverSummary | None) -> str:
    """The paired difference to the best, on the rows both answered."""
    if best is None or summary is best:
        return "best" if best is not None else "–"
    for pair in measures.pairs:
        if (pair.a, pair.b) == (summary.lever, best.lever):
            return _signed(pair.difference.value)
        if (pair.b, pair.a) == (summary.lever, best.lever):
            return _signed(-pair.difference.value)
    return "–"


def _signed(value: float) -> str:
    text = wording.share(value)
    return text if text.startswith("−") else f"+{text}"


def _short(text: str) -> str:
    return "–" if text == wording.NOT_MEASURED else text


def _million(dollars: float | None) -> str:
    return "–" if dollars is None else wording.money(dollars * 1e6)
