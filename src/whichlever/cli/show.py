"""``whichlever show``: what a bundle says of itself, once it is verified."""

from __future__ import annotations

import hashlib

import typer

from whichlever.cli.options import AllowUnsigned, BundleFile, Json, TrustedKey, go_offline
from whichlever.cli.output import one_line, print_json


def show(
    bundle: BundleFile,
    key: TrustedKey = None,
    allow_unsigned: AllowUnsigned = False,
    json: Json = False,
) -> None:
    """Show a bundle's manifest and its model card; nothing in it is run."""
    go_offline()
    from whichlever.bundle import open_bundle
    from whichlever.bundle.format import CARD

    opened = open_bundle(bundle, key, allow_unsigned=allow_unsigned)
    manifest = opened.manifest
    card = opened.files.get(CARD, b"").decode("utf-8", "replace")
    if json:
        files = {
            name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in sorted(opened.files.items())
        }
        print_json(
            {
                "bundle": str(bundle),
                "signer": None if opened.signer is None else opened.signer.name,
                "key": None if opened.signer is None else opened.signer.fingerprint,
                "manifest": manifest.model_dump(mode="json"),
                "files": files,
                "card": card,
            }
        )
        return
    parts = ", ".join(
        f"{p.name} ({p.precision}, weight {p.weight:g})" if manifest.pooled else
        f"{p.name} ({p.precision})" for p in manifest.parts
    )  # fmt: skip
    size = sum(map(len, opened.files.values()))
    typer.echo(f"{bundle}: {one_line(manifest.task)}, {one_line(manifest.lever)}")
    typer.echo(f"  format {manifest.format}; {len(opened.files)} files, {size / 1e6:,.1f} MB")
    typer.echo(f"  parts: {parts}; {len(manifest.labels)} labels")
    signer = opened.signer
    said = "not verified" if signer is None else f"{signer.name} ({signer.fingerprint[:16]}…)"
    typer.echo(f"  signed by: {said}")
    typer.echo("")
    typer.echo(_printable(card) if card else "it holds no card")


def _printable(text: str) -> str:
    """Text from a file, without what a terminal would obey."""
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)
