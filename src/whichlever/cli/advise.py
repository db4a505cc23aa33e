"""``whichlever advise``: the situation table only."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from whichlever.cli.options import Json, TaskFile, go_offline
from whichlever.cli.output import one_line, print_json
from whichlever.task import Task


def advise(task: TaskFile, json: Json = False) -> None:
    """Say what the situation table proposes; no data touched, no model run."""
    go_offline()
    from whichlever.verdict import advise as advise_task

    advice = advise_task(Task.load(task))
    if json:
        print_json([a.model_dump(mode="json") for a in advice])
        return
    table = Table("situation", "here", "lever", "why", title=None, show_lines=False)
    for entry in advice:
        table.add_row(
            entry.situation,
            "yes" if entry.holds else "no",
            Text(entry.lever if entry.holds else "–"),
            Text(one_line(entry.reason)),
        )
    Console().print(table)
    Console().print(
        "The table proposes; the measurement disposes: whichlever compare", Text(str(task))
    )
