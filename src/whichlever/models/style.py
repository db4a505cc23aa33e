"""A style profile from a person's own mail and other people's; impostors are never needed."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from whichlever.errors import DataError, MissingExtraError
from whichlever.infer.style import Facts, Linear, StyleProfile
from whichlever.infer.style_features import BINS, Counts, style_batch, style_counts, style_each
from whichlever.infer.style_parts import SENTENCE_WORDS, parts_of, words_of
from whichlever.mail.sentences import sentences
from whichlever.models.payment_words import payment_sentences
from whichlever.progress import Progress, Silent

LEAST = 30
"""Own mails from which a profile is made."""
STRENGTH = 10.0
"""C of the logistic regression; chosen on the authors of one list, in order of time."""
BLOCKS = 3
"""The later half of the own mail, in order of time, is cut into this many blocks; each is scored
by a model that learned from all before it, so that the scores hold the drift of later mail. Models
of less than half of it score lower than the last one does, and would set thresholds too low."""
_MOST_OTHERS = 3_000
_PAYMENTS = 1_500
_OWN_SENTENCES = 4_000
_SENTENCES = 1_000
_SENTENCES_OF_A_MAIL = 20


def train_style(
    person: str,
    own: Sequence[str],
    others: Sequence[str],
    *,
    salt: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> StyleProfile:
    """Learn how a person writes.

    Parameters
    ----------
    person
        Name or address the profile is filed under.
    own
        The own words of mails the person wrote, oldest first; at least `LEAST`.
    others
        The own words of mails of other people of the same company or list, any order; at least as
        many. None of them needs to be an impostor: later impostors are judged unseen.
    salt
        Of the hashes; a fresh secret by default.
    seed
        Of the draw of others and of the simulated payment sentences.

    Raises
    ------
    DataError
        Too few mails.
    MissingExtraError
        scikit-learn is not installed.
    """
    own = [text for text in own if text.strip()]
    others = [text for text in others if text.strip()]
    if len(own) < LEAST:
        raise DataError(f"{person}: {len(own)} mails with own words; a profile needs {LEAST}")
    if len(others) < LEAST:
        raise DataError(f"{len(others)} mails of other people; at least {LEAST} are needed")
    salt = secrets.randbits(63) if salt is None else salt
    rng = np.random.default_rng(seed)
    progress = progress or Silent()
    if len(others) > _MOST_OTHERS:
        others = [others[i] for i in rng.choice(len(others), _MOST_OTHERS, replace=False)]
    with progress.step(f"style of {person}", total=BLOCKS + 2) as bar:
        mine = [style_counts(text, salt) for text in own]
        theirs = style_each(others, salt)
        held = np.zeros(len(theirs), bool)
        held[rng.permutation(len(theirs))[: len(theirs) // 3]] = True
        known = [c for c, out in zip(theirs, held, strict=True) if not out]
        unseen = [c for c, out in zip(theirs, held, strict=True) if out]
        forward: list[tuple[float, float]] = []
        spoken: list[float] = []
        for begin, end in _blocks(len(mine)):
            model = fit_linear(mine[:begin], known)
            scale = _scale(model, unseen)
            for text, counts in zip(own[begin:end], mine[begin:end], strict=True):
                whole, part, by_sentence = _own_scores(model, scale, text, counts, salt)
                forward.append((whole, part))
                spoken += by_sentence
            bar.advance()
        model = fit_linear(mine, known)
        middle, spread = _scale(model, unseen)
        bar.advance()
        payment, asked = _payment(own, salt, seed)
        bar.advance()
    dense = np.array([c.dense for c in mine])
    return StyleProfile(
        Facts(person, len(own), len(others), salt, middle, spread),
        model,
        payment,
        np.array(forward, np.float32),
        np.sort(np.array([(model.score(c) - middle) / spread for c in unseen], np.float32)),
        np.sort(np.array(spoken[-_SENTENCES:], np.float32)),
        asked,
        np.stack([dense.mean(0), dense.std(0)]).astype(np.float32),
    )


def fit_linear(
    mine: Sequence[Counts], theirs: Sequence[Counts], strength: float = STRENGTH
) -> Linear:
    """Logistic regression of hashed counts, classes weighted alike.

    Bins that fewer than two texts have are left out: they would only hold single mails.
    """
    try:
        from sklearn.linear_model import LogisticRegression
    except ImportError:
        raise MissingExtraError("learning a style", "train") from None
    every = [*mine, *theirs]
    bins, where = np.unique(np.concatenate([c.bins for c in every]), return_inverse=True)
    frequency = np.bincount(where)
    kept = frequency >= 2
    bins, idf = bins[kept], np.log((1 + len(every)) / (1 + frequency[kept])) + 1
    matrix = _matrix(every, bins, idf.astype(np.float32))
    target = np.r_[np.ones(len(mine)), np.zeros(len(theirs))]
    fitted = LogisticRegression(
        C=strength, class_weight="balanced", solver="liblinear", random_state=0
    ).fit(matrix, target)
    return Linear(
        bins.astype(np.int32), idf.astype(np.float32), fitted.coef_[0].astype(np.float32),
        float(fitted.intercept_[0]),
    )  # fmt: skip


def _matrix(every: Sequence[Counts], bins: npt.NDArray[Any], idf: npt.NDArray[Any]) -> Any:  # noqa: ANN401
    from scipy.sparse import csr_matrix

    rows: list[npt.NDArray[np.float32]] = []
    columns: list[npt.NDArray[np.intp]] = []
    for counts in every:
        at = np.searchsorted(bins, counts.bins)
        at[at == len(bins)] = 0
        known = bins[at] == counts.bins
        place = at[known]
        values = counts.values[known] * idf[place]
        first = counts.bins[known] < BINS
        for block in (first, ~first):
            size = np.sqrt(np.sum(values[block] ** 2))
            values[block] /= size if size > 0 else 1.0
        rows.append(values)
        columns.append(place)
    starts = np.r_[0, np.cumsum([len(r) for r in rows])]
    shape = (len(every), len(bins))
    return csr_matrix((np.concatenate(rows), np.concatenate(columns), starts), shape=shape)


def _blocks(count: int) -> list[tuple[int, int]]:
    edges = np.linspace(count // 2, count, BLOCKS + 1).astype(int).tolist()
    return list(pairwise(edges))


def _own_scores(
    model: Linear, scale: tuple[float, float], text: str, counts: Counts, salt: int
) -> tuple[float, float, list[float]]:
    """One own mail's scores: whole, weakest part (nan without parts), and each long sentence."""
    middle, spread = scale
    spans = sentences(text)
    parts = parts_of(text, spans)
    spoken = [
        (a, b) for a, b in spans[:_SENTENCES_OF_A_MAIL] if words_of(text[a:b]) >= SENTENCE_WORDS
    ]
    whole = (model.score(counts) - middle) / spread
    if not parts and not spoken:
        return whole, float("nan"), []
    batch = style_batch([text[a:b] for a, b in (*parts, *spoken)], salt)
    scores = ((model.scores(batch) - middle) / spread).tolist()
    return whole, min(scores[: len(parts)], default=float("nan")), scores[len(parts) :]


def _scale(model: Linear, unseen: Sequence[Counts]) -> tuple[float, float]:
    scores = np.array([model.score(c) for c in unseen])
    return float(scores.mean()), float(max(scores.std(), 1e-6))


def _payment(own: Sequence[str], salt: int, seed: int) -> tuple[Linear, npt.NDArray[np.float32]]:
    """Sentences that ask for money against the person's own, and the own mails' highest scores.

    The own mails' scores come from a model that had not seen the mail: two halves, each judged by
    the model of the other.
    """
    asking = style_each(payment_sentences(_PAYMENTS, seed), salt)
    spoken = [[text[a:b] for a, b in sentences(text)] for text in own]
    hashed = [style_each(mail[:50], salt) for mail in spoken]
    highest = np.zeros(len(own), np.float32)
    for half in (0, 1):
        learned = [c for mail in hashed[half::2] for c in mail][:_OWN_SENTENCES]
        model = fit_linear(asking, learned, 1.0)
        for at in range(1 - half, len(own), 2):
            highest[at] = max((model.score(c) for c in hashed[at]), default=-10.0)
    every = [c for mail in hashed for c in mail][-_OWN_SENTENCES:]
    return fit_linear(asking, every, 1.0), np.sort(highest)
