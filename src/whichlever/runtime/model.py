"""A bundle's model in memory: text in, calibrated probabilities out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from whichlever.bundle import Opened
from whichlever.bundle.format import Manifest, Part
from whichlever.calibrate import Temperature
from whichlever.errors import BundleError
from whichlever.predict import Prediction, Predictor, Row


def load_model(opened: Opened, threads: int = 1) -> Predictor:
    """The predictor that a verified bundle holds, from its bytes.

    Scores are calibrated. A row that the bundle hands to a person comes back with status
    ``handed`` and no label.

    Raises
    ------
    BundleError
        A part's files are damaged.
    """
    manifest = opened.manifest
    parts: list[Predictor] = []
    for part in manifest.parts:
        try:
            parts.append(_part(opened, part, threads))
        except (ValueError, KeyError, TypeError, RuntimeError) as error:
            raise BundleError(f"{opened.name}: model/{part.name}: {error}") from error
    predictor = parts[0]
    if len(parts) > 1 or manifest.pooled:
        from whichlever.infer.joined import JoinedPredictor

        predictor = JoinedPredictor(parts, [p.weight for p in manifest.parts], manifest.labels)
    return _finished(predictor, manifest)


def _part(opened: Opened, part: Part, threads: int) -> Predictor:
    def content(name: str) -> bytes:
        return opened.files[f"model/{part.name}/{name}"]

    labels = opened.manifest.labels
    if part.kind == "linear":
        from whichlever.infer.linear import LinearModel

        model = LinearModel.from_bytes(content("model.json"), content("arrays.npz"))
        if model.labels != labels:
            raise ValueError("its labels are not the bundle's")
        return model
    if part.kind == "static":
        from whichlever.infer.static import StaticModel, StaticPredictor

        return StaticPredictor(StaticModel.from_bytes(content("static.safetensors")), labels)
    from whichlever.infer.encoder import EncoderPredictor

    assert part.max_tokens is not None
    return EncoderPredictor(
        content("encoder.onnx"),
        content("tokenizer.json").decode(),
        labels,
        part.max_tokens,
        threads,
    )


def _finished(predictor: Predictor, manifest: Manifest) -> Predictor:
    temperature = None if manifest.temperature is None else Temperature(manifest.temperature)
    if manifest.handing is not None:
        import numpy as np

        from whichlever.infer.hybrid import HybridPredictor

        given = manifest.handing
        costs = None if given.costs is None else np.array(given.costs, np.float64)
        return HybridPredictor(
            predictor, None, manifest.labels, given.threshold, costs, temperature
        )
    return predictor if temperature is None else _Tempered(predictor, temperature)


class _Tempered:
    def __init__(self, predictor: Predictor, temperature: Temperature) -> None:
        self._predictor, self._temperature = predictor, temperature

    def predict(self, rows: Sequence[Row]) -> list[Prediction]:
        return [
            p if p.scores is None else replace(p, scores=self._temperature.apply(p.scores))
            for p in self._predictor.predict(rows)
        ]
