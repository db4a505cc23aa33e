"""``whichlever keys``: the key ring that says who may sign."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from whichlever.bundle.keyring import Key, KeyRing, Status
from whichlever.cli.options import Json
from whichlever.cli.output import one_line, print_json
from whichlever.errors import BundleError

app = typer.Typer(help="Keep a ring of the keys that may sign bundles.", no_args_is_help=True)

Ring = Annotated[Path, typer.Argument(metavar="RING", help="The key ring, a YAML file.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="The key's name in the ring.")]
Note = Annotated[str, typer.Option(help="Why; it is shown when a bundle is refused.")]


@app.command("list")
def list_keys(ring: Ring, json: Json = False) -> None:
    """Show the ring's keys."""
    found = KeyRing.load(ring)
    if json:
        print_json([{**k.model_dump(exclude={"pem"}), "key": k.fingerprint} for k in found.keys])
        return
    for key in found.keys:
        note = f"  {one_line(key.note)}" if key.note else ""
        typer.echo(f"{key.name}  {key.status}  {key.fingerprint[:16]}…{note}")


@app.command("add")
def add(
    ring: Ring,
    public: Annotated[Path, typer.Argument(metavar="NAME.pub", help="The public key.")],
    name: Annotated[str | None, typer.Option(help="Its name; the file's own unless given.")] = None,
    note: Note = "",
) -> None:
    """Trust a key: during a rotation the old and the new one are both active."""
    (key,) = KeyRing.load(public).keys
    key = Key(name=name or key.name, pem=key.pem, note=note)
    have = KeyRing.load(ring).keys if ring.exists() else ()
    for other in have:
        if other.name == key.name or other.fingerprint == key.fingerprint:
            raise BundleError(f"{ring}: {other.name!r} is in it already ({other.status})")
    KeyRing(keys=(*have, key)).save(ring)
    typer.echo(f"{ring}: {key.name} ({key.fingerprint[:16]}…) may sign")


@app.command("retire")
def retire(ring: Ring, name: Name, note: Note = "") -> None:
    """A key signs no more; what it signed is still trusted (a signature has no provable time)."""
    _change(ring, name, "retired", note)


@app.command("revoke")
def revoke(ring: Ring, name: Name, note: Note = "") -> None:
    """Nothing that this key ever signed is trusted any more."""
    _change(ring, name, "revoked", note)


def _change(ring: Path, name: str, status: Status, note: str) -> None:
    KeyRing.load(ring).with_status(name, status, note).save(ring)
    typer.echo(f"{ring}: {name} is {status}")
