"""``whichlever pack``: one lever of a finished run as a bundle."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from whichlever.cli.bars import Bars
from whichlever.cli.options import Json, RunFolder, go_offline
from whichlever.cli.output import one_line, print_json


class Int8(StrEnum):
    """Whether 8 bits are tried."""

    auto = "auto"
    never = "never"


def pack(
    run: RunFolder,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="BUNDLE", help="Where it goes.")],
    lever: Annotated[
        str | None,
        typer.Option(
            help="linear, hybrid, finetune (its best rung) or a rung such as finetune-static; "
            "left out: the lever that the verdict pulls."
        ),
    ] = None,
    abstain_below: Annotated[
        float | None,
        typer.Option(min=0.0, max=1.0, help="Answers less probable than this abstain."),
    ] = None,
    task: Annotated[
        Path | None,
        typer.Option(
            metavar="TASK",
            help="The task file that was compared, where RUN lies elsewhere: it says where the "
            "data is, whose digests go into the bundle.",
        ),
    ] = None,
    ids: Annotated[
        bool,
        typer.Option("--ids", help="Keep row ids and names of groups in the evidence."),
    ] = False,
    int8: Annotated[
        Int8,
        typer.Option(
            help="auto: an encoder in 8 bits where that is as good on validation rows, and faster."
        ),
    ] = Int8.auto,
    json: Json = False,
) -> None:
    """Pack one lever of a finished run: weights, thresholds, evidence, in one file."""
    go_offline()
    from whichlever.packing import pack as run_pack

    packed = run_pack(
        run, out, lever=lever, abstain_below=abstain_below, task=task, ids=ids,
        int8=int8.value, progress=Bars(quiet=json),
    )  # fmt: skip
    if json:
        print_json(
            {
                "bundle": str(packed.path),
                "lever": packed.choice.lever,
                "why": packed.choice.why,
                "caution": packed.choice.caution,
                "bytes": packed.bytes,
                "labels": len(packed.manifest.labels),
                "parts": [p.model_dump(mode="json") for p in packed.manifest.parts],
                "notes": packed.notes,
                "bom_validated": packed.validated,
            }
        )
        return
    why = f" ({packed.choice.why})" if packed.choice.why else ""
    typer.echo(f"packed {packed.choice.lever}{why}: {one_line(packed.manifest.what)}")
    for said in (packed.choice.caution, *packed.notes):
        if said:
            typer.echo(f"  {one_line(said)}")
    typer.echo(f"{packed.path}: {packed.bytes / 1e6:,.1f} MB; not signed: whichlever sign")
