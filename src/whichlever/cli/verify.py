"""``whichlever verify``: whether a bundle is what its signer signed."""

from __future__ import annotations

import hashlib

import typer

from whichlever.cli.options import BundleFile, Json, TrustedKey, go_offline
from whichlever.cli.output import one_line, print_json


def verify(bundle: BundleFile, key: TrustedKey = None, json: Json = False) -> None:
    """Check a bundle's signature and every file in it; exit 3 where they do not hold."""
    go_offline()
    from whichlever.bundle import open_bundle

    opened = open_bundle(bundle, key)
    assert opened.signer is not None
    digests = {n: hashlib.sha256(c).hexdigest() for n, c in sorted(opened.files.items())}
    if json:
        print_json(
            {
                "bundle": str(bundle),
                "signer": opened.signer.name,
                "status": opened.signer.status,
                "key": opened.signer.fingerprint,
                "task": opened.manifest.task,
                "lever": opened.manifest.lever,
                "files": digests,
            }
        )
        return
    retired = ", a key that no longer signs" if opened.signer.status == "retired" else ""
    typer.echo(f"{bundle}: holds, signed by {opened.signer.name}{retired}")
    typer.echo(f"  key {opened.signer.fingerprint}")
    typer.echo(f"  {one_line(opened.manifest.task)}: {one_line(opened.manifest.what)}")
    for name, digest in digests.items():
        typer.echo(f"  {digest}  {name}")
