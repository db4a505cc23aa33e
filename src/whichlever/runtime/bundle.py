"""``whichlever.Bundle``: open, verify, predict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from whichlever.bundle import Manifest, Opened, open_bundle
from whichlever.predict import Prediction, Predictor
from whichlever.runtime.model import Model, load_model
from whichlever.runtime.reading import RecordReader

if TYPE_CHECKING:
    from whichlever.runtime.explain import Explanation
    from whichlever.runtime.line_model import LineModel


class Bundle:
    """A verified bundle, ready to answer.

    Attributes
    ----------
    manifest
        What it says of itself: labels, meanings, thresholds, what it learned from.
    signer
        The key it was verified with (`bundle.keyring.Key`), or None.
    read
        Turns a record (a mapping, as a line of JSON gives) into text.
    model
        Its parts, for `explain`; `predictor` is the same as what answers rows.
    """

    def __init__(self, opened: Opened, threads: int = 1) -> None:
        self.manifest: Manifest = opened.manifest
        self.signer = opened.signer
        self.read = RecordReader(opened.manifest.reader)
        self.model: Model | LineModel
        if opened.manifest.kind == "extract":
            from whichlever.runtime.line_model import load_line_model

            self.model = load_line_model(opened)
        else:
            self.model = load_model(opened, threads)
        self.predictor: Predictor = self.model

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
        """Answer texts as the model reads them (such as raw lines), or records.

        Records are rendered first; what wrote a line is taken from them, where the bundle knows
        such a column.

        Raises
        ------
        DataError
            A record lacks what the bundle reads; `run` and `serve` answer such rows with an error.
        """
        return self.predictor.predict([self.read.row(str(i), g) for i, g in enumerate(inputs)])

    @property
    def explains(self) -> bool:
        """Whether `explain` can name words."""
        return self.manifest.kind == "classify" and "decoder" not in self.model.kinds

    def explain(self, given: str | Mapping[str, Any], top: int = 8) -> Explanation:
        """Name the words that decided on one text or record; see `whichlever.runtime.explain`.

        Raises
        ------
        DataError
            The record lacks what the bundle reads.
        """
        from whichlever.runtime.explain import explain

        return explain(self, given, top)
