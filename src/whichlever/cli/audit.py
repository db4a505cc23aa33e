"""``whichlever audit``: duplicates, leaks, conflicts, lengths, wrong labels; exit 3 on a leak."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from whichlever.cli.bars import Bars
from whichlever.cli.options import Json, TaskFile, go_offline
from whichlever.cli.output import print_json
from whichlever.errors import CheckFailed, InputError
from whichlever.task import NoiseSettings, Task

if TYPE_CHECKING:
    from whichlever.data.noise_record import Judged


def audit(
    task: TaskFile,
    noise: Annotated[
        bool, typer.Option("--noise", help="Look for labels that are probably wrong.")
    ] = False,
    noise_test: Annotated[
        bool, typer.Option("--noise-test", help="Among test labels too; implies --noise.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", metavar="FILE", help="Ranked rows as .csv or .parquet."),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Write every judged row with -o, not the suspects alone.")
    ] = False,
    redact: Annotated[bool, typer.Option("--redact", help="Write and quote no input.")] = False,
    seed: Annotated[int, typer.Option(help="Seeds folds and models of --noise.")] = 0,
    json: Json = False,
) -> None:
    """Look for what would make the numbers lie; exit 3 on a leak."""
    go_offline()
    from whichlever.comparison import prepare
    from whichlever.data.noise import find_noise
    from whichlever.noise import with_noise
    from whichlever.report.terminal_audit import print_audit, print_noise

    if (out is not None or every) and not (noise or noise_test):
        raise InputError(
            "-o and --all go with --noise: they are about rows whose label seems wrong"
        )
    if out is not None and out.suffix not in (".csv", ".parquet"):
        raise InputError(f"{out}: ranked rows are written as .csv or .parquet; name the file so")
    read, bars = Task.load(task), Bars(quiet=json)
    prepared = prepare(read, bars)
    found, judged = prepared.audit, None
    if noise or noise_test:
        settings = read.noise or NoiseSettings()
        if noise_test:
            settings = settings.model_copy(update={"test": True})
        labels = prepared.dataset.labels
        judged = find_noise(prepared.splits, labels, settings, seed=seed, progress=bars)
        found = with_noise(found, judged)
    texts = {} if redact else {row.id: row.text for row in prepared.dataset.rows}
    if judged is not None and out is not None:
        _write(out, judged.rows if every else judged.suspects(), None if redact else texts)
    if json:
        print_json(found.model_dump(mode="json"))
    else:
        console = Console()
        print_audit(console, found)
        if judged is not None:
            print_noise(console, judged, texts, out)
    if found.has_leak:
        raise CheckFailed(
            "audit found a leak across the split; use split: {by: group} or time, or drop the rows"
        )


def _write(out: Path, rows: tuple[Judged, ...], texts: dict[str, str] | None) -> None:
    from whichlever.data.noise_files import write_csv, write_parquet

    if out.suffix == ".csv":
        write_csv(out, rows, texts)
    else:
        write_parquet(out, rows, texts)
