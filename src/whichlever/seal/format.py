"""What a kit holds: its manifest ``kit.json``, read strictly, and the names of its files.

A kit is one uncompressed tar file with one folder inside, ``whichlever-VERSION-ID``, where ID is
the beginning of the SHA-256 of its ``SHA256SUMS``::

    README.txt                   what to do with it
    install.sh                   checks every file, then installs; POSIX shell
    SHA256SUMS                   every file but the signatures and itself
    SHA256SUMS.sig               ECDSA over SHA256SUMS, which openssl alone can check (if signed)
    model.sig                    OpenSSF model signature over every other file (if signed)
    kit.json                     the manifest: this module
    bom.cdx.json                 the bill of materials (CycloneDX)
    requirements.txt             every package with its version and checksum
    wheels/*.whl                 this package, all that it needs, and pip
    weights/<name>/…             weights to start from, with weights.json
    bundles/*.wl                 bundles to run and serve
"""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from whichlever.bundle.format import as_json
from whichlever.errors import CheckFailed

FORMAT = 1
"""The newest format this version writes; older ones are still read."""

MANIFEST, BOM, README, INSTALLER = "kit.json", "bom.cdx.json", "README.txt", "install.sh"
REQUIREMENTS, SUMS, SUMS_SIGNATURE, SIGNATURE = (
    "requirements.txt", "SHA256SUMS", "SHA256SUMS.sig", "model.sig",
)  # fmt: skip
WHEELS, WEIGHTS, BUNDLES = "wheels", "weights", "bundles"

MAX_FILES = 2_000
MAX_DEPTH = 4

_PART = r"[A-Za-z0-9][A-Za-z0-9._+-]{0,149}"
_NAME = re.compile(rf"{_PART}(?:/{_PART})*")

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Size = Annotated[int, Field(ge=0)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Package(_Model):
    """One wheel: ``repacked`` from what is installed, ``kept`` by the user, or ``built`` here."""

    name: str
    version: str
    wheel: str
    sha256: Digest
    bytes: Size
    origin: Literal["repacked", "kept", "built"]
    licence: str | None = None


class SealedWeights(_Model):
    """Weights to start from; ``sha256`` is of the file that holds them."""

    name: str
    kind: str
    licence: str | None
    source: str
    sha256: Digest
    bytes: Size


class SealedBundle(_Model):
    """One bundle; whether it is signed, not by whom: that is for the key of whoever opens it."""

    file: str
    task: str
    lever: str
    sha256: Digest
    bytes: Size
    signed: bool


class Kit(_Model):
    """``kit.json``."""

    format: Annotated[int, Field(ge=1, le=FORMAT)] = FORMAT
    whichlever: str
    python: str = Field(pattern=r"^3\.\d+$", description="The minor version it installs on.")
    platform: str = Field(pattern=r"^[a-z0-9]+-[A-Za-z0-9_]+$", description="e.g. linux-x86_64")
    glibc: str | None = Field(default=None, pattern=r"^\d+\.\d+$", description="At least this.")
    extras: tuple[str, ...]
    installed_bytes: Size
    packages: tuple[Package, ...]
    weights: tuple[SealedWeights, ...] = ()
    bundles: tuple[SealedBundle, ...] = ()

    def to_bytes(self) -> bytes:
        """As stored: JSON, the same bytes for the same content."""
        return as_json(self.model_dump(mode="json"))

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Read a manifest.

        Raises
        ------
        CheckFailed
            It is no manifest, or of a newer format.
        """
        try:
            return cls.model_validate_json(content)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise CheckFailed(
                f"{MANIFEST}: {where}: {first['msg']}; this version reads kits of format "
                f"{FORMAT} and older"
            ) from None


def is_name(name: str) -> bool:
    """Whether a file inside a kit may be called so: plain, relative, the same on every machine."""
    return bool(_NAME.fullmatch(name)) and name.count("/") < MAX_DEPTH
