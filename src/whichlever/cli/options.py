"""Options that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from whichlever.offline import enforce

TaskFile = Annotated[Path, typer.Argument(metavar="TASK", help="The task file (task.yaml).")]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="The folder compare wrote.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Egress = Annotated[
    list[str] | None,
    typer.Option("--allow-egress", metavar="HOST", help="A host that may be reached (repeatable)."),
]
BundleFile = Annotated[Path, typer.Argument(metavar="BUNDLE", help="The bundle (model.wl).")]
TrustedKey = Annotated[
    Path | None,
    typer.Option("--key", metavar="KEY", help="Who may have signed it: a .pub file or a key ring."),
]
AllowUnsigned = Annotated[
    bool, typer.Option("--allow-unsigned", help="Open it though nobody vouches for it.")
]


def go_offline(allow: list[str] | None = None) -> frozenset[str]:
    """Enforce offline, but for the hosts named; returns them in lower case."""
    hosts = frozenset(host.lower() for host in allow or ())
    enforce(hosts)
    return hosts
