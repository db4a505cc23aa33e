"""``whichlever bake``: what a model does with a system prompt, learned by a student without it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from whichlever.cli.bars import Bars
from whichlever.cli.options import Egress, Json, TaskFile, go_offline
from whichlever.cli.output import one_line, print_json
from whichlever.errors import InputError
from whichlever.task import Task


def bake(
    task: TaskFile,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="RUN", help="Where results go.")],
    system: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The system prompt, as UTF-8 text.")
    ] = None,
    model: Annotated[
        str, typer.Option(help="Weights by name, or an entry of the task's llms:.")
    ] = "smollm2-135m-instruct",
    logs: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Instead of a prompt and a model: an API's requests with their answers, from the "
            "task's folder.",
        ),
    ] = None,
    logs_input: Annotated[
        str, typer.Option(metavar="PATTERN", help="As for distill: {input} is the row's text.")
    ] = "{input}",
    student: Annotated[
        list[str] | None,
        typer.Option(
            help="static or linear where the task has labels:, decoder where answers are open "
            "(repeatable)."
        ),
    ] = None,
    rows: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Inputs; left out: every row of the task, unlabelled."),
    ] = None,
    max_rows: Annotated[int | None, typer.Option(min=40, help="Most inputs.")] = None,
    dollars: Annotated[
        float | None, typer.Option(help="Most that asking may cost: a hard bound.")
    ] = None,
    minutes: Annotated[float, typer.Option(help="Asking ends at twice these.")] = 30.0,
    seed: Annotated[int, typer.Option(help="Seeds the draw of inputs and training.")] = 0,
    json: Json = False,
    allow_egress: Egress = None,
) -> None:
    """Bake a system prompt in: tokens saved per call, and how faithful the student is."""
    allowed = go_offline(allow_egress)
    from whichlever.baking import bake as run_bake
    from whichlever.baking_task import MOST_PROMPT
    from whichlever.report import write_report
    from whichlever.settings_decoder import LogSettings

    prompt = None
    if system is not None:
        try:
            with system.open(encoding="utf-8") as stream:
                prompt = stream.read(MOST_PROMPT + 1)
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{system}: cannot be read as UTF-8 text ({error})") from error
    if logs is not None and logs_input.count("{input}") != 1:
        raise InputError("--logs-input: say {input} once, where the row's text stands")
    found = run_bake(
        Task.load(task), out, system=prompt, model=model,
        logs=None if logs is None else LogSettings(path=logs, input=logs_input),
        students=tuple(student or ()), rows=rows, max_rows=max_rows, dollars=dollars,
        minutes=minutes, seed=seed, progress=Bars(quiet=json), allow_egress=allowed,
    )  # fmt: skip
    page = write_report(found.comparison.run)
    if json:
        print_json({"run": str(found.comparison.run), "report": str(page), **found.as_json()})
        return
    for said in found.text:
        typer.echo(one_line(said))
    typer.echo("50 million calls a month:")
    for own in found.volume:
        typer.echo(one_line(f"  {own.lever}: {own.said}"))
    typer.echo(f"verdict: {one_line(found.comparison.verdict.headline)}")
    typer.echo(f"report: {page}, {found.comparison.run / 'distill.md'}")
