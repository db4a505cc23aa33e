"""What will go into a kit, and about how large it gets, before anything is written."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from whichlever.bundle.bom import NEEDED
from whichlever.bundle.format import SIGNATURE
from whichlever.bundle.format import Manifest as BundleManifest
from whichlever.bundle.opened import open_bundle
from whichlever.errors import InputError
from whichlever.seal.format import BUNDLES, is_name
from whichlever.seal.given import kept_wheels
from whichlever.seal.installed import Installed, find, needed

WHOLE = ("train", "llm", "sign", "serve", "mail", "milter", "imap")
"""Every extra that a user has a use for, as ``whichlever[all]``: the whole loop."""

ANSWERING = ("sign", "serve")
"""The extras of a machine that only verifies, runs and serves."""

SHRINKS_TO = {1: 0.35, 6: 0.30, 9: 0.295}
"""Measured: bytes of the wheels per installed byte, by level; levels between are interpolated."""

BYTES_A_SECOND = {1: 32e6, 6: 11.5e6, 9: 4.5e6}
"""Measured on one core: installed bytes that are checked and compressed in a second."""


class CarriedWeights(NamedTuple):
    """Weights to put in: what `whichlever.llm` says of them, and their files by name."""

    manifest: Mapping[str, Any]
    files: Mapping[str, Path]

    @property
    def name(self) -> str:
        """What they are called."""
        return str(self.manifest["name"])

    @property
    def bytes(self) -> int:
        """How large they are."""
        return sum(path.stat().st_size for path in self.files.values())


class CarriedBundle(NamedTuple):
    """A bundle to put in, as it was read when the plan was made."""

    path: Path
    manifest: BundleManifest
    sha256: str
    bytes: int
    signed: bool


class Item(NamedTuple):
    """One line of a plan; ``bytes`` as the kit will hold it."""

    kind: str
    name: str
    bytes: int
    exact: bool


@dataclass(frozen=True)
class SealPlan:
    """What goes into a kit.

    ``kept`` are wheels that are taken as they are, by package; ``level`` is how hard the others
    are compressed.
    """

    extras: tuple[str, ...]
    packages: tuple[Installed, ...]
    kept: Mapping[str, Path]
    weights: tuple[CarriedWeights, ...]
    bundles: tuple[CarriedBundle, ...]
    level: int

    @property
    def items(self) -> tuple[Item, ...]:
        """Every package, set of weights and bundle, the largest first within each kind."""
        share = _between(SHRINKS_TO, self.level)
        wheels = [
            Item("wheel", one.pin, self.kept[one.name].stat().st_size, True)
            if one.name in self.kept
            else Item("wheel", one.pin, int(one.size * share), False)
            for one in self.packages
        ]
        weights = [Item("weights", w.name, w.bytes, True) for w in self.weights]
        bundles = [Item("bundle", b.path.name, b.bytes, True) for b in self.bundles]
        return tuple(
            item
            for kind in (wheels, weights, bundles)
            for item in sorted(kind, key=lambda i: (-i.bytes, i.name))
        )

    @property
    def bytes(self) -> int:
        """About how large the kit gets."""
        return sum(item.bytes for item in self.items)

    @property
    def installed_bytes(self) -> int:
        """About what it takes on the machine it is installed on; compiled modules come on top."""
        return (
            sum(one.size for one in self.packages)
            + sum(w.bytes for w in self.weights)
            + sum(b.bytes for b in self.bundles)
        )

    @property
    def seconds(self) -> float:
        """About how long sealing takes on this machine."""
        work = sum(one.size for one in self.packages if one.name not in self.kept)
        return work / _between(BYTES_A_SECOND, self.level) / workers()


def workers() -> int:
    """How many wheels are made at once."""
    return max(1, min(4, os.cpu_count() or 1))


def plan_kit(
    extras: Iterable[str] = WHOLE,
    weights: Sequence[CarriedWeights] = (),
    bundles: Sequence[Path] = (),
    wheels: Path | None = None,
    level: int = 6,
) -> SealPlan:
    """Look up everything that a kit needs; nothing is written.

    Parameters
    ----------
    extras
        The optional parts, as in ``pip install 'whichlever[…]'``.
    wheels
        A folder of wheels that are taken where they fit, instead of made again.
    level
        How hard wheels are compressed, 1 to 9.

    Raises
    ------
    InputError
        Something is not here, or cannot go into a kit.
    BundleError
        A bundle cannot be read.
    """
    chosen = tuple(sorted(set(extras)))
    packages = {one.name: one for one in [*needed(chosen), find("pip")]}
    ordered = tuple(packages[name] for name in sorted(packages))
    kept = {} if wheels is None else kept_wheels(wheels, ordered)
    carried = tuple(_bundle(path) for path in bundles)
    _answerable(carried, packages)
    names = [f"{BUNDLES}/{b.path.name}" for b in carried]
    names += [f"weights/{w.name}/{file}" for w in weights for file in w.files]
    for name in names:
        if not is_name(name):
            raise InputError(f"{name}: no file in a kit may be called so; rename it")
        if names.count(name) > 1:
            raise InputError(f"{name}: two files of this name; rename one")
    return SealPlan(chosen, ordered, kept, tuple(weights), carried, level)


def _bundle(path: Path) -> CarriedBundle:
    if path.is_dir():
        raise InputError(f"{path}: is a folder; give the bundle as one file (whichlever pack)")
    opened = open_bundle(path, allow_unsigned=True)
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    return CarriedBundle(path, opened.manifest, digest, len(content), SIGNATURE in opened.files)


def _answerable(bundles: Iterable[CarriedBundle], packages: Mapping[str, Installed]) -> None:
    """Refuse a kit whose bundles could not answer where it is installed."""
    for bundle in bundles:
        for kind in ("", *(part.kind for part in bundle.manifest.parts)):
            for package in NEEDED.get(kind, ()):
                if package.lower() not in packages:
                    raise InputError(
                        f"{bundle.path}: answering needs {package}, which is not in the chosen "
                        "extras; add serve to --extras"
                    )


def _between(measured: Mapping[int, float], level: int) -> float:
    low = max(known for known in measured if known <= level)
    high = min(known for known in measured if known >= level)
    if low == high:
        return measured[low]
    part = (level - low) / (high - low)
    return measured[low] + part * (measured[high] - measured[low])
