"""Who may sign: public keys by name, with what became of each."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from whichlever.errors import BundleError, MissingExtraError
from whichlever.run import write_text

Status = Literal["active", "retired", "revoked"]

LARGEST = 1_000_000
"""Bytes that a key file or a ring may have."""

CURVES = ("secp256r1", "secp384r1", "secp521r1")


class Key(BaseModel):
    """One public key.

    ``active``: signs and is trusted. ``retired``: no longer signs; what it signed is still
    trusted, since a signature carries no time that could be believed. ``revoked``: nothing
    that it ever signed is trusted.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._@-]{0,79}$")
    pem: str = Field(max_length=5_000)
    status: Status = "active"
    note: str = Field(default="", max_length=500)

    @model_validator(mode="after")
    def _readable(self) -> Self:
        loaded(self.pem)
        return self

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the key in PEM, as a model signature names it."""
        from cryptography.hazmat.primitives import serialization as s

        whole = loaded(self.pem).public_bytes(s.Encoding.PEM, s.PublicFormat.SubjectPublicKeyInfo)
        return hashlib.sha256(whole).hexdigest()

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Whether this key made the signature (ECDSA with the hash of the curve's size)."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec

        key = loaded(self.pem)
        kinds = {256: hashes.SHA256(), 384: hashes.SHA384(), 521: hashes.SHA512()}
        try:
            key.verify(signature, message, ec.ECDSA(kinds[key.curve.key_size]))
        except InvalidSignature:
            return False
        return True


@functools.lru_cache(maxsize=64)
def loaded(pem: str) -> Any:  # noqa: ANN401 - an elliptic curve public key
    """The key of a PEM text; ValueError where it is not a public key on a NIST curve."""
    try:
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.serialization import load_pem_public_key
    except ImportError:
        raise MissingExtraError("verifying a bundle", "sign") from None
    if "PRIVATE KEY" in pem:
        raise ValueError("is a private key; give the public one (.pub)")
    try:
        key = load_pem_public_key(pem.encode())
    except Exception as error:
        raise ValueError(f"is not a public key in PEM ({type(error).__name__})") from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name not in CURVES:
        raise ValueError("is not a P-256, P-384 or P-521 key")
    return key


class KeyRing(BaseModel):
    """The keys that a user trusts, or no longer does; a YAML file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    keys: tuple[Key, ...] = ()

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if len({k.name for k in self.keys}) < len(self.keys):
            raise ValueError("a key's name stands twice")
        if len({k.fingerprint for k in self.keys}) < len(self.keys):
            raise ValueError("a key stands twice")
        return self

    def named_by(self, hint: str) -> Key | None:
        """The key that a signature's hint means."""
        return next((k for k in self.keys if k.fingerprint == hint), None)

    def with_status(self, name: str, status: Status, note: str = "") -> KeyRing:
        """The ring with one key's status changed; BundleError where there is no such key."""
        if all(k.name != name for k in self.keys):
            known = ", ".join(k.name for k in self.keys) or "none"
            raise BundleError(f"no key {name!r} in the ring (it has {known})")
        changed = [
            k.model_copy(update={"status": status, "note": note or k.note}) if k.name == name else k
            for k in self.keys
        ]
        return KeyRing(keys=tuple(changed))

    def save(self, path: Path) -> None:
        """Write it as YAML, whole or not at all."""
        said = {"keys": [k.model_dump(mode="json") for k in self.keys]}
        write_text(path, yaml.safe_dump(said, sort_keys=False, allow_unicode=True))

    @classmethod
    def load(cls, path: str | Path) -> KeyRing:
        """Read a public key (PEM) or a ring.

        Raises
        ------
        BundleError
            It is neither.
        """
        path = Path(path)
        try:
            with path.open("rb") as raw:
                text = raw.read(LARGEST + 1).decode("utf-8")
        except OSError as error:
            raise BundleError(f"{path}: cannot be read ({error.strerror or error})") from None
        except ValueError:
            raise BundleError(f"{path}: is neither a public key nor a key ring") from None
        if len(text) > LARGEST:
            raise BundleError(f"{path}: is too large for keys")
        try:
            if text.lstrip().startswith("-----BEGIN"):
                stem = "".join(c if c.isalnum() or c in "._@-" else "-" for c in path.stem)
                return cls(keys=(Key(name=stem.lstrip("._@-")[:80] or "key", pem=text),))
            said = yaml.safe_load(text)
            if not isinstance(said, dict) or "keys" not in said:
                raise BundleError(f"{path}: is neither a public key nor a key ring")
            return cls.model_validate(said)
        except ValidationError as error:
            first = error.errors()[0]
            raise BundleError(f"{path}: {first['msg'].removeprefix('Value error, ')}") from None
        except (yaml.YAMLError, RecursionError):
            raise BundleError(f"{path}: is neither a public key nor a key ring") from None
