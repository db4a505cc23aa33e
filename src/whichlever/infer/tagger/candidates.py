"""Which labels a token may have and what speaks for each: evidence that does not depend on names.

Each feature template votes with the labels it had in lines of the same source, and, apart from
that, with those it had in other sources. A small network (``combine``) weighs the votes. It knows
templates, not names, which is why it can be learned from other sources than those it serves.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whichlever.infer.tagger.counts import Counts, Entries, ranks
from whichlever.infer.tagger.features import Hashes, mix
from whichlever.infer.tagger.labels import Labels
from whichlever.infer.tagger.near import CLOSE
from whichlever.infer.tagger.templates import NAMES

Array = NDArray[Any]
HOME = tuple(
    NAMES.index(name)
    for name in (
        "key+offset", "key+word", "key+class+offset", "key+kind+apart", "left+right+kind",
        "left2+word+right", "column+kind", "column+type+inside", "said+kind", "said2+kind", "word",
        "order+type", "blank+kind", "left3+right2", "quote+blank+column", "left2+right2+class",
        "type3+order+kind", "type+left2", "column+inside+kind+left", "shape", "key+quoted",
        "column+quoted", "column+inside+type2+kind", "said2+left+right", "type+said+kind",
        "type+left+right+kind", "type+said2+kind",
    )
)  # fmt: skip
"""Templates that vote within a source."""
TEMPLATES = len(HOME)
ABROAD = tuple(
    NAMES.index(name)
    for name in (
        "key+offset", "key+word", "key+class+offset", "key+kind+apart", "left+right+kind",
        "left2+word+right", "said+kind", "said2+kind", "word", "key+quoted", "said2+left+right",
    )
)  # fmt: skip
"""Templates whose votes mean the same in other sources."""
EXTRAS = 15
WIDTH = 3 * TEMPLATES + 2 * len(ABROAD) + 2 * len(CLOSE) + EXTRAS
"""Numbers that describe one (token, label)."""
PROPOSED = 2
WEAK = 0.04
"""A smaller share of a template's votes makes no candidate."""
KEPT = 6
"""Labels of its own source that a token may take, by the squares of their shares of the votes."""
"""Labels of other sources that a token may take besides those of its own."""


def at_home(features: Hashes, source: Hashes) -> Hashes:
    """Return features as the tables of one source know them: (tokens, TEMPLATES).

    Parameters
    ----------
    features
        (tokens, all templates).
    source
        (tokens,) hash of each token's source.
    """
    features = np.ascontiguousarray(features[:, HOME])
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
    _made: dict[str, Array] = field(default_factory=dict, compare=False, repr=False)

    def often(self) -> Array:
        """Return how often each label is in each source: (sources, labels)."""
        if "often" not in self._made:
            self._made["often"] = self.kinds.sum(2)
        return self._made["often"]

    def usual(self) -> Array:
        """Return each label's share of its source's tokens, smoothed: (sources, labels)."""
        if "usual" not in self._made:
            often = self.often()
            many = often.shape[1]
            share = (often + 0.1) / (often.sum(1, keepdims=True) + 0.1 * many)
            self._made["usual"] = share.astype(np.float32)
        return self._made["usual"]


def narrowed(home: Entries, tokens: int) -> Entries:
    """Return what a source says of the templates that mean the same everywhere."""
    column = np.full(TEMPLATES, -1, np.int64)
    places = [HOME.index(template) for template in ABROAD]
    column[places] = np.arange(len(ABROAD))
    at = column[home.slot % TEMPLATES]
    kept = at >= 0
    slot = (home.slot // TEMPLATES)[kept] * len(ABROAD) + at[kept]
    total = np.ascontiguousarray(home.total.reshape(tokens, TEMPLATES)[:, places]).ravel()
    label, weight = home.label[kept], home.weight[kept]
    return Entries(slot, label, weight, total)


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
    home: Entries,
    common: Entries,
    close: Entries,
    likeness: Array,
    kind: Array,
    source: Array,
    habit: Habit,
    labels: Labels,
) -> Pairs:
    """Collect candidates and evidence.

    Parameters
    ----------
    home
        Of the (tokens, templates) features in the tokens' own sources.
    common
        Of the (tokens, len(ABROAD)) features in other sources.
    close
        Of the (tokens, len(CLOSE)) features in the likest lines.
    likeness
        (tokens,) cosine of the likest line.
    kind, source
        (tokens,) kind of each token and row of ``habit`` of its source.
    """
    tokens, many, wide = len(kind), len(labels.marks), len(ABROAD)
    token, template = home.slot // TEMPLATES, home.slot % TEMPLATES
    far_token, far_template = common.slot // wide, common.slot % wide
    total = home.total.reshape(tokens, TEMPLATES)
    far_total = common.total.reshape(tokens, wide)

    close_token, close_template = close.slot // len(CLOSE), close.slot % len(CLOSE)
    close_pair = close_token * many + close.label
    own_pair = token * many + home.label
    share = home.weight / (home.total[home.slot] + 0.5)
    pair = np.unique(
        np.concatenate(
            [
                np.arange(tokens) * many,
                _strongest(own_pair[share > WEAK], share[share > WEAK] ** 2, many, KEPT),
                _strongest(close_pair, close.weight, many, PROPOSED),
                _strongest(
                    far_token * many + common.label,
                    common.weight / (common.total[common.slot] + 1),
                    many,
                    PROPOSED,
                ),
            ]
        )
    )
    of, label = pair // many, pair % many
    first = np.searchsorted(of, np.arange(tokens + 1))

    evidence = np.zeros((len(pair), WIDTH), np.float32)
    usual = habit.usual()[source[of], label]
    at = np.searchsorted(pair, own_pair)
    at[at == len(pair)] = 0
    there = pair[at] == own_pair
    at, template = at[there], template[there]
    weight = np.zeros((len(pair), TEMPLATES), np.float32)
    weight[at, template] = home.weight[there]
    seen = total[of]
    voted = total > 0
    # What a template says beyond how usual the label is: logarithm of the lift, one pseudo vote.
    # Few pairs have votes: the logarithm is taken of those alone.
    lift = evidence[:, :TEMPLATES]
    np.take(np.log1p(total) / -3, of, axis=0, out=lift)
    lift[at, template] += np.log1p(home.weight[there] / usual[at]) / 3
    likely = evidence[:, 2 * TEMPLATES : 3 * TEMPLATES]
    np.add(lift, np.log(usual)[:, None] / 3, out=likely)
    np.maximum(likely, -2, out=likely)
    likely *= voted[of]
    np.clip(lift, -2, 2, out=lift)
    shares = _soft(weight, of, label, first, labels) / (seen + 0.5)
    evidence[:, TEMPLATES : 2 * TEMPLATES] = shares
    _orders(evidence[:, -EXTRAS + 10 :], shares, total, of, first)

    spread = first[far_token + 1] - first[far_token]
    entry = np.repeat(np.arange(len(far_token)), spread)
    row = np.repeat(first[far_token] - (np.cumsum(spread) - spread), spread) + np.arange(len(entry))
    like = labels.likeness[label[row], common.label[entry]] * common.weight[entry]
    votes = np.bincount(row * wide + far_template[entry], like, minlength=len(pair) * wide)
    votes = votes.reshape(len(pair), wide)
    begin = 3 * TEMPLATES
    evidence[:, begin : begin + wide] = votes / (far_total[of] + 0.5)
    evidence[:, begin + wide : begin + 2 * wide] = (far_total / (far_total + 0.5))[of] - evidence[
        :, begin : begin + wide
    ]
    begin += 2 * wide
    end = begin + len(CLOSE)
    at = np.searchsorted(pair, close_pair)
    at[at == len(pair)] = 0
    known = pair[at] == close_pair
    evidence[at[known], begin + close_template[known]] = (
        close.weight / (close.total[close.slot] + 0.2)
    )[known]
    close_total = close.total.reshape(tokens, len(CLOSE))
    there = close_total / (close_total + 0.2)
    evidence[:, end : end + len(CLOSE)] = there[of] - evidence[:, begin:end]
    evidence[:, -EXTRAS + 8] = evidence[:, begin:end].mean(1)
    evidence[:, -EXTRAS + 9] = likeness[of]
    _extras(evidence[:, -EXTRAS:], of, label, kind, source, habit, labels, total)
    return Pairs(of, label, evidence, first)


def _soft(weight: Array, of: Array, label: Array, first: Array, labels: Labels) -> Array:
    """Let votes for a label count, in part, for those that share marks with it.

    ``source.port`` with ``client.port`` is half a vote for ``source.port`` alone: where a source is
    labelled now this way, now that, a template that knows the place well must not look unsure.
    """
    size = first[of + 1] - first[of]
    left = np.repeat(np.arange(len(of)), size)
    right = np.repeat(first[of] - (np.cumsum(size) - size), size) + np.arange(len(left))
    like = labels.likeness[label[left], label[right]]
    some = (like > 0) & (left != right)
    left, right, like = left[some], right[some], like[some]
    if not len(left):
        return weight
    out = weight.copy()
    begin = np.flatnonzero(np.append(True, left[1:] != left[:-1]))
    out[left[begin]] += np.add.reduceat(like[:, None] * weight[right], begin, axis=0)
    return out


def _orders(out: Array, shares: Array, seen: Array, of: Array, first: Array) -> None:
    """Say how the templates agree: the purer one's word counts more (back-off).

    A template is pure where nearly all of its votes are for one label, whichever that is.
    """
    if not len(of):
        return
    twice = seen >= 2
    best = np.maximum.reduceat(shares, first[:-1], axis=0)
    square = best * best
    trust = square * square
    sharp = trust * trust
    sharp *= sharp
    known = twice & (best > 0.8)
    out[:, 0] = np.einsum("pt,pt->p", trust[of], shares) / (trust.sum(1) + 1e-3)[of]
    out[:, 1] = np.where(twice[of], shares, 1).min(1)
    out[:, 2] = shares.max(1)
    out[:, 3] = np.einsum("pt,pt->p", sharp[of], shares) / (sharp.sum(1) + 1e-6)[of]
    out[:, 4] = np.count_nonzero((shares < 0.05) & known[of], axis=1) / 8


def _strongest(pair: Array, votes: Array, many: int, most: int) -> Array:
    """Return each token's labels with the most votes, as pair numbers."""
    if not len(pair):
        return pair
    order = np.argsort(pair)
    pair = pair[order]
    begin = np.flatnonzero(np.append(True, pair[1:] != pair[:-1]))
    sums = np.add.reduceat(votes[order], begin)
    pair = pair[begin]
    owner = pair // many
    # One sort by token, then by votes: fewer than 64 templates vote with at most one each.
    order = np.argsort(owner * 64.0 - np.minimum(sums, 63))
    owner = owner[order]
    return np.asarray(pair[order][ranks(owner) < most])


def _extras(
    out: Array, of: Array, label: Array, kind: Array, source: Array, habit: Habit, labels: Labels,
    total: Array,
) -> None:  # fmt: skip
    here = source[of]
    of_label = habit.often()
    often = of_label[here, label]
    out[:, 0] = np.log1p(often) - np.log1p(of_label.sum(1))[here]
    out[:, 1] = label == 0
    out[:, 2] = often == 0
    out[:, 3] = np.log1p(habit.lines[here]) / 5
    out[:, 4] = habit.kinds[here, label, kind[of]] / (often + 1)
    out[:, 5] = labels.size[label]
    out[:, 6] = (total > 0).mean(1)[of]
    out[:, 7] = labels.goes_on[label]


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
