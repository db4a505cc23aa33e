"""Make keys and sign bundles, with OpenSSF model-signing, offline."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from whichlever.bundle.archive import read_archive, write_archive
from whichlever.bundle.format import MANIFEST, SIGNATURE
from whichlever.bundle.keyring import Key
from whichlever.errors import BundleError, MissingExtraError


def new_key(name: Path, passphrase: str | None = None) -> tuple[Path, Path]:
    """Make a P-256 pair: NAME.key, for its owner alone, and NAME.pub.

    Raises
    ------
    BundleError
        One of the two is there already: a key is never overwritten.
    """
    try:
        from cryptography.hazmat.primitives import serialization as s
        from cryptography.hazmat.primitives.asymmetric import ec
    except ImportError:
        raise MissingExtraError("making a key", "sign") from None
    private, public = (name.with_name(name.name + end) for end in (".key", ".pub"))
    for path in (private, public):
        if path.exists():
            raise BundleError(f"{path} is there already; a key is never overwritten")
    key = ec.generate_private_key(ec.SECP256R1())
    sealed = s.BestAvailableEncryption(passphrase.encode()) if passphrase else s.NoEncryption()
    secret = key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, sealed)
    shown = key.public_key().public_bytes(s.Encoding.PEM, s.PublicFormat.SubjectPublicKeyInfo)
    made = []
    try:
        for path, content, mode in ((private, secret, 0o600), (public, shown, 0o644)):
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            made.append(path)
            with os.fdopen(handle, "wb") as out:
                out.write(content)
    except OSError:
        for path in made:  # half a pair is none, and would stand in the way of the next
            path.unlink(missing_ok=True)
        raise
    return private, public


def sign_bundle(path: Path, key: Path, passphrase: str | None = None) -> Key:
    """Put a signature over every other file into the bundle; an older one is replaced.

    Returns
    -------
    Key
        The public half of what signed, by the name of the key's file.

    Raises
    ------
    BundleError
        It is not a bundle, or the key cannot be read.
    """
    files = {n: c for n, c in read_archive(path).items() if n != SIGNATURE}
    if MANIFEST not in files:
        raise BundleError(f"{path}: not a bundle (it has no {MANIFEST})")
    with tempfile.TemporaryDirectory(prefix="whichlever-sign-") as place:
        root = Path(place) / "bundle"
        for name, content in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(content)
        signer, signature = sign_folder(root, key, passphrase)
    if path.is_dir():
        (path / SIGNATURE).write_bytes(signature)
    else:
        write_archive(path, {**files, SIGNATURE: signature})
    return signer


def sign_folder(root: Path, key: Path, passphrase: str | None = None) -> tuple[Key, bytes]:
    """Sign every file of a folder; returns who signed, and the signature file's content.

    Raises
    ------
    BundleError
        The key cannot be read.
    """
    try:
        from model_signing import hashing, signing
    except ImportError:
        raise MissingExtraError("signing", "sign") from None
    signer = _public(key, private_key(key, passphrase))
    secret = None if passphrase is None else passphrase.encode()
    how = hashing.Config().set_ignored_paths(paths=[], ignore_git_paths=False)
    config = signing.Config().set_hashing_config(how)
    with tempfile.TemporaryDirectory(prefix="whichlever-sign-") as place:
        made = Path(place) / SIGNATURE
        try:
            # The library's hint says str, and hands it to a function that wants bytes.
            config.use_elliptic_key_signer(private_key=key, password=secret).sign(root, made)
        except ValueError as error:
            raise BundleError(f"{key}: {error}") from None
        return signer, made.read_bytes()


def private_key(key: Path, passphrase: str | None = None) -> Any:  # noqa: ANN401 - a private key
    """Read a private key.

    Raises
    ------
    BundleError
        It cannot be read, or the passphrase is not its own.
    """
    try:
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ImportError:
        raise MissingExtraError("signing", "sign") from None
    try:
        return load_pem_private_key(key.read_bytes(), passphrase.encode() if passphrase else None)
    except OSError as error:
        raise BundleError(f"{key}: cannot be read ({error.strerror or error})") from None
    except (ValueError, TypeError) as error:
        raise BundleError(f"{key}: is no private key that this passphrase opens") from error


def _public(path: Path, private: Any) -> Key:  # noqa: ANN401 - a private key
    """The public half, by the name of the key's file."""
    from cryptography.hazmat.primitives import serialization as s

    shown = private.public_key().public_bytes(s.Encoding.PEM, s.PublicFormat.SubjectPublicKeyInfo)
    stem = "".join(c if c.isalnum() or c in "._@-" else "-" for c in path.stem).lstrip("._@-")
    return Key(name=stem[:80] or "key", pem=shown.decode())
