"""What the page and the terminal say of closing rows unseen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from whichlever.measure.autoclosing import Autoclose, Happened, LeverAutoclose, Promise
from whichlever.measure.promise_words import and_list, percent
from whichlever.report import wording
from whichlever.report.charts import Chart
from whichlever.report.files import RunFiles
from whichlever.report.look import NARROW, WIDE
from whichlever.report.palette import Mark
from whichlever.report.plot_autoclose import autoclose_curve
from whichlever.report.svg import draw_svg
from whichlever.report.visible import shortened, visible

GROUPS_SHOWN = 12
NAMES = {"high confidence": "High-confidence promise", "expected loss": "Expected-loss promise"}
SCOPES = {
    "deployment": "rows like the calibration rows",
    "each_group": "each group calibrated on",
    "new_groups": "groups never seen",
}


def autoclose_section(
    files: RunFiles, given: Mapping[str, Mark], first: str | None, *, redact: bool = False
) -> dict[str, Any] | None:
    """Everything the section shows, the leading lever first; None where nothing was asked for."""
    found = files.measures.autoclose
    if found is None:
        return None
    ordered = sorted(found.levers, key=lambda lever: lever.lever != first)
    return {
        "label": found.label,
        "protect": and_list(found.protect),
        "at_most": percent(found.at_most),
        "confidence": percent(found.confidence),
        "review": percent(found.review),
        "scope": SCOPES[found.scope],
        "levers": [
            _lever(i, found, lever, given, first, redact=redact) for i, lever in enumerate(ordered)
        ],
    }


def autoclose_lines(found: Autoclose | None, first: str | None) -> list[str]:
    """Name the promises of one lever, a line each, for the terminal."""
    own = next((lever for lever in found.levers if lever.lever == first), None) if found else None
    if found is None or own is None:
        return []
    lines = [f"Auto-close {found.label} with {own.lever}:"]
    if own.refusal is not None:
        return [*lines, f"  {own.refusal}"]
    for promise in (own.high_confidence, own.expected_loss):
        if promise is None:
            continue
        text = f"  {promise.kind}: "
        if not promise.held:
            lines.append(f"{text}{promise.refusal}")
            continue
        lines.append(f"{text}{promise.text} {_tested(promise)}")
    return lines


def _tested(promise: Promise) -> str:
    test = promise.test
    if test is None or test.noise is None:
        return ""
    missed = f"{test.protected_closed} of {test.protected_rows} protected"
    return f"Test rows: closes {wording.interval(test.noise)} of them, and {missed}."


def _lever(
    place: int,
    found: Autoclose,
    lever: LeverAutoclose,
    given: Mapping[str, Mark],
    first: str | None,
    *,
    redact: bool,
) -> dict[str, Any]:
    mark = given[lever.lever]
    promises = [p for p in (lever.high_confidence, lever.expected_loss) if p is not None]
    return {
        "lever": lever.lever,
        "mark": mark,
        "leads": lever.lever == first or (first is None and place == 0),
        "refusal": lever.refusal,
        "promises": [_promise(p) for p in promises],
        "others": [
            {
                "scope": SCOPES[p.scope],
                "text": p.text,
                "told": f"Kept; {_tested(p)}" if p.held else p.refusal,
            }
            for p in lever.others
        ],
        "groups": _groups(lever.high_confidence, redact=redact),
        "chart": _chart(place, found, lever, mark),
    }


def _promise(promise: Promise) -> dict[str, Any]:
    test = promise.test
    figures: list[tuple[str, str]] = []
    if promise.held and promise.calibration is not None:
        calibration = promise.calibration
        figures = [
            ("closes a row at odds above", _odds(promise)),
            (
                "protected calibration rows closed",
                f"{calibration.protected_closed} of {wording.count(calibration.protected_rows)}",
            ),
            ("bound there", wording.share(promise.bound)),
        ]
        if test is not None:
            figures += _test_figures(test)
    return {
        "name": NAMES[promise.kind],
        "held": promise.held,
        "text": promise.text,
        "refusal": promise.refusal,
        "idle": promise.held and test is not None and test.closed == 0,
        "figures": figures,
    }


def _test_figures(test: Happened) -> list[tuple[str, str]]:
    closed = f"{wording.count(test.closed)} of {wording.count(test.rows)}"
    missed = f"{wording.count(test.protected_closed)} of {wording.count(test.protected_rows)}"
    more = f" {wording.bounds(test.missed)}" if test.missed is not None else ""
    return [
        ("test rows closed", closed),
        ("of the label, on test rows", wording.interval(test.noise)),
        ("protected test rows closed", missed + more),
    ]


def _odds(promise: Promise) -> str:
    odds = promise.odds or 0.0
    return f"{wording.significant(odds, 3)} to 1"


def _groups(promise: Promise | None, *, redact: bool) -> dict[str, Any] | None:
    """Protected rows closed by group, the worst first: calibration beside test."""
    if promise is None or not promise.held:
        return None
    parts = []
    for name, happened in (("calibration", promise.calibration), ("test", promise.test)):
        if happened is None or not happened.groups:
            continue
        rows = tuple(
            (
                f"group {i}" if redact else shortened(g.group, 40),
                f"{g.closed} of {g.rows}",
                wording.bounds(g.share),
                f"{wording.count(g.label_closed)} of {wording.count(g.label_rows)}",
            )
            for i, g in enumerate(happened.groups[:GROUPS_SHOWN], 1)
        )
        left = (happened.groups_in_all or 0) - len(rows)
        parts.append({"name": name, "rows": rows, "left": max(0, left)})
    columns = ("group", "protected closed", "interval", "of the label closed")
    return {"columns": columns, "parts": parts} if parts else None


def _chart(place: int, found: Autoclose, lever: LeverAutoclose, mark: Mark) -> Chart | None:
    if len(lever.path) < 2:
        return None
    wide, narrow = (
        draw_svg(
            autoclose_curve(found, lever, mark, width=width),
            key=f"autoclose-{place}-{width}",
            title=visible(f"{lever.lever}: share closed against what may be missed"),
            summary=visible("; ".join(autoclose_lines(found, lever.lever))),
        )
        for width in (WIDE, NARROW)
    )
    rows = tuple(
        (
            wording.significant(p.threshold, 3), wording.share(p.noise), wording.share(p.missed),
            wording.share(p.bound), wording.share(p.expected),
        )
        for p in _sparse(lever.path)
    )  # fmt: skip
    columns = (
        "threshold, log-odds", f"closed of {shortened(found.label, 24)}", "protected closed",
        f"bound at {percent(found.confidence)}", "expected",
    )  # fmt: skip
    return Chart(
        f"autoclose-{place}",
        Markup(wide),  # noqa: S704 - rebuilt from an allow-list by svg.draw_svg
        Markup(narrow),  # noqa: S704 - the same
        columns,
        rows,
    )


def _sparse(path: Sequence[Any], most: int = 20) -> Sequence[Any]:
    step = max(1, -(-len(path) // most))
    return path[::step]
