"""``whichlever incidents``: alerts that belong together become one line."""

from __future__ import annotations

import json as json_text
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, TextIO

import typer

from whichlever.cli.bars import Bars
from whichlever.cli.options import Json, go_offline
from whichlever.cli.output import print_json
from whichlever.errors import InputError
from whichlever.task import Task


def incidents(
    alerts: Annotated[
        str, typer.Option("-i", "--in", metavar="FILE", help="Alerts, by time; - reads a pipe.")
    ],
    out: Annotated[
        str, typer.Option("-o", "--out", metavar="FILE", help="Incidents, one JSON line each.")
    ],
    task: Annotated[
        Path | None,
        typer.Option(help="A task file: its pack, columns, labels and workload are used."),
    ] = None,
    pack: Annotated[str, typer.Option(help="The pack that finds entities and times.")] = "triage",
    entity: Annotated[
        list[str] | None,
        typer.Option(help="Column or JSON pointer that links alerts (repeatable)."),
    ] = None,
    time: Annotated[str | None, typer.Option(help="Column of the time.")] = None,
    id: Annotated[str | None, typer.Option("--id", help="Column of the id.")] = None,
    label: Annotated[str | None, typer.Option(help="Column of a label or answer.")] = None,
    order: Annotated[
        str | None, typer.Option(help="Labels, most urgent first: critical,investigate,noise.")
    ] = None,
    window: Annotated[
        float | None, typer.Option(help="Minutes that linked alerts may lie apart (60).", min=0.01)
    ] = None,
    late: Annotated[float, typer.Option(help="Minutes that an alert may come late.", min=0)] = 5,
    json: Json = False,
) -> None:
    """Group alerts that belong to one incident, by shared entities and time.

    Alerts come in order of time, give or take --late; one window of them is kept in memory.
    """
    go_offline()
    from whichlever.data.incident_lines import Told, incident_lines
    from whichlever.run import written_aside
    from whichlever.workload import reading

    if alerts != "-" and out != "-" and Path(alerts).resolve() == Path(out).resolve():
        raise InputError(f"{out} is the file that is read; give another with -o")
    known = Task.load(task) if task is not None else None
    how, minutes = reading(
        known, pack=pack, entity=tuple(entity or ()), time=time, id=id, label=label, order=order
    )
    told = Told()
    bars = Bars(quiet=json or out == "-")

    def write(target: TextIO) -> None:
        with bars.step("group alerts") as bar:
            lines = incident_lines(
                alerts,
                None if alerts == "-" else Path(alerts),
                how,
                window=60 * (window or minutes),
                late=60 * late,
                told=told,
                moved=bar.advance,
            )
            for line in lines:
                target.write(json_text.dumps(line, ensure_ascii=False) + "\n")
                if out == "-":
                    target.flush()

    if out == "-":
        write(sys.stdout)
    else:
        with written_aside(Path(out)) as aside, aside.open("w", encoding="utf-8") as target:
            write(target)
    if json and out != "-":
        print_json({"out": out, **asdict(told)})
        return
    said = f"{told.alerts:,} alerts, {told.incidents:,} incidents, {told.alone:,} of one alert"
    if told.unlinked:
        said += f"; {told.unlinked:,} alerts name no host, account or address"
    if told.late:
        said += f"; {told.late:,} came later than --late and stand alone"
    typer.echo(said, err=out == "-")
