"""Which labels a token may have and what speaks for each: evidence that does not depend on names.

Each feature template votes with the labels it had in lines of the same source, and, apart from
that, with those it had in other sources. A small network (``combine``) weighs the votes. It knows
templates, not names, which is why it can be learned from other sources than those it serves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whichlever.infer.tagger.counts import Counts, Entries
from whichlever.infer.tagger.features import Hashes, mix
from whichlever.infer.tagger.labels import Labels
from whichlever.infer.tagger.templates import NAMES

Array = NDArray[Any]
TEMPLATES = len(NAMES)
ABROAD = tuple(
    NAMES.index(name)
    for name in (
        "key+offset", "key+word", "key+class+offset", "key+kind+apart", "left+right+kind",
        "said+kind", "said2+kind", "word", "word+right3", "said+ahead+kind", "class+key",
        "key+kind",
    )
)  # fmt: skip
"""Templates whose votes mean the same in other sources."""
EXTRAS = 8
WIDTH = 2 * TEMPLATES + 2 * len(ABROAD) + EXTRAS
"""Numbers that describe one (token, label)."""
PROPOSED = 3
"""Labels of other sources that a token may take besides those of its own."""


def at_home(features: Hashes, source: Hashes) -> Hashes:
    """Return features as the tables of one source know them.

    Parameters
    ----------
    features
        (tokens, templates).
    source
        (tokens,) hash of each token's source.
    """
    spread = np.broadcast_to(source[:, None], features.shape).ravel()
    return mix(77, features.ravel(), spread).reshape(features.shape)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Candidate labels.

    Attributes
    ----------
    token, label
        (pairs,) ascending by token, then label; :data:`OUTSIDE` is always one of a token's.
    evidence
        (pairs, WIDTH) what speaks for and against.
    first
        (tokens + 1,) where each token's pairs begin.
    """

    token: Array
    label: Array
    evidence: Array
    first: Array


@dataclass(frozen=True, slots=True)
class Habit:
    """What is usual in the source of a token.

    Attributes
    ----------
    kinds
        (sources, labels, kinds of token) how often.
    lines
        (sources,) labelled lines.
    """

    kinds: Array
    lines: Array


def less(common: Entries, own: Entries, labels: int) -> Entries:
    """Take one source's part out of what all sources say."""
    if not len(own.slot) or not len(common.slot):
        return common
    share = own.weight / (own.total[own.slot] + 0.5)
    known = own.slot * labels + own.label
    wanted = common.slot * labels + common.label
    at = np.searchsorted(known, wanted)
    at[at == len(known)] = 0
    weight = common.weight - np.where(known[at] == wanted, share[at], 0)
    kept = weight > 1e-4
    total = np.maximum(common.total - own.total / (own.total + 0.5), 0)
    return Entries(common.slot[kept], common.label[kept], weight[kept].astype(np.float32), total)


def gather(
    home: Entries, common: Entries, kind: Array, source: Array, habit: Habit, labels: Labels
) -> Pairs:
    """Collect candidates and evidence.

    Parameters
    ----------
    home
        Of the (tokens, templates) features in the tokens' own sources.
    common
        Of the (tokens, len(ABROAD)) features in other sources.
    kind, source
        (tokens,) kind of each token and row of ``habit`` of its source.
    """
    tokens, many, wide = len(kind), len(labels.marks), len(ABROAD)
    token, template = home.slot // TEMPLATES, home.slot % TEMPLATES
    far_token, far_template = common.slot // wide, common.slot % wide
    total = home.total.reshape(tokens, TEMPLATES)
    far_total = common.total.reshape(tokens, wide)

    proposed = _proposed(common, far_token, many)
    pair = np.unique(
        np.concatenate([token * many + home.label, np.arange(tokens) * many, proposed])
    )
    of, label = pair // many, pair % many
    first = np.searchsorted(of, np.arange(tokens + 1))

    evidence = np.zeros((len(pair), WIDTH), np.float32)
    at = np.searchsorted(pair, token * many + home.label)
    evidence[at, template] = home.weight / (home.total[home.slot] + 0.5)
    known = total / (total + 0.5)
    evidence[:, TEMPLATES : 2 * TEMPLATES] = known[of] - evidence[:, :TEMPLATES]

    spread = first[far_token + 1] - first[far_token]
    entry = np.repeat(np.arange(len(far_token)), spread)
    row = np.repeat(first[far_token] - (np.cumsum(spread) - spread), spread) + np.arange(len(entry))
    like = labels.likeness[label[row], common.label[entry]] * common.weight[entry]
    votes = np.bincount(row * wide + far_template[entry], like, minlength=len(pair) * wide).reshape(
        len(pair), wide
    )
    begin = 2 * TEMPLATES
    evidence[:, begin : begin + wide] = votes / (far_total[of] + 0.5)
    evidence[:, begin + wide : begin + 2 * wide] = (far_total / (far_total + 0.5))[of] - evidence[
        :, begin : begin + wide
    ]
    _extras(evidence[:, -EXTRAS:], of, label, kind, source, habit, labels, total)
    return Pairs(of, label, evidence, first)


def _proposed(common: Entries, token: Array, many: int) -> Array:
    """Return each token's labels that other sources speak for most, as pair numbers."""
    pair, back = np.unique(token * many + common.label, return_inverse=True)
    if not len(pair):
        return pair
    votes = np.bincount(back, common.weight / (common.total[common.slot] + 1))
    order = np.lexsort((-votes, pair // many))
    owner = pair[order] // many
    rank = np.arange(len(order)) - np.searchsorted(owner, owner)
    return np.asarray(pair[order][rank < PROPOSED])


def _extras(
    out: Array, of: Array, label: Array, kind: Array, source: Array, habit: Habit, labels: Labels,
    total: Array,
) -> None:  # fmt: skip
    here = source[of]
    of_label = habit.kinds.sum(2)
    often = of_label[here, label]
    out[:, 0] = np.log1p(often) - np.log1p(of_label.sum(1))[here]
    out[:, 1] = label == 0
    out[:, 2] = often == 0
    out[:, 3] = np.log1p(habit.lines[here]) / 5
    out[:, 4] = habit.kinds[here, label, kind[of]] / (often + 1)
    out[:, 5] = np.array([len(names) for names in labels.names], np.float32)[label]
    out[:, 6] = (total > 0).mean(1)[of]
    out[:, 7] = np.array([bool(inner) for inner in labels.inner], np.float32)[label]


def score(pairs: Pairs, weights: dict[str, Array]) -> Array:
    """Return each pair's log-probability among the labels of its token.

    ``weights`` are of a linear layer plus a layer of rectified units: ``linear`` (WIDTH,),
    ``hidden`` (WIDTH, units), ``bias`` (units,), ``out`` (units,).
    """
    x = pairs.evidence
    raw = x @ weights["linear"]
    raw += np.maximum(x @ weights["hidden"] + weights["bias"], 0) @ weights["out"]
    begin = pairs.first[:-1]
    if not len(raw):
        return raw
    top = np.maximum.reduceat(raw, begin)[pairs.token]
    raised = np.exp(raw - top)
    return np.asarray(raw - top - np.log(np.add.reduceat(raised, begin))[pairs.token])


def table(counts: Counts, features: Hashes) -> Entries:
    """Look up the templates that mean the same everywhere."""
    return counts.find(np.ascontiguousarray(features[:, ABROAD]))
