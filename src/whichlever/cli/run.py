"""``whichlever run``: answer a file or a pipe with a bundle."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from whichlever.cli.bars import Bars
from whichlever.cli.options import AllowUnsigned, BundleFile, Json, TrustedKey, go_offline
from whichlever.cli.output import one_line
from whichlever.errors import InputError


def run(
    bundle: BundleFile,
    source: Annotated[
        str, typer.Option("-i", "--in", metavar="IN", help='jsonl, csv, parquet (.gz); "-" a pipe.')
    ],
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
        str | None, typer.Option(help="jsonl, csv or parquet, where IN's name does not tell.")
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="Cores for an encoder.")] = 1,
    restart: Annotated[bool, typer.Option(help="Throw away what OUT holds and begin.")] = False,
    json: Json = False,
) -> None:
    """Answer every row, in order; a bad row becomes an error row in its place.

    After a kill the same command goes on and ends with the same bytes (pipes begin again).
    """
    go_offline()
    from whichlever.bundle import open_bundle
    from whichlever.runtime.stream import Options, run_file, run_pipe

    opened = open_bundle(bundle, key, allow_unsigned=allow_unsigned)
    options = Options(scores=scores, explain=max(0, explain), format=format)
    if out == "-":
        given = sys.stdin.buffer if source == "-" else Path(source)
        if isinstance(given, Path) and not given.is_file():
            raise InputError(f"{given}: no such file")
        done = run_pipe(opened, given, sys.stdout.buffer, options, threads)
    elif source == "-":
        with Path(out).open("xb") as file:
            done = run_pipe(opened, sys.stdin.buffer, file, options, threads)
    else:
        done = run_file(
            opened, Path(source), Path(out), options,
            threads=threads, restart=restart, progress=Bars(quiet=json),
        )  # fmt: skip
    if json:
        from whichlever.cli.output import print_json

        if out != "-":
            print_json(asdict(done))
        return
    rate = f", {done.fresh_rows / done.seconds:,.0f} a second" if done.seconds > 0.05 else ""
    said = ", ".join(f"{one_line(k)} {v:,}" for k, v in sorted(done.labels.items()))
    resumed = " (went on from where it was)" if done.resumed and done.fresh_rows else ""
    already = " (was done already)" if done.resumed and not done.fresh_rows else ""
    typer.echo(f"{done.rows:,} rows{rate}{resumed}{already}: {said or 'none answered'}", err=True)
    if done.abstained:
        typer.echo(f"  {done.abstained:,} left to a person", err=True)
    if done.errors:
        typer.echo(f"  {done.errors:,} error rows, each in its place", err=True)
