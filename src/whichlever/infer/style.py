"""Did they write this? A person's style profile, and what it says of a text; numpy only."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from whichlever.errors import BundleError
from whichlever.infer.arrays import read_arrays
from whichlever.infer.style_features import (
    BINS,
    HABITS,
    Batch,
    Counts,
    style_batch,
    style_counts,
)
from whichlever.infer.style_parts import parts_of

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

FORMAT = 2
_LEAST_PARTS = 6
"""Own mails with parts from which parts count: their mean and spread must be known."""


@dataclass(frozen=True)
class Linear:
    """Weights over hashed counts.

    ``bins`` are the kept bins, ascending; ``idf`` their inverse document frequency; each of the two
    blocks (characters, word shapes) is brought to unit length before ``weights`` (bins,) meet it.
    """

    bins: npt.NDArray[np.int32]
    idf: Floats
    weights: Floats
    bias: float

    def score(self, counts: Counts) -> float:
        """The log-odds of the text being the person's, before it is put on a common scale."""
        one = np.zeros(len(counts.bins), np.int64)
        batch = Batch(counts.bins, counts.values, one, 1, np.array([counts.words]))
        return float(self.scores(batch)[0])

    def scores(self, batch: Batch) -> Doubles:
        """`score` of each text of a batch, shape (count,)."""
        at = np.searchsorted(self.bins, batch.bins)
        at[at == len(self.bins)] = 0
        known = self.bins[at] == batch.bins if len(self.bins) else np.zeros(len(at), bool)
        place = at[known]
        values = (batch.values[known] * self.idf[place]).astype(np.float64)
        key = 2 * batch.text[known] + (batch.bins[known] < BINS)
        size = np.sqrt(np.bincount(key, values**2, 2 * batch.count))
        found = np.bincount(key, values * self.weights[place], 2 * batch.count)
        found = np.divide(found, size, out=np.zeros_like(found), where=size > 0)
        return np.asarray(self.bias + found.reshape(-1, 2).sum(axis=1))


@dataclass(frozen=True)
class Facts:
    """What a profile says of itself; no word of any mail.

    ``middle`` and ``spread`` put scores on a common scale: mean and standard deviation over other
    people's mail that the model had not seen.
    """

    person: str
    mails: int
    others: int
    salt: int
    middle: float
    spread: float
    min_words: int = 25
    format: int = FORMAT


@dataclass(frozen=True)
class StyleProfile:
    """A person's style: the model, and how the person's own and others' mail scored.

    ``own`` are scores of own mail by models that had only seen earlier mail, oldest first, shape
    (n, 2): of the whole mail, and of its weakest part (nan where it has none). ``foreign`` are
    those of others' unseen whole mails, ``own_sentences`` those of sentences of own mail, both
    ascending; all in units of ``spread``. ``payment`` scores sentences for asking for money;
    ``own_payment`` are the own mails' highest sentence scores, ascending. ``habits`` is (mean,
    standard deviation) of each habit over own mail, shape (2, len(HABITS)).
    """

    facts: Facts
    model: Linear
    payment: Linear
    own: Floats
    foreign: Floats
    own_sentences: Floats
    own_payment: Floats
    habits: Floats

    def score(self, text: str) -> float:
        """How much a text is like the person's, in standard deviations of others' mail."""
        return float(self.scores([text])[0])

    def scores(self, texts: Sequence[str]) -> Doubles:
        """`score` of each text, shape (n,)."""
        return self.score_batch(style_batch(texts, self.facts.salt))

    def score_batch(self, batch: Batch) -> Doubles:
        """As `scores`, of counts."""
        return (self.model.scores(batch) - self.facts.middle) / self.facts.spread

    def counts(self, text: str) -> Counts:
        """The text's counts, hashed with the profile's salt."""
        return style_counts(text, self.facts.salt)

    def score_counts(self, counts: Counts) -> float:
        """As `score`, of counts."""
        return (self.model.score(counts) - self.facts.middle) / self.facts.spread

    def weakest(
        self, text: str, sentences: Sequence[tuple[int, int]]
    ) -> tuple[float, tuple[int, int] | None]:
        """The score of the part least like the person's, and where it is; nan without parts."""
        spans = parts_of(text, sentences)
        if not spans:
            return float("nan"), None
        scores = self.scores([text[a:b] for a, b in spans])
        least = int(np.argmin(scores))
        return float(scores[least]), spans[least]

    def strangeness(self, whole: float, part: float = float("nan")) -> float:
        """How far a mail is below the person's own: the further of the whole's and the part's.

        In standard deviations of the own scores; a mail without parts has its whole alone.
        """
        return float(_strange(self.own, np.array([[whole, part]]))[0])

    def own_share(self, whole: float, part: float = float("nan")) -> float:
        """Share of the person's own mail that is as strange: a p-value of being theirs.

        The j-th strangest of n own mails is at j / (n + 1), which is what holds on average for
        mail alike (Weibull 1939), with straight lines between; a step function would flag up to a
        whole mail less than was asked for. Beyond the strangest the share falls off as the
        strangest tenth does, exponentially, so that thirty mails suffice for 5 %.
        """
        own = np.sort(_strange(self.own, self.own))[::-1]
        return _tail_share(own, self.strangeness(whole, part))

    def foreign_share(self, score: float) -> float:
        """Conformal p-value of being somebody else's: (1 + others' scores ≥ this) / (n + 1)."""
        above = len(self.foreign) - int(np.searchsorted(self.foreign, score, side="left"))
        return (1 + above) / (len(self.foreign) + 1)

    def sentence_share(self, score: float) -> float:
        """Share of the person's own sentences that are as unlike them: (1 + below) / (n + 1)."""
        below = int(np.searchsorted(self.own_sentences, score, side="right"))
        return (1 + below) / (len(self.own_sentences) + 1)

    def asks(self, sentence: str) -> float:
        """Log-odds of a sentence asking for a payment, against the person's own sentences."""
        return float(self.payment.scores(style_batch([sentence], self.facts.salt))[0])

    def by_sentence(self, spoken: Sequence[str]) -> tuple[Doubles, Doubles]:
        """`score` and `asks` of each sentence, each of shape (n,)."""
        if not spoken:
            return np.zeros(0), np.zeros(0)
        batch = style_batch(spoken, self.facts.salt)
        return self.score_batch(batch), self.payment.scores(batch)

    def payment_share(self, score: float) -> float:
        """Share of own mails with a sentence that asks as much: the person's own payment mail."""
        above = len(self.own_payment) - int(np.searchsorted(self.own_payment, score, side="left"))
        return (1 + above) / (len(self.own_payment) + 1)

    def broken_habits(self, counts: Counts, most: int = 3) -> list[tuple[str, float, float]]:
        """Habits of this text furthest from the person's: (habit, here, usually).

        Only those at least 2.5 standard deviations away.
        """
        usual, spread = self.habits
        away = np.abs(counts.dense - usual) / np.maximum(spread, 0.05)
        order = np.argsort(-away, kind="stable")[:most]
        return [
            (HABITS[i], float(counts.dense[i]), float(usual[i])) for i in order if away[i] >= 2.5
        ]

    def to_bytes(self) -> bytes:
        """As stored: arrays and facts, nothing else."""
        said = json.dumps(asdict(self.facts), sort_keys=True).encode()
        out = io.BytesIO()
        arrays: dict[str, Any] = {
            "facts": np.frombuffer(said, np.uint8),
            "own": self.own,
            "foreign": self.foreign,
            "own_sentences": self.own_sentences,
            "own_payment": self.own_payment,
            "habits": self.habits,
            **_named("model", self.model),
            **_named("payment", self.payment),
        }
        np.savez(out, **arrays)
        return out.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> StyleProfile:
        """Read a stored profile.

        Raises
        ------
        BundleError
            It is damaged, or of a newer format.
        """
        try:
            arrays = read_arrays(content)
            said = json.loads(arrays["facts"].tobytes())
            if said.get("format", 0) != FORMAT:
                remedy = "update whichlever" if said.get("format", 0) > FORMAT else "enrol again"
                raise BundleError(f"a profile of format {said.get('format')}: {remedy}")
            facts = Facts(**said)
            profile = cls(
                facts, _linear(arrays, "model"), _linear(arrays, "payment"),
                arrays["own"].astype(np.float32), arrays["foreign"].astype(np.float32),
                arrays["own_sentences"].astype(np.float32),
                arrays["own_payment"].astype(np.float32), arrays["habits"].astype(np.float32),
            )  # fmt: skip
        except BundleError:
            raise
        except Exception as error:  # zipfile, json, numpy and missing names raise their own kinds
            raise BundleError(f"no readable style profile ({error})") from error
        if profile.habits.shape != (2, len(HABITS)):
            raise BundleError("a style profile whose habits are not this version's")
        if profile.own.ndim != 2 or profile.own.shape[1] != 2 or not len(profile.own):
            raise BundleError("a style profile without scores of own mail")
        return profile


def _strange(own: Floats, scores: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """`StyleProfile.strangeness` of many, shape (n, 2) to (n,)."""
    whole, part = own[:, 0].astype(np.float64), own[:, 1].astype(np.float64)
    part = part[~np.isnan(part)]
    far = (whole.mean() - scores[:, 0]) / max(float(whole.std()), 1e-6)
    if len(part) < _LEAST_PARTS:
        return np.asarray(far)
    also = (part.mean() - scores[:, 1]) / max(float(part.std()), 1e-6)
    return np.asarray(np.fmax(far, also))


def _tail_share(own: npt.NDArray[np.float64], strange: float) -> float:
    """`StyleProfile.own_share` by own strangeness, descending."""
    n = len(own)
    if strange > own[0]:
        tenth = max(2, n // 10)
        scale = float(own[0] - own[min(tenth, n) - 1]) / np.log(tenth)
        return float(np.exp(-(strange - own[0]) / max(scale, 1e-6))) / (n + 1)
    places = np.arange(1, n + 1)[::-1] / (n + 1)
    at = float(np.interp(strange, own[::-1], places))
    return 1.0 if strange < own[-1] else at


def _named(name: str, model: Linear) -> dict[str, npt.NDArray[np.generic]]:
    return {
        f"{name}_bins": model.bins, f"{name}_idf": model.idf, f"{name}_weights": model.weights,
        f"{name}_bias": np.array([model.bias], np.float64),
    }  # fmt: skip


def _linear(arrays: dict[str, npt.NDArray[np.generic]], name: str) -> Linear:
    bins = np.asarray(arrays[f"{name}_bins"], np.int32)
    idf = np.asarray(arrays[f"{name}_idf"], np.float32)
    weights = np.asarray(arrays[f"{name}_weights"], np.float32)
    if not len(bins) == len(idf) == len(weights):
        raise ValueError(f"{name}: arrays of different lengths")
    return Linear(bins, idf, weights, float(arrays[f"{name}_bias"][0]))


def distances(profile: StyleProfile, texts: Sequence[str]) -> Floats:
    """Scores of many texts, shape (n,)."""
    return np.array([profile.score(text) for text in texts], np.float32)
