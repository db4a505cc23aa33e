"""``whichlever logs``: what is for log lines alone."""

from __future__ import annotations

import typer

from whichlever.cli import logs_shapes, logs_templates

app = typer.Typer(
    help="Templates of log lines; a parser's compiled shapes and their exports.",
    no_args_is_help=True,
)
app.command("templates")(logs_templates.templates)
app.command("shapes")(logs_shapes.shapes)
app.command("export")(logs_shapes.export)
