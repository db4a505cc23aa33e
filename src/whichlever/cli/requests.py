"""``whichlever requests``: the test rows as requests for somebody else's model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from whichlever.cli.bars import Bars
from whichlever.cli.options import Json, go_offline
from whichlever.cli.output import print_json
from whichlever.errors import InputError
from whichlever.task import Task

if TYPE_CHECKING:
    from whichlever.llm.requests import Asked

Target = Literal["openai", "anthropic", "promptfoo"]
FORMATS: tuple[Target, ...] = ("openai", "anthropic", "promptfoo")


def requests(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="The folder compare wrote, or a task file.")
    ],
    output: Annotated[Path, typer.Option("-o", "--out", help="The folder to write to.")],
    format: Annotated[
        str, typer.Option(help="openai (batch), anthropic (message batch) or promptfoo.")
    ] = "openai",
    model: Annotated[
        str, typer.Option(help="The model's name there; else a word to replace.")
    ] = "YOUR-MODEL",
    json: Json = False,
) -> None:
    """Write the test rows as requests; nothing is sent, and no label of a test row is written."""
    go_offline()
    from whichlever.llm import batch
    from whichlever.llm.promptfoo import write_promptfoo

    if format not in FORMATS:
        raise InputError(f"unknown format {format!r} (known: {', '.join(FORMATS)})")
    questions = _questions(run, Bars(quiet=json))
    if format == "promptfoo":
        files = write_promptfoo(output, questions, model)
    elif format == "anthropic":
        lines = (batch.anthropic_line(asked, model) for asked in questions)
        files = batch.write_parts(output, "anthropic", lines, batch.ANTHROPIC_MOST)
    else:
        lines = (batch.openai_line(asked, model) for asked in questions)
        files = batch.write_parts(output, "openai", lines, batch.OPENAI_MOST)
    if json:
        print_json({"format": format, "files": [str(path) for path in files]})
        return
    for path in files:
        typer.echo(str(path))
    typer.echo(
        "the replies come back by: levers: {recorded: {NAME: replies.jsonl}} in the task, or "
        "whichlever record replies.jsonl --task TASK -o answers.jsonl"
    )


def _questions(run: Path, bars: Bars) -> Iterator[Asked]:
    from whichlever.data import read_dataset, split_rows
    from whichlever.llm.requests import asked_rows, read_requests

    if run.is_dir():
        return read_requests(run / "requests.jsonl")
    task = Task.load(run)
    with bars.step("read rows"):
        dataset = read_dataset(task)
        test = split_rows(dataset, task).test
    return asked_rows(test, task, dataset.labels)
