"""Predict with a trained encoder: onnxruntime, tokenizers and numpy only, no torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from whichlever.errors import MissingExtraError
from whichlever.models.encoder_text import Encoded, EncoderText, by_length, padded

Floats = npt.NDArray[np.float32]

TOKEN_BUDGET = 4096
"""Tokens in one batch, padding included."""


class EncoderClassifier:
    """Answers texts with an encoder's ONNX file.

    Parameters
    ----------
    onnx : Path
        Inputs ``input_ids`` and ``attention_mask`` (rows, tokens); output ``logits``
        (rows, classes).
    tokenizer_json : str
    max_tokens : int
        Longer texts lose their middle; `read` says which.
    threads : int
        Cores that one batch may use.
    """

    def __init__(self, onnx: Path, tokenizer_json: str, max_tokens: int, threads: int = 1) -> None:
        try:
            import onnxruntime as ort
        except ImportError:
            raise MissingExtraError("answering with an encoder", "train") from None
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = ort.InferenceSession(str(onnx), options, providers=["CPUExecutionProvider"])
        self._text = EncoderText(tokenizer_json, max_tokens)

    def read(self, texts: Sequence[str]) -> Encoded:
        """Token ids of texts as the network will see them, and how many each text has."""
        return self._text.encode(texts)

    def logits(self, encoded: Encoded) -> Floats:
        """Score of each class before the softmax, shape (n, classes)."""
        out: Floats | None = None
        for rows in by_length(encoded.lengths, TOKEN_BUDGET):
            ids, mask = padded([encoded.ids[i] for i in rows.tolist()])
            (logits,) = self._session.run(None, {"input_ids": ids, "attention_mask": mask})
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
