"""The audit in the terminal: what was found, worst first, and what to do about each."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from whichlever.data import Audit
from whichlever.report.visible import visible

_STYLE = {"leak": "bold red", "warning": "yellow", "info": "dim"}
SHOWN_IDS = 5


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
