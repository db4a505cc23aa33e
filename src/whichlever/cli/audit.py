"""``whichlever audit``: duplicates, leaks, conflicts, lengths; exit 3 on a leak."""

from __future__ import annotations

from rich.console import Console

from whichlever.cli.bars import Bars
from whichlever.cli.options import Json, TaskFile, go_offline
from whichlever.cli.output import print_json
from whichlever.errors import CheckFailed
from whichlever.task import Task


def audit(task: TaskFile, json: Json = False) -> None:
    """Look for what would make the numbers lie; exit 3 on a leak."""
    go_offline()
    from whichlever.comparison import prepare
    from whichlever.report.terminal_audit import print_audit

    found = prepare(Task.load(task), Bars(quiet=json)).audit
    if json:
        print_json(found.model_dump(mode="json"))
    else:
        print_audit(Console(), found)
    if found.has_leak:
        raise CheckFailed(
            "audit found a leak across the split; use split: {by: group} or time, or drop the rows"
        )
