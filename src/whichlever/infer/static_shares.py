"""What each word of a text adds to a static model's answer, exactly."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from whichlever.infer.static import StaticModel, pair_buckets
from whichlever.infer.units import Units

Floats = npt.NDArray[np.float64]


def static_shares(model: StaticModel, units: Units, label: int, other: int) -> tuple[Floats, float]:
    """Each unit's part in the log-odds of one label against another, and what no word adds.

    A pair's contribution is shared between its two tokens. The number of tokens, by whose power
    sums are divided, is taken as it is.

    Parameters
    ----------
    label, other
        Index into the classes.

    Returns
    -------
    shares, rest
        Shape (units,); ``shares.sum() + rest`` is log p(label) − log p(other).
    """
    shares = np.zeros(len(units))
    rest = float(model.bias[label] - model.bias[other])
    # One character for one, so that offsets hold where half a surrogate pair is replaced.
    clean = units.text.encode("utf-8", "replace").decode()
    encoded = _tokenizer(model.tokenizer).encode(clean, add_special_tokens=False)
    ids = np.array(encoded.ids, np.int64)
    if not len(ids) or not len(units):
        return shares, rest
    start = np.array([first for first, _ in encoded.offsets], np.int64)
    owner = units.of[np.minimum(start, len(units.text) - 1)]
    scale = float(np.float32(len(ids)) ** np.float32(model.power))
    np.add.at(shares, owner, _side(model, model.tokens[ids], label, other) / scale)
    if model.pairs is not None and len(ids) > 1:
        bucket = pair_buckets(ids[:-1], ids[1:], len(model.pairs))
        half = _side(model, model.pairs[bucket], label, other) / scale / 2
        np.add.at(shares, owner[:-1], half)
        np.add.at(shares, owner[1:], half)
    return shares, rest


@lru_cache(maxsize=4)
def _tokenizer(said: str) -> Any:  # noqa: ANN401 - a tokenizers.Tokenizer
    """Reading one takes far longer than explaining a row."""
    from tokenizers import Tokenizer

    made = Tokenizer.from_str(said)
    made.no_truncation()
    made.no_padding()
    return made


def _side(model: StaticModel, sums: npt.NDArray[np.float32], label: int, other: int) -> Floats:
    """What vectors add to one class less what they add to the other."""
    wide = sums.astype(np.float64)
    if model.head is None:
        return np.asarray(wide[:, label] - wide[:, other])
    head = model.head.astype(np.float64)
    return np.asarray(wide @ (head[:, label] - head[:, other]))
