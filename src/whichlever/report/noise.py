"""What the page and the terminal say of labels that are probably wrong."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from whichlever.data.noise_record import Mistaken, Noise, Planted, Suspects
from whichlever.errors import RunError
from whichlever.measure.noise import NoiseEvidence, ScoreChange
from whichlever.report import wording
from whichlever.report.files import RunFiles
from whichlever.report.look import metric_name
from whichlever.report.visible import shortened

ROWS_SHOWN = 25
CELLS_SHOWN = 12
MATRIX_LABELS = 8
"""Up to so many labels the noise matrix is drawn whole; above, its largest cells are listed."""

TEXT_CHARS = 400
TRUSTED = 0.7
"""Share of planted errors found from which the list is called good."""


def noise_section(files: RunFiles, *, redact: bool = False) -> dict[str, Any] | None:
    """Everything the section shows; None where labels were not judged."""
    evidence = files.measures.noise
    if evidence is None:
        return None
    noise = evidence.found
    rows = _rows(files.folder / "noise.parquet", redact=redact)
    return {
        "lines": noise_lines(noise),
        "check": check_line(noise.check),
        "trusted": noise.check is None or noise.check.found / noise.check.rows >= TRUSTED,
        "sides": [_side(side) for side in noise.sides],
        "matrix": _matrix(noise.train),
        "cells": [_cell(cell) for cell in noise.train.mistaken[:CELLS_SHOWN]],
        "changes": [_change(change) for change in evidence.changes],
        "rows": rows,
        "left": sum(side.listed for side in noise.sides) - len(rows),
        "how": _how(noise),
    }


def noise_lines(noise: Noise) -> list[str]:
    """Say how many labels of each role seem wrong, and what the list is worth; a line each."""
    lines = [
        f"{side.side}: about {wording.count(side.errors)}{_between(side)} of "
        f"{wording.count(side.rows)} labels seem to be wrong ({side.errors / side.rows:.1%})"
        f"{_joint(side)}"
        for side in noise.sides
    ]
    said = check_line(noise.check)
    return [*lines, said] if said else lines


def evidence_lines(evidence: NoiseEvidence | None) -> list[str]:
    """Say the same and what the suspects cost, for the terminal after a comparison."""
    if evidence is None:
        return []
    return [*noise_lines(evidence.found), *map(change_line, evidence.changes)]


def check_line(check: Planted | None) -> str:
    """What the ranking is worth on these rows, from labels changed on purpose."""
    if check is None:
        return ""
    share = check.found / check.rows
    found = (
        f"of {wording.count(check.rows)} training labels changed on purpose, {share:.0%} "
        f"({check.low:.0%} to {check.high:.0%}) stood among the first "
        f"{wording.count(check.among)}, as many as were changed or seem wrong"
    )
    if share >= TRUSTED:
        return f"check: {found}"
    return f"check: {found}: many rows of the list are hard rather than wrong"


def change_line(change: ScoreChange) -> str:
    """What dropping or relabelling the suspects does to the score."""
    done = "without them" if change.way == "dropped" else "with the suggested labels"
    return (
        f"{change.lever} on {change.on} rows, {done} ({wording.count(change.changed)} rows): "
        f"{metric_name(change.metric)} {wording.share(change.before)} → "
        f"{wording.share(change.after)}, {wording.signed(change.difference)}"
    )


def _joint(side: Suspects) -> str:
    """What the confident joint alone would say, where planted errors say fewer."""
    if side.joint_errors < 1.1 * side.errors + 1:
        return ""
    return f"; the confident joint, which counts hard rows too, says {side.joint_errors:,.0f}"


def _between(side: Suspects) -> str:
    if side.errors_low is None or side.errors_high is None:
        return ""
    return f" ({wording.count(side.errors_low)} to {wording.count(side.errors_high)})"


def _side(side: Suspects) -> dict[str, str]:
    return {
        "name": side.side,
        "rows": wording.count(side.rows),
        "errors": wording.count(side.errors),
        "between": _between(side).strip(),
        "share": f"{side.errors / side.rows:.1%}",
        "joint": wording.count(side.joint_errors),
        "listed": wording.count(side.listed),
    }


def _cell(cell: Mistaken) -> dict[str, str]:
    return {
        "given": shortened(cell.given, 60),
        "true": shortened(cell.true, 60),
        "rows": wording.count(cell.rows),
        "share": f"{cell.share:.1%}",
    }


def _matrix(side: Suspects) -> dict[str, Any] | None:
    """The noise matrix: shares of each given label that seem to be another; few labels only."""
    names = sorted({name for cell in side.mistaken for name in (cell.given, cell.true)})
    if not 2 <= len(names) <= MATRIX_LABELS:
        return None
    shares = {(cell.given, cell.true): cell.share for cell in side.mistaken}
    return {
        "columns": ["given ↓ seems →", *(shortened(name, 24) for name in names)],
        "rows": [
            [
                shortened(given, 24),
                *("–" if given == true else _percent(shares.get((given, true))) for true in names),
            ]
            for given in names
        ],
    }


def _percent(share: float | None) -> str:
    return "0" if share is None else f"{share:.1%}"


def _change(change: ScoreChange) -> list[str]:
    on = f"{change.on}, {wording.count(change.rows)} rows"
    if change.groups is not None:
        on += f" in {wording.count(change.groups)} groups"
    return [
        f"{change.way} ({wording.count(change.changed)})",
        on,
        wording.share(change.before),
        wording.share(change.after),
        wording.signed(change.difference),
        wording.probability(change.p),
    ]


def _how(noise: Noise) -> list[tuple[str, str]]:
    weights = ", ".join(f"{name} {weight:.2f}" for name, weight in noise.weights.items())
    groups = ", groups kept together" if noise.by_group else ""
    facts = [
        ("folds", f"{noise.folds}, of {wording.count(noise.clusters)} clusters{groups}"),
        ("given label the likeliest", f"{noise.accuracy:.1%} of training rows"),
        ("models and their weights", weights),
    ]
    return [
        *facts,
        *((f"not judged: {why}", wording.count(n)) for why, n in noise.not_judged.items()),
    ]


def _rows(path: Path, *, redact: bool) -> list[dict[str, Any]]:
    """The most suspicious rows, those of test first: they limit every score."""
    if not path.exists():
        return []
    import polars as pl

    try:
        frame = pl.read_parquet(path).filter(pl.col("suspect"))
        order = pl.col("role").replace_strict(["test", "train", "valid"], [0, 1, 2], default=3)
        frame = frame.sort(order, "rank").group_by("role", maintain_order=True).head(ROWS_SHOWN)
        rows: Sequence[dict[str, Any]] = frame.to_dicts()
        return [_row(row, redact=redact) for row in rows]
    except (OSError, KeyError, pl.exceptions.PolarsError) as error:
        raise RunError(f"{path} is damaged; delete it and run compare again") from error


def _row(row: dict[str, Any], *, redact: bool) -> dict[str, Any]:
    text = None if redact else row.get("text")
    return {
        "row": f"{row['role']} row, rank {row['rank']}" if redact else shortened(row["id"], 80),
        "role": row["role"],
        "given": row["given"],
        "suggested": row["suggested"],
        "confidence": f"{row['confidence']:.1%}",
        "margin": wording.share(row["margin"]),
        "text": None if text is None else text[:TEXT_CHARS],
        "cut": 0 if text is None else max(0, (row.get("chars") or len(text)) - TEXT_CHARS),
    }
