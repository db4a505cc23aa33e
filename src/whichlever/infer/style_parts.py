"""Where in a mail the style breaks: its two parts at every cut, and single sentences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

PART_WORDS = 20
"""Words that each of the two parts of a mail must have."""
MOST_CUTS = 6
"""Cuts tried, evenly over those there are: twelve parts are counted at most."""
SENTENCE_WORDS = 8
"""Words from which a sentence has a style score of its own."""


def words_of(text: str) -> int:
    """Words between spaces, the cheap count."""
    return len(text.split())


def parts_of(text: str, sentences: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The parts before and after each cut between two sentences, at most ``2 * MOST_CUTS``.

    Whoever puts a request of their own under somebody's opening, or joins two people's mail,
    leaves one part that is unlike the rest; the whole mail's score averages over it.

    Parameters
    ----------
    sentences
        Half-open offsets, ascending.

    Returns
    -------
    list of tuple
        Half-open offsets.
    """
    counted = np.cumsum([words_of(text[a:b]) for a, b in sentences])
    cuts = [
        sentences[i][0]
        for i in range(1, len(sentences))
        if counted[i - 1] >= PART_WORDS and counted[-1] - counted[i - 1] >= PART_WORDS
    ]
    if len(cuts) > MOST_CUTS:
        places = np.unique(np.linspace(0, len(cuts) - 1, MOST_CUTS).astype(int))
        cuts = [cuts[i] for i in places]
    return [span for cut in cuts for span in ((0, cut), (cut, len(text)))]
