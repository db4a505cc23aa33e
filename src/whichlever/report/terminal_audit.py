"""The audit in the terminal: what was found, worst first, and what to do about each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.text import Text

from whichlever.data import Audit
from whichlever.data.noise import NoiseFound
from whichlever.report.noise import noise_lines
from whichlever.report.visible import shortened, visible

_STYLE = {"leak": "bold red", "warning": "yellow", "info": "dim"}
SHOWN_IDS = 5
SHOWN_ROWS = 8
"""Rows of a role whose label seems wrong; a file holds the rest."""


def print_audit(console: Console, audit: Audit) -> None:
    """Print every finding with its rows, scores and remedy; names are never read as markup."""
    rows = ", ".join(f"{count:,} {role}" for role, count in audit.rows.items())
    console.print(Text(f"rows: {rows}"))
    if audit.probe is not None:
        console.print(Text(f"probe ({audit.probe_is}): {audit.probe}"))
    for found in audit.findings:
        console.print()
        head = Text(f"{found.severity}: ", style=_STYLE[found.severity])
        console.print(head.append(visible(found.text), style="default"))
        if found.leaky is not None:
            console.print(Text(f"  with it:    {found.leaky}"))
        if found.clean is not None:
            console.print(Text(f"  without it: {found.clean} ({visible(found.clean_means or '')})"))
        if found.row_ids:
            ids = ", ".join(visible(i) for i in found.row_ids[:SHOWN_IDS])
            more = f" and {found.count - SHOWN_IDS:,} more" if found.count > SHOWN_IDS else ""
            console.print(Text(f"  rows: {ids}{more}", style="dim"))
        console.print(Text(f"  do:   {visible(found.remedy)}"))
    if not audit.findings:
        console.print(Text("nothing found", style="green"))


def print_noise(
    console: Console, judged: NoiseFound, texts: Mapping[str, str], out: Path | None
) -> None:
    """Print the labels that seem most wrong, role by role, with one line of text each.

    Parameters
    ----------
    texts
        Text by row id; empty quotes none.
    out
        Where all of them were written; None says how to get them.
    """
    console.print()
    for line in noise_lines(judged.noise):
        console.print(Text(visible(line)))
    for side in judged.noise.sides:
        rows = judged.suspects(side.side)
        for row in rows[:SHOWN_ROWS]:
            console.print()
            said = f"{row.given} → {row.suggested}?"
            sure = f"given label {row.confidence:.1%} likely"
            console.print(Text(f"  {side.side} {shortened(row.id, 60)}  {visible(said)}  ({sure})"))
            if row.id in texts:
                console.print(Text(f"    {shortened(texts[row.id][:400], 160)}", style="dim"))
        if len(rows) > SHOWN_ROWS:
            console.print(
                Text(f"  and {len(rows) - SHOWN_ROWS:,} more {side.side} rows", style="dim")
            )
    console.print()
    where = f"written to {visible(str(out))}" if out is not None else "all of them: -o noise.csv"
    console.print(Text(where, style="dim"))
