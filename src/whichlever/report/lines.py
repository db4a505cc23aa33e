"""The page's section about fields copied out of lines: by name, shape, source and file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from whichlever.measure.line_scores import By, LineScores
from whichlever.measure.summary import LeverSummary, Measures
from whichlever.report import wording
from whichlever.report.charts import Chart
from whichlever.report.files import RunFiles
from whichlever.report.look import NARROW, WIDE
from whichlever.report.palette import Mark
from whichlever.report.plot_lines import abstention
from whichlever.report.svg import draw_svg
from whichlever.report.visible import visible

NAMES_SHOWN = 400
"""Names in a table; a schema with more is a mistake."""


def lines_section(
    files: RunFiles, given: Mapping[str, Mark], first: str | None, *, redact: bool = False
) -> dict[str, Any] | None:
    """What the page shows of lines; None for other kinds of task.

    Parameters
    ----------
    first
        The lever that the page speaks of first.
    redact
        Name no file.
    """
    measured = [(s, s.lines) for s in files.measures.levers if s.lines is not None]
    if not measured:
        return None
    ordered = sorted(measured, key=lambda pair: pair[0].lever != first)
    return {
        "levers": [_lever(own, lines, given) for own, lines in measured],
        "invented": any(lines.made_up for _, lines in measured),
        "shapes": _by_lever(measured, "shape", given),
        "sources": _slices(ordered, "source"),
        "files": None if redact else _slices(ordered, "file"),
        "names": [_names(own, lines, given, first) for own, lines in ordered if lines.said],
        "abstention": _abstention(measured, given),
    }


def _lever(own: LeverSummary, lines: LineScores, given: Mapping[str, Mark]) -> dict[str, Any]:
    made = own.metrics.get("invented")
    return {
        "lever": own.lever,
        "mark": given[own.lever],
        "micro_f1": wording.interval(own.metrics.get("micro_f1")),
        "line_exact": wording.interval(own.metrics.get("line_exact")),
        "said": wording.count(sum(lines.said.values())),
        "made_up": wording.count(lines.made_up),
        "rate": wording.interval(made),
    }


def _by_lever(
    measured: list[tuple[LeverSummary, LineScores]], by: By, given: Mapping[str, Mark]
) -> list[dict[str, Any]]:
    return [
        {
            "lever": own.lever,
            "mark": given[own.lever],
            "name": found.name,
            "rows": wording.count(found.rows),
            "micro_f1": wording.interval(found.micro_f1),
            "line_exact": wording.interval(found.line_exact),
        }
        for own, lines in measured
        for found in lines.of(by)
    ]


def _slices(ordered: list[tuple[LeverSummary, LineScores]], by: By) -> dict[str, Any] | None:
    """Slices as rows, with micro-F1 and whole lines of the first lever, and F1 of the others."""
    if not ordered or not ordered[0][1].of(by):
        return None
    first, rest = ordered[0], ordered[1:]
    others = [{found.name: found for found in lines.of(by)} for _, lines in rest]
    columns = [by, "lines", f"{first[0].lever}: micro-F1", "whole lines right"]
    rows = []
    for found in first[1].of(by):
        cells = [
            found.name, wording.count(found.rows), wording.interval(found.micro_f1),
            wording.interval(found.line_exact),
        ]  # fmt: skip
        for other in others:
            theirs = other.get(found.name)
            cells.append("–" if theirs is None else wording.share(theirs.micro_f1.value))
        rows.append(cells)
    return {"columns": [*columns, *(f"{own.lever}: F1" for own, _ in rest)], "rows": rows}


def _names(
    own: LeverSummary, lines: LineScores, given: Mapping[str, Mark], first: str | None
) -> dict[str, Any]:
    """Precision and recall of every name that a lever said or should have said."""
    every = sorted({*lines.true, *lines.said}, key=lambda n: (-lines.true.get(n, 0), n))
    rows = [
        [
            name,
            wording.count(lines.true.get(name, 0)),
            wording.count(lines.said.get(name, 0)),
            wording.interval(own.metrics.get(f"recall.{name}")) if name in lines.true else "–",
            _precision(own, lines, name),
        ]
        for name in every[:NAMES_SHOWN]
    ]
    return {
        "lever": own.lever,
        "mark": given[own.lever],
        "leads": own.lever == first,
        "columns": ["name", "in the lines", "said", "recall", "precision"],
        "rows": rows,
    }


def _precision(own: LeverSummary, lines: LineScores, name: str) -> str:
    if not lines.said.get(name):
        return "–"
    found = own.metrics.get(f"precision.{name}")
    return wording.share(0.0) if found is None else wording.interval(found)


def _abstention(
    measured: list[tuple[LeverSummary, LineScores]], given: Mapping[str, Mark]
) -> Chart | None:
    """Whole lines right among the surest, against the share that is answered."""
    curves = {own.lever: lines.answered for own, lines in measured if lines.answered}
    if not curves:
        return None
    summary = visible(
        "; ".join(f"{n} {wording.share(c[-1].line_exact.value)} of all" for n, c in curves.items())
    )
    wide, narrow = (
        draw_svg(
            abstention(curves, given, width=width),
            key=f"abstention-{width}",
            title="whole lines right against the share answered",
            summary=summary,
        )
        for width in (WIDE, NARROW)
    )
    rows = [
        (
            name,
            f"{point.share:.0%}",
            wording.count(point.rows),
            wording.share(point.sure_from),
            wording.interval(point.line_exact),
        )
        for name, curve in curves.items()
        for point in curve
    ]
    columns = ("lever", "answered", "lines", "sure from", "whole lines right")
    # The drawing is our own, every text in it escaped as it was drawn.
    return Chart("abstention", Markup(wide), Markup(narrow), columns, tuple(rows))  # noqa: S704


def line_notes(measures: Measures, lever: str | None) -> list[str]:
    """What the terminal says of a lever on lines: shapes apart, and values made up."""
    own = next((s for s in measures.levers if s.lever == lever and s.lines is not None), None)
    if own is None or own.lines is None:
        return []
    whole = wording.interval(own.metrics.get("line_exact"))
    out = [f"{own.lever} has {whole} of the lines right as a whole."]
    for found in own.lines.of("shape"):
        out.append(
            f"On the {wording.count(found.rows)} lines of {found.name} shapes: micro-F1 "
            f"{wording.interval(found.micro_f1)}, whole lines {wording.interval(found.line_exact)}."
        )
    for other in measures.levers:
        if other.lines is not None and other.lines.made_up:
            out.append(
                f"{other.lever} made up {wording.count(other.lines.made_up)} of "
                f"{wording.count(sum(other.lines.said.values()))} values: "
                f"{wording.interval(other.metrics.get('invented'))}."
            )
    return out
