"""Predict with a trained encoder: onnxruntime, tokenizers and numpy only, no torch."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from whichlever.errors import BundleError, MissingExtraError
from whichlever.infer.encoder_text import Encoded, EncoderText, by_length, padded
from whichlever.infer.onnx_runtime import onnxruntime
from whichlever.predict import Prediction, Row, Usage

Floats = npt.NDArray[np.float32]

TOKEN_BUDGET = 4096
"""Tokens in one batch, padding included."""


class EncoderClassifier:
    """Answers texts with an encoder's ONNX file.

    Parameters
    ----------
    onnx : Path or bytes
        The file or its content. Inputs ``input_ids`` and ``attention_mask`` (rows, tokens);
        output ``logits`` (rows, classes).
    tokenizer_json : str
    max_tokens : int
        Longer texts lose their middle; `read` says which.
    threads : int
        Cores that one batch may use.
    """

    def __init__(
        self, onnx: Path | bytes, tokenizer_json: str, max_tokens: int, threads: int = 1
    ) -> None:
        try:
            ort = onnxruntime()
        except ImportError:
            raise MissingExtraError("answering with an encoder", "train") from None
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.add_session_config_entry("session.load_model_format", "ONNX")
        self._session = ort.InferenceSession(
            onnx if isinstance(onnx, bytes) else str(onnx),
            options,
            providers=["CPUExecutionProvider"],
        )
        self._text = EncoderText(tokenizer_json, max_tokens)

    @property
    def classes(self) -> int | None:
        """Classes that the file's output has; None where the file does not say."""
        shape = self._session.get_outputs()[0].shape
        return shape[-1] if len(shape) == 2 and isinstance(shape[-1], int) else None

    def read(self, texts: Sequence[str]) -> Encoded:
        """Token ids of texts as the network will see them, and how many each text has."""
        return self._text.encode(texts)

    def logits(self, encoded: Encoded) -> Floats:
        """Score of each class before the softmax, shape (n, classes)."""
        out: Floats | None = None
        for rows in by_length(encoded.lengths, TOKEN_BUDGET):
            ids, mask = padded([encoded.ids[i] for i in rows.tolist()])
            try:
                (logits,) = self._session.run(None, {"input_ids": ids, "attention_mask": mask})
            except Exception as error:  # onnxruntime's kinds have no common base of their own
                said = str(error).splitlines()[0][:300] if str(error) else type(error).__name__
                raise BundleError(f"the encoder's network cannot answer: {said}") from error
            if out is None:
                out = np.empty((len(encoded.ids), logits.shape[1]), np.float32)
            out[rows] = logits
        if out is None:
            raise ValueError("no texts")
        return out

    def probabilities(self, encoded: Encoded) -> Floats:
        """Probability of each class, shape (n, classes)."""
        logits = self.logits(encoded)
        logits -= logits.max(axis=1, keepdims=True)
        np.exp(logits, out=logits)
        logits /= logits.sum(axis=1, keepdims=True)
        return logits


class EncoderPredictor:
    """Answers rows through onnxruntime, in batches of like length."""

    def __init__(
        self,
        onnx: Path | bytes,
        tokenizer_json: str,
        labels: Sequence[str],
        max_tokens: int,
        threads: int = 1,
    ) -> None:
        self._classifier = EncoderClassifier(onnx, tokenizer_json, max_tokens, threads)
        self._labels = tuple(labels)
        if (classes := self._classifier.classes) not in (None, len(self._labels)):
            raise ValueError(f"it has {classes} classes for {len(self._labels)} labels")

    def predict(self, rows: Sequence[Row]) -> list[Prediction]:
        """Answer each row; where a text was longer than the window, ``error`` says so."""
        if not rows:
            return []
        began = time.perf_counter()
        read = self._classifier.read([row.text for row in rows])
        scores = self._classifier.probabilities(read)
        best = scores.argmax(axis=1).tolist()
        usage = Usage(seconds=(time.perf_counter() - began) / len(rows))
        notes = map(_note, read.lengths.tolist(), read.full_lengths.tolist())
        return [
            Prediction(row.id, self._labels[b], s, error=note, usage=usage)
            for row, b, s, note in zip(rows, best, scores, notes, strict=True)
        ]


def _note(window: int, tokens: int) -> str | None:
    """What of a text was read, where that is not all of it."""
    return f"read {window} of {tokens} tokens (head and tail)" if tokens > window else None
