"""``whichlever schema``: the JSON Schema of a task file, for editors."""

from __future__ import annotations

import typer

from whichlever.task import Task


def schema() -> None:
    """Print the JSON Schema of a task file (editors complete and check with it)."""
    typer.echo(Task.json_schema(), nl=False)
