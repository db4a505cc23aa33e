"""A profile's thresholds from newer own mail: the model stays, what is usual moves with time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from whichlever.errors import DataError
from whichlever.infer.style import StyleProfile
from whichlever.infer.style_parts import SENTENCE_WORDS, words_of
from whichlever.mail.sentences import sentences

LEAST_NEW = 10
"""Newer own mails from which thresholds move."""
_SENTENCES = 1_000
_SENTENCES_OF_A_MAIL = 20


def recalibrate(profile: StyleProfile, texts: Sequence[str]) -> StyleProfile:
    """Take newer own mail into the thresholds; what was known of older mail is kept beside it.

    The model is not changed: the new mails are unseen by it, so their scores are what later mail
    will score. Thresholds moved by mail that somebody else wrote would let them in: only mail that
    is known to be the person's may be given.

    Parameters
    ----------
    texts
        The own words of newer mails of theirs, oldest first; those too short to be judged are
        left out.

    Raises
    ------
    DataError
        Fewer than `LEAST_NEW` are long enough.
    """
    scores: list[tuple[float, float]] = []
    spoken: list[float] = []
    asked: list[float] = []
    for text in texts:
        counts = profile.counts(text)
        if counts.words < profile.facts.min_words:
            continue
        spans = sentences(text)
        part, _ = profile.weakest(text, spans)
        styles, asks = profile.by_sentence([text[a:b] for a, b in spans])
        scores.append((profile.score_counts(counts), part))
        asked.append(float(asks.max()) if len(asks) else -10.0)
        spoken += [
            float(style)
            for style, (a, b) in list(zip(styles, spans, strict=True))[:_SENTENCES_OF_A_MAIL]
            if words_of(text[a:b]) >= SENTENCE_WORDS
        ]
    if len(scores) < LEAST_NEW:
        raise DataError(
            f"{profile.facts.person}: {len(scores)} newer mails of {profile.facts.min_words} words "
            f"or more; thresholds move from {LEAST_NEW} on"
        )
    kept = profile.own_sentences
    if len(kept) + len(spoken) > _SENTENCES:  # evenly over those known, which are sorted
        rest = max(_SENTENCES - len(spoken), 0)
        kept = kept[np.linspace(0, len(kept) - 1, rest).astype(int)] if rest else kept[:0]
        spoken = spoken[-_SENTENCES:]
    return replace(
        profile,
        own=np.concatenate((profile.own, np.array(scores, np.float32))),
        own_sentences=np.sort(np.concatenate((kept, np.array(spoken, np.float32)))),
        own_payment=np.sort(np.concatenate((profile.own_payment, np.array(asked, np.float32)))),
    )
