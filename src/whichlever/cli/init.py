"""``whichlever init``: a runnable task folder."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from whichlever.cli.options import Json, go_offline
from whichlever.cli.output import print_json
from whichlever.errors import InputError


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to make.")],
    pack: Annotated[str, typer.Option(help="The task family, e.g. triage.")] = "triage",
    seed: Annotated[int, typer.Option(help="Seed of the simulated data.")] = 0,
    format: Annotated[
        str | None,
        typer.Option(help="How the simulated data is written; triage: native, ecs or ocsf."),
    ] = None,
    kind: Annotated[
        str | None, typer.Option(help="The kind of task; phishing: classify or verify.")
    ] = None,
    documents: Annotated[
        Path | None,
        typer.Option("--from", metavar="FOLDER", help="copilot: your own documents (md, txt)."),
    ] = None,
    pairs: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="copilot: your own pairs, jsonl or csv."),
    ] = None,
    json: Json = False,
) -> None:
    """Make a runnable task folder: task.yaml, simulated data (or your own) and a README."""
    go_offline()
    from whichlever.render import find_pack

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} is not empty; give a new folder")
    found, _ = find_pack(pack)
    known = getattr(found, "formats", ("native",))
    if format is not None and format not in known:
        raise InputError(f"pack {pack} writes no format {format!r} (it writes: {', '.join(known)})")
    kinds = getattr(found, "kinds", None)
    if kind is not None and kind not in (kinds or ("classify",)):
        spoken = ", ".join(kinds or ("classify",))
        raise InputError(f"pack {pack} has no task of kind {kind!r} (it has: {spoken})")
    own = getattr(found, "write_own", None)
    if documents is not None and pairs is None:
        raise InputError("--from goes with --pairs FILE: what people asked, and what was answered")
    if pairs is not None and own is None:
        raise InputError(f"pack {pack} takes no pairs; --pack copilot does")
    more = {} if format is None else {"format": format}
    more |= {} if kind is None or kinds is None else {"kind": kind}
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".wl-init-", dir=folder.parent) as aside:
        said = None
        if own is not None and pairs is not None:
            said = own(Path(aside) / "new", documents, pairs)
        else:
            found.write_template(Path(aside) / "new", seed, **more)
        if folder.exists():
            folder.rmdir()
        (Path(aside) / "new").replace(folder)  # whole or not at all
    about = folder / "data" / "simulated.json"
    best = json_module.loads(about.read_text()).get("best_possible") if about.exists() else None
    if json:
        print_json(
            {"folder": str(folder), "task": str(folder / "task.yaml"), "best_possible": best}
            | ({} if said is None else {"notes": said})
        )
        return
    if said is None:
        typer.echo(f"{folder}: task.yaml, simulated data and a README")
    else:
        typer.echo(f"{folder}: task.yaml, your data and a README")
        for line in said:
            typer.echo(f"  {line}")
    if best is not None:
        typer.echo(
            f"best possible (Bayes) on {best['on']}: macro-F1 {best['macro_f1']:.3f}, "
            f"accuracy {best['accuracy']:.3f}"
        )
    typer.echo(f"next: whichlever compare {folder / 'task.yaml'} -o {folder / 'run'}")
