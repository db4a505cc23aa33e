"""Which words decided: signed contributions to the answered label against the runner-up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from whichlever.errors import DataError
from whichlever.infer.left_out import left_out_shares, log_odds
from whichlever.infer.units import Units
from whichlever.predict import Predictor, Row
from whichlever.runtime.model import Model

if TYPE_CHECKING:
    from whichlever.runtime.bundle import Bundle

TOP = 8

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Said:
    """One word, or one run of signs, that spoke for or against the answer.

    Attributes
    ----------
    text
        As it stands first in the text.
    weight
        Natural log-odds that it adds to the label against the runner-up, at all its places
        together; negative speaks against the label.
    at
        Its places: half-open code-point offsets into the text that the model read.
    """

    text: str
    weight: float
    at: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Explanation:
    """Why a text got its label.

    Attributes
    ----------
    label, against
        The most probable label and the runner-up.
    log_odds
        Logarithm of p(label) / p(against), calibrated.
    rest
        What no word adds (how frequent a label is); with every word's weight it sums to
        ``log_odds`` where ``exact``.
    exact
        True where contributions are the model's own terms (linear, static); False where words
        were left out and the model was asked again (encoder), which does not sum up.
    said
        What weighs most, strongest first.
    """

    label: str
    against: str
    log_odds: float
    rest: float
    exact: bool
    said: tuple[Said, ...]

    def as_json(self) -> dict[str, Any]:
        """As an output line holds it."""
        return {
            "against": self.against,
            "exact": self.exact,
            "tokens": [
                {"text": s.text, "weight": round(s.weight, 4), "at": [list(a) for a in s.at]}
                for s in self.said
            ],
        }


def explain(bundle: Bundle, given: str | Mapping[str, Any], top: int = TOP) -> Explanation:
    """Name the words that decided.

    Parameters
    ----------
    bundle
        An open bundle.
    given
        A text as the model reads it, or a record, which is rendered first.
    top
        Words at most.

    Raises
    ------
    DataError
        The record has no text.
    """
    model = bundle.model
    if not isinstance(model, Model):
        raise DataError("fields explain themselves: spans say which piece each was copied from")
    if "decoder" in model.kinds:
        raise DataError("a decoder names no words: it would be asked again for each of them")
    text = given if isinstance(given, str) else bundle.read.text(given)
    (answer,) = model.predict([Row("", text)])
    assert answer.scores is not None  # every kind of part gives scores
    label, other = np.argsort(-answer.scores, kind="stable")[:2].tolist()
    units = Units.cut(text)
    shares, rest = np.zeros(len(units)), 0.0
    pooled = model.pooled
    for part, kind, weight in zip(model.parts, model.kinds, model.weights, strict=True):
        found, more = _shares(part, kind, units, label, other)
        share = weight / sum(model.weights) if pooled else 1.0
        shares, rest = shares + share * found, rest + share * more
    cool = 1.0 if model.temperature is None else model.temperature.value
    return Explanation(
        model.labels[label],
        model.labels[other],
        float(log_odds(answer.scores[np.newaxis], label, other)[0]),
        rest / cool,
        "encoder" not in model.kinds,
        _strongest(units, shares / cool, top),
    )


def _shares(
    part: Predictor, kind: str, units: Units, label: int, other: int
) -> tuple[Floats, float]:
    if kind == "linear":
        from whichlever.infer.linear import LinearModel
        from whichlever.infer.linear_shares import linear_shares

        assert isinstance(part, LinearModel)
        return linear_shares(part, units, label, other)
    if kind == "static":
        from whichlever.infer.static import StaticPredictor
        from whichlever.infer.static_shares import static_shares

        assert isinstance(part, StaticPredictor)
        return static_shares(part.model, units, label, other)
    return left_out_shares(part, units, label, other)


def _strongest(units: Units, shares: Floats, top: int) -> tuple[Said, ...]:
    """The units that weigh most; the same word at several places is one."""
    places: dict[str, list[int]] = {}
    for i in range(len(units)):
        places.setdefault(units[i].casefold(), []).append(i)
    summed = sorted(
        ((float(shares[at].sum()), at) for at in places.values()), key=lambda s: -abs(s[0])
    )
    return tuple(
        Said(
            units[at[0]],
            weight,
            tuple((int(units.starts[i]), int(units.ends[i])) for i in at),
        )
        for weight, at in summed[:top]
        if weight
    )
