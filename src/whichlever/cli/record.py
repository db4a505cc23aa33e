"""``whichlever record``: answers in somebody else's format as recorded rows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from whichlever.cli.bars import Bars
from whichlever.cli.options import Json, go_offline
from whichlever.cli.output import one_line, print_json
from whichlever.task import Task


def record(
    answers: Annotated[
        Path, typer.Argument(metavar="IN", help="Batch output, chat log, promptfoo or csv file.")
    ],
    task: Annotated[Path, typer.Option("--task", help="The task whose rows were answered.")],
    output: Annotated[Path, typer.Option("-o", "--out", help="The recorded rows to write.")],
    model: Annotated[
        str | None, typer.Option(help="Whose answers, where the file holds several models'.")
    ] = None,
    json: Json = False,
) -> None:
    """Turn somebody else's answers into recorded rows, and say what became of each."""
    go_offline()
    from whichlever.data import read_dataset, split_rows
    from whichlever.levers.recorded_convert import convert

    bars = Bars(quiet=json)
    loaded = Task.load(task)
    with bars.step("read rows"):
        dataset = read_dataset(loaded)
        test = [row.id for row in split_rows(dataset, loaded).test]
    with bars.step("read answers"):
        found = convert(answers, output, dataset.rows, dataset.labels, test, model)
    if json:
        print_json({"output": str(output), **found.model_dump()})
        return
    by = f" by {found.model}" if found.model else ""
    typer.echo(one_line(f"{output}: {found.rows} rows answered{by} ({found.format})"))
    typer.echo(
        f"answered {found.answered}, refused {found.refused}, errors {found.errors}, "
        f"unknown ids {found.unknown_ids}"
    )
    if found.repeated or found.retried:
        typer.echo(f"left out: {found.repeated} repeated, {found.retried} failed tries")
    typer.echo(
        f"test rows answered: {found.test_rows_answered} of {found.test_rows}; tokens known for "
        f"{found.with_tokens}, seconds for {found.with_seconds}"
    )
    typer.echo(one_line(f"next: levers: {{recorded: {{NAME: {output}}}}} in {task}"))
