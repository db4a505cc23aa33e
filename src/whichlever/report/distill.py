"""What a distillation came to: RUN/distill.md, and the report's section, from RUN/distill.json."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from whichlever.report import wording
from whichlever.report.visible import shortened, visible
from whichlever.run import write_text
from whichlever.verdict.at_volume import AtVolume
from whichlever.verdict.kept import Kept

HEADINGS = (
    "lever", "dollars, one more call each", "dollars a month, everything counted", "core-hours",
    "machines kept on", "tokens", "one row, p50", "p95",
)  # fmt: skip

LARGEST = 4 * 2**20
"""Bytes that distill.json may have."""


def volume_rows(volume: Sequence[AtVolume]) -> list[list[str]]:
    """The table of a month of many calls, a row for each lever."""
    return [
        [
            shortened(own.lever, 60),
            wording.money(own.calls_dollars),
            wording.money(own.month_dollars),
            wording.count(own.core_hours) if own.core_hours is None or own.core_hours >= 10
            else wording.significant(own.core_hours),
            wording.count(own.machines),
            wording.NOT_MEASURED if own.tokens is None else wording.volume(own.tokens),
            wording.milliseconds(own.p50_ms),
            wording.milliseconds(own.p95_ms),
        ]
        for own in volume
    ]  # fmt: skip


def write_page(
    run: Path,
    headline: str,
    kept: Sequence[Kept],
    volume: Sequence[AtVolume],
    text: Sequence[str] = (),
) -> Path:
    """Write ``RUN/distill.md``.

    Parameters
    ----------
    headline
        The verdict of the run.
    text
        What is to be said besides.

    Returns
    -------
    Path
        The page.
    """
    calls = volume[0].calls if volume else 0.0
    lines = [f"# {wording.volume(calls)} calls a month", ""]
    lines += [_row(HEADINGS), "|---" * len(HEADINGS) + "|"]
    lines += [_row(cells) for cells in volume_rows(volume)]
    lines += [
        "",
        "Measured in this run, one row at a time and in batches; prices as the task has them. "
        "One more call each: tokens, or the processor time of a machine that has other work too.",
    ]
    lines += ["", *(f"- {_plain(said)}" for said in text)] if text else []
    for own in kept:
        lines += ["", f"## {_plain(own.lever)}", "", *(f"- {_plain(said)}" for said in own.text)]
    lines += ["", f"Verdict of the run: **{_plain(headline)}**", ""]
    page = run / "distill.md"
    write_text(page, "\n".join(lines))
    return page


def distill_section(run: Path) -> dict[str, Any] | None:
    """What the report shows of a distillation; None where the run has none, or it is damaged."""
    file = run / "distill.json"
    try:
        if file.stat().st_size > LARGEST:
            return None
        found = json.loads(file.read_bytes())
        volume = [AtVolume.model_validate(own) for own in found["volume"]]
        students = [_student(own) for own in found["students"]]
        text = [str(said) for said in found["text"]]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not volume:
        return None
    return {
        "calls": wording.volume(volume[0].calls),
        "headings": list(HEADINGS),
        "volume": volume_rows(volume),
        "students": students,
        "text": text,
    }


def _student(own: Mapping[str, Any]) -> dict[str, Any]:
    return {"lever": str(own["lever"]), "text": [str(said) for said in own["text"]]}


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(_plain(cell).replace("|", "\\|") for cell in cells) + " |"


def _plain(said: str) -> str:
    return " ".join(visible(said).split())
