"""What a run was made with: versions, machine, seed; nothing that names a person or a host."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from whichlever.version import VERSION

_PACKAGES = (
    "numpy", "scipy", "scikit-learn", "polars", "torch", "transformers", "model2vec",
    "onnxruntime", "xllamacpp", "bm25s", "genai-prices",
)  # fmt: skip


def environment(seed: int, fingerprint: str) -> dict[str, Any]:
    """Describe what a run is made with; ``fingerprint`` is the SHA-256 of its rows."""
    return {
        "whichlever": VERSION,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "packages": {name: _version(name) for name in _PACKAGES},
        "seed": seed,
        "rows_sha256": fingerprint,
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
