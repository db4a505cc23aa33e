"""A small kit that is made in a second: three packages, one bundle, made-up weights."""

from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path

from tiny_bundle import tiny_bundle
from whichlever.seal.installed import find
from whichlever.seal.kit import Sealed, write_kit
from whichlever.seal.plan import CarriedWeights, SealPlan, _bundle

PACKAGES = ("mdurl", "pip", "whichlever")


def small_plan(folder: Path, packages: tuple[str, ...] = PACKAGES) -> SealPlan:
    """A plan that needs no closure: it can be sealed and checked, not run."""
    folder.mkdir(parents=True, exist_ok=True)
    bundle, weights = folder / "tiny.wl", folder / "toy.gguf"
    tiny_bundle(bundle)
    weights.write_bytes(b"GGUF, but made up")
    manifest = {
        "name": "toy", "main": "toy.gguf", "kind": "gguf", "licence": "MIT", "source": "made up",
        "files": {"toy.gguf": hashlib.sha256(weights.read_bytes()).hexdigest()},
        "context": None, "what": "",
    }  # fmt: skip
    return SealPlan(
        extras=(),
        packages=tuple(find(name) for name in packages),
        kept={},
        weights=(CarriedWeights(manifest, {"toy.gguf": weights}),),
        bundles=(_bundle(bundle),),
        level=1,
    )


def small_kit(folder: Path, name: str = "kit.tar", key: Path | None = None) -> Sealed:
    """Seal `small_plan`."""
    return write_kit(small_plan(folder / "from"), folder / name, key)


def members(kit: Path) -> list[tuple[tarfile.TarInfo, bytes]]:
    """What an ordinary tar program sees in it."""
    with tarfile.open(kit, "r:") as tar:
        return [(m, tar.extractfile(m).read()) for m in tar.getmembers()]  # type: ignore[union-attr]


def rewritten(kit: Path, out: Path, entries: list[tuple[tarfile.TarInfo, bytes]]) -> Path:
    """A kit with other members, stored as sealing stores them."""
    with tarfile.open(out, "w:", format=tarfile.GNU_FORMAT) as tar:
        for entry, content in entries:
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return out


def unpacked(kit: Path, folder: Path) -> Path:
    """Unpack a kit; returns the one folder in it."""
    with tarfile.open(kit, "r:") as tar:
        tar.extractall(folder, filter="data")
    (inside,) = folder.iterdir()
    return inside
