"""``whichlever fetch``: a public data set from its publisher, by checksum."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from whichlever.cli.bars import Bars
from whichlever.cli.options import Egress, Json, go_offline
from whichlever.cli.output import print_json


def fetch(
    url: Annotated[str, typer.Argument(metavar="URL", help="Over https.")],
    sha256: Annotated[str, typer.Option("--sha256", help="What the file must be, 64 hex digits.")],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FILE", help="Where it goes.")],
    json: Json = False,
    allow_egress: Egress = None,
) -> None:
    """Download one file, check it, and only then put it in its place."""
    allowed = go_offline(allow_egress)
    from whichlever.data.fetch import fetch as fetch_file

    path = fetch_file(url, sha256, out, allowed, progress=Bars(quiet=json))
    if json:
        print_json({"file": str(path), "sha256": sha256.lower()})
        return
    typer.echo(str(path))
