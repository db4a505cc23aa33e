"""``whichlever run``: answer a file or a pipe with a bundle."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from whichlever.cli.bars import Bars
from whichlever.cli.options import AllowUnsigned, BundleFile, Json, TrustedKey, go_offline
from whichlever.cli.output import one_line
from whichlever.errors import InputError

LOGS: dict[str, Any] = {"rich_help_panel": "Options of --format logs"}


def run(
    bundle: BundleFile,
    source: Annotated[
        list[str] | None,
        typer.Option(
            "-i",
            "--in",
            metavar="IN",
            help='jsonl, csv, parquet or lines (.gz); "-" a pipe. Lines: several files.',
        ),
    ] = None,
    out: Annotated[
        str, typer.Option("-o", "--out", metavar="OUT", help='.jsonl or .csv; "-" a pipe.')
    ] = "-",
    key: TrustedKey = None,
    allow_unsigned: AllowUnsigned = False,
    explain: Annotated[
        int, typer.Option(metavar="N", help="Name the N words that decided each row (0: none).")
    ] = 0,
    scores: Annotated[bool, typer.Option(help="Say every label's probability.")] = True,
    format: Annotated[
        str | None,
        typer.Option(help="jsonl, csv or parquet, where IN's name does not tell; logs: raw lines."),
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="Cores for an encoder.")] = 1,
    restart: Annotated[bool, typer.Option(help="Throw away what OUT holds and begin.")] = False,
    listen: Annotated[
        list[str] | None,
        typer.Option(metavar="URL", help="Syslog: udp://127.0.0.1:5514, tcp://…", **LOGS),
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="Files grow and rotate: go on reading.", **LOGS)
    ] = False,
    manner: Annotated[
        str, typer.Option("--as", help="ecs (nested), dotted, ocsf or answers.", **LOGS)
    ] = "ecs",
    join: Annotated[
        str,
        typer.Option(
            help="How lines are one event: none, indent, timestamp, start:MASK (#: digit).", **LOGS
        ),
    ] = "none",
    tag: Annotated[
        list[str] | None,
        typer.Option("--source", metavar="NAME", help="What wrote it; or PATTERN=NAME.", **LOGS),
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where it stands; else beside OUT.", **LOGS),
    ] = None,
    learn: Annotated[
        bool,
        typer.Option(help="Confident answers become shapes, which cost no model.", **LOGS),
    ] = True,
    json: Json = False,
) -> int:
    """Answer every row, in order; a bad row becomes an error row in its place.

    After a kill the same command goes on and ends with the same bytes (pipes begin again).
    """
    go_offline()
    if format == "logs":
        from whichlever.cli.run_logs import run_logs
        from whichlever.runtime.logs.plan import Plan

        file = None if out == "-" else Path(out)
        plan = Plan(
            inputs=source or (), listen=listen or (), follow=follow, out=file, manner=manner,
            join=join, sources=tag or (), state=state, restart=restart,
        )  # fmt: skip
        return run_logs(plan, bundle, key, allow_unsigned, learn, json)
    if source is None or len(source) != 1:
        raise InputError("give one -i IN (several files and --listen go with --format logs)")
    options = (scores, max(0, explain), format)
    return _rows(bundle, key, allow_unsigned, source[0], out, options, threads, restart, json)


def _rows(
    bundle: Path,
    key: Path | None,
    allow_unsigned: bool,
    source: str,
    out: str,
    wanted: tuple[bool, int, str | None],
    threads: int,
    restart: bool,
    json: bool,
) -> int:
    """Answer the rows of one file or pipe."""
    from whichlever.bundle import open_bundle
    from whichlever.runtime.outputs import format_of
    from whichlever.runtime.stream import Options, run_file, run_pipe

    opened = open_bundle(bundle, key, allow_unsigned=allow_unsigned)
    options = Options(*wanted)
    if out == "-":
        given = sys.stdin.buffer if source == "-" else Path(source)
        if isinstance(given, Path) and not given.is_file():
            raise InputError(f"{given}: no such file")
        done = run_pipe(opened, given, sys.stdout.buffer, options, threads)
    elif source == "-":
        written_as = format_of(Path(out))
        with Path(out).open("xb") as file:
            done = run_pipe(opened, sys.stdin.buffer, file, options, threads, written_as)
    else:
        done = run_file(
            opened, Path(source), Path(out), options,
            threads=threads, restart=restart, progress=Bars(quiet=json),
        )  # fmt: skip
    if json:
        from whichlever.cli.output import print_json

        if out != "-":
            print_json(asdict(done))
        return 0
    rate = f", {done.fresh_rows / done.seconds:,.0f} a second" if done.seconds > 0.05 else ""
    said = ", ".join(f"{one_line(k)} {v:,}" for k, v in sorted(done.labels.items()))
    resumed = " (went on from where it was)" if done.resumed and done.fresh_rows else ""
    already = " (was done already)" if done.resumed and not done.fresh_rows else ""
    typer.echo(f"{done.rows:,} rows{rate}{resumed}{already}: {said or 'none answered'}", err=True)
    if done.abstained:
        typer.echo(f"  {done.abstained:,} left to a person", err=True)
    if done.errors:
        typer.echo(f"  {done.errors:,} error rows, each in its place", err=True)
    return 0
