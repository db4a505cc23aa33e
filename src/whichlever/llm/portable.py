"""Weights as files and a manifest, so that another machine's shelf can hold them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from whichlever.llm.weights import DEFAULTS, Weights, find_weights, hash_file


def portable(name: str) -> tuple[dict[str, Any], dict[str, Path]]:
    """The ``weights.json`` of some weights, as `add_weights` writes it, and their files by name.

    Raises
    ------
    WeightsError
        They are not on this machine, or a file is not the one that was pinned.
    """
    found = find_weights(name)
    files = {path.name: path for path in _files(found)}
    manifest = {
        "name": found.name,
        "main": found.path.name if found.kind == "gguf" else "model.safetensors",
        "files": {file: hash_file(path) for file, path in sorted(files.items())},
        "kind": found.kind,
        "licence": found.licence,
        "source": found.source,
        "context": found.context,
        "what": found.what,
    }
    return manifest, files


def _files(found: Weights) -> list[Path]:
    if found.kind == "gguf":
        return [found.path]
    pinned = DEFAULTS.get(found.name)
    manifest = found.path / "weights.json"
    names: Mapping[str, Any] = pinned.files if pinned is not None else {}
    if pinned is None and manifest.is_file():
        names = json.loads(manifest.read_text(encoding="utf-8"))["files"]
    return [found.path / name for name in sorted(names)]
