"""``whichlever report``: the page again, from RUN's files alone."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from whichlever.cli.options import Json, RunFolder, go_offline
from whichlever.cli.output import print_json


def report(
    run: RunFolder,
    redact: Annotated[bool, typer.Option("--redact", help="Quote no input.")] = False,
    json: Json = False,
) -> None:
    """Write RUN/report.html again and print the verdict."""
    go_offline()
    from whichlever.comparison import Comparison
    from whichlever.report import write_report
    from whichlever.report.terminal import print_verdict

    done = Comparison.load(run)
    page = write_report(run, redact=redact)
    if json:
        print_json({"report": str(page), "verdict": done.verdict.model_dump(mode="json")})
        return
    print_verdict(Console(), done.measures, done.verdict, done.run)
