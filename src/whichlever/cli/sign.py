"""``whichlever sign``: make a key pair, or sign a bundle with one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from whichlever.cli.options import Json, go_offline
from whichlever.cli.output import print_json
from whichlever.errors import InputError

ENVIRONMENT = "WHICHLEVER_KEY_PASSPHRASE"


def sign(
    bundle: Annotated[
        Path | None, typer.Argument(metavar="BUNDLE", help="The bundle to sign, in place.")
    ] = None,
    key: Annotated[
        Path | None, typer.Option(metavar="NAME.key", help="The private key that signs.")
    ] = None,
    new_key: Annotated[
        Path | None,
        typer.Option("--new-key", metavar="NAME", help="Make NAME.key and NAME.pub (P-256)."),
    ] = None,
    passphrase: Annotated[
        bool,
        typer.Option("--passphrase", help=f"Ask for the key's passphrase (or ${ENVIRONMENT})."),
    ] = False,
    json: Json = False,
) -> None:
    """Sign a bundle with OpenSSF model-signing, offline; make the key pair for it."""
    go_offline()
    from whichlever.bundle import sign as signing

    if (bundle is None) == (new_key is None):
        raise InputError("give a bundle and --key NAME.key, or --new-key NAME")
    secret = os.environ.get(ENVIRONMENT) or None
    if passphrase:
        secret = typer.prompt(
            "Passphrase", hide_input=True, confirmation_prompt=new_key is not None
        )
    if new_key is not None:
        private, public = signing.new_key(new_key, secret)
        if json:
            print_json({"private": str(private), "public": str(public)})
            return
        typer.echo(f"{private}: keep it secret; it signs")
        typer.echo(f"{public}: give it to whoever opens your bundles (--key {public})")
        return
    assert bundle is not None
    if key is None:
        raise InputError(
            "which key signs? --key NAME.key (make one: whichlever sign --new-key NAME)"
        )
    signer = signing.sign_bundle(bundle, key, secret)
    if json:
        print_json({"bundle": str(bundle), "signer": signer.name, "key": signer.fingerprint})
        return
    typer.echo(f"{bundle}: signed by {signer.name} ({signer.fingerprint[:16]}…)")
