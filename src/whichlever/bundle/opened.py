"""Open a bundle: read its bytes once, verify them, and hand on those very bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from whichlever.bundle.archive import read_archive
from whichlever.bundle.format import MANIFEST, SIGNATURE, Manifest
from whichlever.bundle.keyring import Key, KeyRing
from whichlever.errors import BundleError, NotTrusted


@dataclass(frozen=True)
class Opened:
    """A bundle's verified content.

    Attributes
    ----------
    manifest
        What it says of itself.
    files
        Name → content, exactly the bytes that were verified.
    signer
        The key that it was verified with; None where it was opened unsigned.
    name
        The file, for messages.
    """

    manifest: Manifest
    files: Mapping[str, bytes]
    signer: Key | None
    name: str


def open_bundle(
    path: str | Path, key: str | Path | None = None, *, allow_unsigned: bool = False
) -> Opened:
    """Read and verify a bundle.

    Parameters
    ----------
    path
        The bundle: a file, or a folder with the same files.
    key
        A public key (PEM) or a key ring file that says who may sign.
    allow_unsigned
        Open it without a key: its files are read, and nobody vouches for them.

    Raises
    ------
    NotTrusted
        No key is given, the signature does not hold, or its key is unknown or revoked.
    BundleError
        It is not a bundle, or damaged.
    """
    if key is None and not allow_unsigned:
        raise NotTrusted(f"{path}: say who may have signed it with --key, or --allow-unsigned")
    files = read_archive(Path(path))
    signer = None if key is None else _verified(files, key, str(path))
    if MANIFEST not in files:
        raise BundleError(f"{path}: not a bundle (it has no {MANIFEST})")
    manifest = Manifest.from_bytes(files[MANIFEST])
    missing = next((f for f in manifest.model_files if f not in files), None)
    if missing is not None:
        raise BundleError(f"{path}: {missing} is missing")
    return Opened(manifest, files, signer, str(path))


def _verified(files: Mapping[str, bytes], key: str | Path, where: str) -> Key:
    """Nothing but the signature is parsed before it holds."""
    from whichlever.bundle.signature import check_files, check_signature

    ring = KeyRing.load(key)
    if SIGNATURE not in files:
        raise NotTrusted(f"{where}: is not signed; sign it with: whichlever sign {where} --key …")
    signed = check_signature(files[SIGNATURE], ring, where)
    check_files(files, signed, SIGNATURE, where)
    return signed.key
