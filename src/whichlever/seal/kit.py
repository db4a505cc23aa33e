"""Writing a kit: everything is gathered in a folder aside, summed, signed, and only then a tar."""

from __future__ import annotations

import hashlib
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from whichlever.bundle.bom import validate_bom
from whichlever.bundle.format import as_json
from whichlever.bundle.keyring import Key
from whichlever.bundle.sign import private_key, sign_folder
from whichlever.errors import InputError, MissingExtraError
from whichlever.progress import Progress, Silent, Step
from whichlever.run import written_aside
from whichlever.seal.archive import write_tar
from whichlever.seal.bom import write_bom
from whichlever.seal.check import check_kit
from whichlever.seal.format import (
    BOM,
    BUNDLES,
    MANIFEST,
    SIGNATURE,
    SUMS,
    SUMS_SIGNATURE,
    WEIGHTS,
    WHEELS,
    Kit,
    Package,
    SealedBundle,
    SealedWeights,
)  # fmt: skip
from whichlever.seal.given import check_wheel
from whichlever.seal.glibc import needed_glibc
from whichlever.seal.installed import Installed, requirements_within
from whichlever.seal.installer import texts
from whichlever.seal.plan import SealPlan, workers
from whichlever.seal.repack import repack
from whichlever.version import VERSION


@dataclass(frozen=True)
class Sealed:
    """A kit that was written and checked.

    ``sha256`` is of the whole file, to be compared by another way than the kit travels;
    ``validated`` says whether its bill of materials was held against the official schema.
    """

    path: Path
    kit: Kit
    folder: str
    bytes: int
    sha256: str
    signer: Key | None
    validated: bool


def write_kit(
    plan: SealPlan,
    out: Path,
    key: Path | None = None,
    passphrase: str | None = None,
    progress: Progress | None = None,
) -> Sealed:
    """Gather, sum, sign, write aside, check, and rename.

    Parameters
    ----------
    key
        The private key that signs; without one the kit has checksums only.

    Raises
    ------
    InputError
        There is something at ``out``, too little room, or what is installed here was changed.
    BundleError
        The key cannot be read.
    """
    told = progress or Silent()
    _room(plan, out)
    _check_key(key, passphrase)  # now, not when minutes of work are done
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".wl-seal-", dir=out.parent) as place:
        root = Path(place) / "kit"
        kit, validated = _gather(plan, root, told)
        signer = _sum_and_sign(root, key, passphrase)
        folder = f"whichlever-{VERSION}-{_sha256(root / SUMS)[:8]}"
        names = sorted(p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file())
        with written_aside(out) as aside:
            with told.step("writing the kit", total=1):
                write_tar(aside, root, names, folder)
            check_kit(aside)
            size, digest = aside.stat().st_size, _sha256(aside)
    return Sealed(out, kit, folder, size, digest, signer, validated)


def _room(plan: SealPlan, out: Path) -> None:
    if out.exists() or out.is_symlink():
        raise InputError(f"{out} is there already; give another name, or remove it first")
    there = next(p for p in out.absolute().parents if p.exists())
    free, needs = shutil.disk_usage(there).free, int(plan.bytes * 2.1)
    if free < needs:
        raise InputError(
            f"{there} has {free / 1e6:,.0f} MB free and sealing needs about {needs / 1e6:,.0f} "
            "(the kit, and once more while it is made)"
        )


def _gather(plan: SealPlan, root: Path, told: Progress) -> tuple[Kit, bool]:
    """Put everything but sums and signatures into the folder."""
    packages = _wheels(plan, root / WHEELS, told)
    kit = Kit(
        whichlever=VERSION,
        python=f"{sys.version_info.major}.{sys.version_info.minor}",
        platform=f"{sys.platform}-{platform.machine()}",
        glibc=needed_glibc([p.wheel for p in packages]),
        extras=plan.extras,
        installed_bytes=plan.installed_bytes,
        packages=packages,
        weights=tuple(_weights(plan, root / WEIGHTS)),
        bundles=tuple(_bundles(plan, root / BUNDLES)),
    )
    (root / MANIFEST).write_bytes(kit.to_bytes())
    bill = write_bom(kit, requirements_within(plan.packages, plan.extras))
    validated = validate_bom(bill)
    (root / BOM).write_bytes(bill)
    size = sum(p.stat().st_size for p in root.rglob("*") if p.is_file())
    for name, text in texts(kit, size).items():
        (root / name).write_text(text, encoding="utf-8", newline="\n")
    return kit, validated


def _wheels(plan: SealPlan, folder: Path, told: Progress) -> tuple[Package, ...]:
    folder.mkdir(parents=True)
    total = sum(one.size for one in plan.packages) // 10**6
    with (
        told.step("wheels (MB installed)", total=total, seconds=plan.seconds) as step,
        ThreadPoolExecutor(workers()) as pool,
    ):
        # The largest first, so that no worker starts on it when the others are done.
        order = sorted(plan.packages, key=lambda one: -one.size)
        jobs = [pool.submit(_wheel, plan, one, folder, step) for one in order]
        try:
            made = [job.result() for job in jobs]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return tuple(sorted(made, key=lambda p: p.name))


def _wheel(plan: SealPlan, one: Installed, folder: Path, step: Step) -> Package:
    kept = plan.kept.get(one.name)
    if kept is not None:
        path = folder / kept.name
        shutil.copyfile(kept, path)
        check_wheel(path, one)
    else:
        path = repack(one, folder, plan.level)
    step.advance(one.size / 1e6)
    return Package(
        name=one.name,
        version=one.version,
        wheel=path.name,
        sha256=_sha256(path),
        bytes=path.stat().st_size,
        origin="kept" if kept is not None else "repacked" if one.source is None else "built",
        licence=one.licence,
    )


def _weights(plan: SealPlan, folder: Path) -> Iterator[SealedWeights]:
    for one in plan.weights:
        manifest = one.manifest
        place = folder / one.name
        place.mkdir(parents=True)
        (place / "weights.json").write_bytes(as_json(dict(manifest)))
        for name, path in one.files.items():
            shutil.copyfile(path, place / name)
            if _sha256(place / name) != manifest["files"][name]:
                raise InputError(f"{path}: was changed while it was copied; seal again")
        yield SealedWeights(
            name=one.name,
            kind=manifest["kind"],
            licence=manifest["licence"],
            source=manifest["source"],
            sha256=manifest["files"][manifest["main"]],
            bytes=one.bytes,
        )


def _bundles(plan: SealPlan, folder: Path) -> Iterator[SealedBundle]:
    for one in plan.bundles:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / one.path.name
        shutil.copyfile(one.path, path)
        if _sha256(path) != one.sha256:
            raise InputError(f"{one.path}: was changed while it was copied; seal again")
        yield SealedBundle(
            file=path.name,
            task=one.manifest.task,
            lever=one.manifest.lever,
            sha256=one.sha256,
            bytes=one.bytes,
            signed=one.signed,
        )


def _check_key(key: Path | None, passphrase: str | None) -> None:
    if key is None:
        return
    if find_spec("model_signing") is None:
        raise MissingExtraError("signing", "sign")
    from cryptography.hazmat.primitives.asymmetric import ec

    if not isinstance(private_key(key, passphrase), ec.EllipticCurvePrivateKey):
        raise InputError(f"{key}: is no elliptic-curve key (make one: whichlever sign --new-key)")


def _sum_and_sign(root: Path, key: Path | None, passphrase: str | None) -> Key | None:
    """Write the checksums; with a key, sign them twice: for openssl alone, and as a model."""
    names = sorted(p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file())
    sums = "".join(f"{_sha256(root / name)}  {name}\n" for name in names).encode()
    (root / SUMS).write_bytes(sums)
    if key is None:
        return None
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    private = private_key(key, passphrase)
    (root / SUMS_SIGNATURE).write_bytes(private.sign(sums, ec.ECDSA(hashes.SHA256())))
    signer, signature = sign_folder(root, key, passphrase)
    (root / SIGNATURE).write_bytes(signature)
    return signer


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
