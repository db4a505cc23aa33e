"""A tiny linear bundle made by hand, for tests of what stands on bundles."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from whichlever.bundle.archive import write_archive
from whichlever.bundle.format import MANIFEST, Manifest, Part, Reader, Trained
from whichlever.infer.linear import LinearModel, Weights
from whichlever.infer.linear_features import Features

LABELS = ("critical", "noise")
TEXTS = [f"mimikatz dumped credentials on host {i % 5}" for i in range(20)] + [
    f"backup job finished on host {i % 5}" for i in range(20)
]


def tiny_files(**manifest: object) -> dict[str, bytes]:
    """The files of an unsigned bundle: least squares on forty texts of two labels."""
    features = Features.fit(TEXTS, chars=False, max_features=1_000)
    x = features.transform(TEXTS).toarray()
    y = np.repeat([1.0, -1.0], 20)
    w = np.linalg.lstsq(x, y, rcond=None)[0]
    coef = np.stack([w, -w], axis=1).astype(np.float32)
    weights = Weights(coef, np.zeros(2, np.float32))
    model = LinearModel(features, weights, LABELS, np.arange(2), 3.0, {})
    said = Manifest(
        **{
            "task": "tiny",
            "lever": "linear",
            "what": "least squares on forty texts",
            "labels": LABELS,
            "meanings": {"critical": "wake someone", "noise": "close it"},
            "reader": Reader(input="text", id="id"),
            "parts": (Part(name="linear", kind="linear"),),
            "temperature": 1.5,
            "trained": Trained(rows_sha256="0" * 64),
            **manifest,
        }
    )
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder) / "model")
        files = {
            f"model/linear/{p.name}": p.read_bytes() for p in (Path(folder) / "model").iterdir()
        }
    return {MANIFEST: said.to_bytes(), **files}


def tiny_bundle(path: Path, **manifest: object) -> Path:
    """Write `tiny_files` as an unsigned bundle."""
    write_archive(path, tiny_files(**manifest))
    return path
