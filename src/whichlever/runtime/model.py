"""A bundle's model in memory: text in, calibrated probabilities out."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass, replace

from whichlever.bundle import Opened
from whichlever.bundle.format import Guard, Manifest, Part, PartKind
from whichlever.calibrate import Temperature
from whichlever.errors import BundleError, WhichleverError
from whichlever.predict import Prediction, Predictor, Row

BATCH = 256
"""Rows that a file's rows are answered in at once: rows 0 to 255, 256 to 511, and so on.

A row's probabilities can differ in their last digits with the rows that it is answered together
with. Measured on 300 vulnerability descriptions of 427 classes, alone, by 37 and all at once: a
linear model and a static one without a head gave a row the same bits whatever its companions; a
static model with a head differed by up to 1e-6 (the shape of a matrix product decides the order of
its sums), an encoder by 3e-7 (that, and padding). So whoever promises equal bytes for equal files
calls `Model.predict` with the rows at offsets that are multiples of this, never with those that
happened to be there; and on one machine, since other processors add in another order.
"""

PROBE = "Failed password for root from 192.0.2.7 port 22 (try 3 of 5)"
"""A text made up, which every part is asked about when it is loaded."""


@dataclass(frozen=True)
class Model:
    """What a bundle answers with; it is a `Predictor`.

    Attributes
    ----------
    parts, kinds, weights
        Each part, its kind, and its weight in the pool.
    labels
        The order of scores.
    temperature
        What calibrated the scores; None where nothing did.
    predictor
        All of it together.
    pooled
        Whether the parts' log-probabilities are pooled by their weights.
    """

    parts: tuple[Predictor, ...]
    kinds: tuple[PartKind, ...]
    weights: tuple[float, ...]
    labels: tuple[str, ...]
    temperature: Temperature | None
    predictor: Predictor
    pooled: bool = False

    def predict(self, rows: Sequence[Row]) -> list[Prediction]:
        """Answer each row, calibrated; ``handed`` and no label where a person is to decide."""
        return self.predictor.predict(rows)


def load_model(opened: Opened, threads: int = 1) -> Model:
    """The model that a verified bundle holds, from its bytes.

    Raises
    ------
    BundleError
        A part's files are damaged, or do not fit the bundle's labels.
    MissingExtraError
        An encoder is inside and onnxruntime is not installed.
    """
    manifest = opened.manifest
    parts: list[Predictor] = []
    for part in manifest.parts:
        try:
            parts.append(_part(opened, part, threads))
            _probe(parts[-1], len(manifest.labels))
        except WhichleverError:
            raise
        except BaseException as error:
            # onnxruntime, tokenizers and safetensors raise their own kinds; a panic in Rust is none
            # of Python's exceptions.
            if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
                raise
            said = str(error).splitlines()[0][:300] if str(error) else type(error).__name__
            raise BundleError(f"{opened.name}: model/{part.name}: {said}") from error
    weights = tuple(p.weight for p in manifest.parts)
    predictor = parts[0]
    pooled = len(parts) > 1 or manifest.pooled
    if pooled:
        from whichlever.infer.joined import JoinedPredictor

        predictor = JoinedPredictor(parts, weights, manifest.labels)
    if manifest.guard is not None:
        predictor = _guarded(predictor, manifest, manifest.guard)
    temperature = None if manifest.temperature is None else Temperature(manifest.temperature)
    return Model(
        tuple(parts),
        tuple(p.kind for p in manifest.parts),
        weights,
        manifest.labels,
        temperature,
        _finished(predictor, manifest, temperature),
        pooled,
    )


def _probe(part: Predictor, labels: int) -> None:
    """Ask once, so that a part that cannot answer is refused now and not at the first row.

    Raises
    ------
    ValueError
        Its answer is not a probability for every label.
    """
    (answer,) = part.predict([Row("", PROBE)])
    scores = answer.scores
    if not labels:  # it writes, and has written something or nothing
        return
    if scores is None or scores.shape != (labels,) or not abs(float(scores.sum()) - 1) < 1e-3:
        raise ValueError(f"it does not answer with a probability for each of {labels} labels")


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

        static = StaticModel.from_bytes(content("static.safetensors"))
        if len(static.bias) != len(labels):
            raise ValueError(f"it has {len(static.bias)} classes, the bundle {len(labels)} labels")
        return StaticPredictor(static, labels)
    if part.kind == "decoder":
        from whichlever.infer.decoder import DecoderFacts, DecoderPredictor

        assert part.max_tokens is not None
        facts = DecoderFacts.model_validate_json(content("decoder.json"))
        return DecoderPredictor(
            content("model.gguf"), content("tokenizer.json").decode(), facts, part.max_tokens,
            labels, threads,
        )  # fmt: skip
    from whichlever.infer.encoder import EncoderPredictor
    from whichlever.infer.onnx_graph import check_onnx

    assert part.max_tokens is not None
    check_onnx(content("encoder.onnx"))
    return EncoderPredictor(
        content("encoder.onnx"),
        content("tokenizer.json").decode(),
        labels,
        part.max_tokens,
        threads,
    )


def _finished(
    predictor: Predictor, manifest: Manifest, temperature: Temperature | None
) -> Predictor:
    if manifest.handing is not None:
        import numpy as np

        from whichlever.infer.hybrid import HybridPredictor

        given = manifest.handing
        costs = None if given.costs is None else np.array(given.costs, np.float64)
        return HybridPredictor(
            predictor, None, manifest.labels, given.threshold, costs, temperature
        )
    return predictor if temperature is None else _Tempered(predictor, temperature)


def _guarded(predictor: Predictor, manifest: Manifest, given: Guard) -> Predictor:
    from whichlever.infer.guard import GuardedPredictor
    from whichlever.infer.guard_novelty import Novelty

    novelty = None
    if given.novelty is not None:
        try:
            novelty = Novelty(base64.b64decode(given.novelty, validate=True), given.novelty_limit)
        except binascii.Error as error:
            raise BundleError(f"the guard's words are damaged ({error})") from error
    return GuardedPredictor(
        predictor, manifest.labels, given.closes, given.least, given.floor, given.views,
        given.trusted_floor, manifest.reader.untrusted, given.one_form, novelty,
    )  # fmt: skip


class _Tempered:
    def __init__(self, predictor: Predictor, temperature: Temperature) -> None:
        self._predictor, self._temperature = predictor, temperature

    def predict(self, rows: Sequence[Row]) -> list[Prediction]:
        return [
            p if p.scores is None else replace(p, scores=self._temperature.apply(p.scores))
            for p in self._predictor.predict(rows)
        ]
