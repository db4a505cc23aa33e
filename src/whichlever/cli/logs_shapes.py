"""``whichlever logs shapes`` and ``export``: the compiled shapes of a bundle, and owning them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from whichlever.cli.options import AllowUnsigned, Json, TrustedKey, go_offline
from whichlever.cli.output import print_json
from whichlever.errors import BundleError, InputError

if TYPE_CHECKING:
    from whichlever.infer.shapes import ShapeBook
    from whichlever.infer.shapes.known import Known

PART = "model/shapes/shapes.json"
MAX_BYTES = 256 * 1024**2

Book = Annotated[
    Path, typer.Argument(metavar="BUNDLE", help="A bundle (model.wl), or its shapes.json alone.")
]


def shapes(
    bundle: Book,
    key: TrustedKey = None,
    allow_unsigned: AllowUnsigned = False,
    source: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only shapes of this source.")
    ] = None,
    json: Json = False,
) -> None:
    """Show the compiled shapes of a bundle, best supported first."""
    go_offline()
    book = _open(bundle, key, allow_unsigned=allow_unsigned)
    found = [k for k in book if source is None or k.skeleton.source == source]
    if json:
        print_json(
            {
                "shapes": [_row(known, contested=book.contested(known.name)) for known in found],
                "withdrawn": book.withdrawn,
            }
        )
        return
    _table(book, found)


def export(
    bundle: Book,
    to: Annotated[str, typer.Option("--to", metavar="grok|vrl", help="What to write.")],
    out: Annotated[Path, typer.Option("-o", metavar="DIR", help="A new or an empty folder.")],
    key: TrustedKey = None,
    allow_unsigned: AllowUnsigned = False,
    json: Json = False,
) -> None:
    """Write the shapes as grok patterns with a Logstash filter, or as Vector programs (VRL)."""
    go_offline()
    from whichlever.infer.shapes.exports import FORMATS
    from whichlever.infer.shapes.exports import export as files_of

    wanted = next((name for name in FORMATS if name == to), None)
    if wanted is None:
        raise InputError(f"--to {to}: not a format; there are {' and '.join(FORMATS)}")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out}: not an empty folder; name a new one")
    book = _open(bundle, key, allow_unsigned=allow_unsigned)
    files = files_of(book, wanted)
    for name, text in files.items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    if json:
        print_json({"folder": str(out), "files": sorted(files)})
        return
    typer.echo(f"{out}: {len(files)} files; README.md says how to use them")


def _open(path: Path, key: Path | None, *, allow_unsigned: bool) -> ShapeBook:
    from whichlever.infer.shapes import ShapeBook

    if path.suffix == ".json":
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path}: larger than {MAX_BYTES >> 20} MiB; no book of shapes is")
        return ShapeBook.from_bytes(path.read_bytes())
    from whichlever.bundle import open_bundle

    opened = open_bundle(path, key, allow_unsigned=allow_unsigned)
    if PART not in opened.files:
        raise BundleError(
            f"{path}: no compiled shapes in it; a task of kind extract makes them where they are "
            "as good as its tagger alone"
        )
    return ShapeBook.from_bytes(opened.files[PART])


def _row(known: Known, *, contested: bool) -> dict[str, Any]:
    return {
        "shape": known.name,
        "pattern": _shown(known),
        "names": sorted({name for one in known.skeleton.named for name in one.names}),
        "contested": contested,
    } | known.to_json()


def _shown(known: Known) -> str:
    """Write a shape for people: names in angle brackets, ``<*>`` for what has none."""
    starts = {one.first: "|".join(one.names) for one in reversed(known.skeleton.named)}
    out, skip = "", -1
    ends = {one.first: one.last for one in reversed(known.skeleton.named)}
    for at, part in enumerate(known.skeleton.parts):
        if at <= skip:
            continue
        if at in starts:
            out, skip = f"{out}<{starts[at]}>", ends[at]
        else:
            out += part if isinstance(part, str) else "<*>"
    return out


def _table(book: ShapeBook, found: list[Known]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from whichlever.report.visible import shortened

    table = Table("shape", "lines", "right", "wrong", "source", "pattern")
    for known in found:
        evidence = known.evidence
        mark = "  (contested)" if book.contested(known.name) else ""
        table.add_row(
            known.name,
            f"{evidence.lines:,}",
            f"{evidence.right:,}",
            f"{evidence.wrong:,}",
            Text(shortened(known.skeleton.source or "", 40)),
            Text(shortened(_shown(known), 400) + mark),
        )
    console = Console()
    console.print(table)
    console.print(f"{len(found):,} shapes, {len(book.withdrawn):,} withdrawn")
