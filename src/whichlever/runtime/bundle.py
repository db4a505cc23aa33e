"""``whichlever.Bundle``: open, verify, predict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from whichlever.bundle import Manifest, Opened, open_bundle
from whichlever.predict import Prediction, Row
from whichlever.runtime.model import load_model
from whichlever.runtime.reading import RecordReader


class Bundle:
    """A verified bundle, ready to answer.

    Attributes
    ----------
    manifest
        What it says of itself: labels, meanings, thresholds, what it learned from.
    signer
        Fingerprint of the key it was verified with, or None.
    read
        Turns a record (a mapping, as a line of JSON gives) into text.
    """

    def __init__(self, opened: Opened, threads: int = 1) -> None:
        self.manifest: Manifest = opened.manifest
        self.signer = opened.signer
        self.read = RecordReader(opened.manifest.reader)
        self.predictor = load_model(opened, threads)

    @classmethod
    def open(
        cls,
        path: str | Path,
        key: str | Path | None = None,
        *,
        allow_unsigned: bool = False,
        threads: int = 1,
    ) -> Self:
        """Verify a bundle against ``key`` and load the very bytes that were verified.

        Raises
        ------
        NotTrusted
            No key is given, or the bundle is not what its signer signed.
        BundleError
            It is damaged, or of a newer format.
        """
        return cls(open_bundle(path, key, allow_unsigned=allow_unsigned), threads)

    def predict(self, inputs: Sequence[str | Mapping[str, Any]]) -> list[Prediction]:
        """Answer texts as the model reads them, or records, which are rendered first.

        Raises
        ------
        DataError
            A record lacks what the bundle reads; `run` and `serve` answer such rows with an error.
        """
        rows = [
            Row(str(i), given if isinstance(given, str) else self.read.text(given))
            for i, given in enumerate(inputs)
        ]
        return self.predictor.predict(rows)
