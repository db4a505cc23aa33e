"""How many rows each kind of attack turned, with intervals that mind groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import median

import numpy as np

from whichlever.measure.attack import FlipRate, Kind
from whichlever.measure.attack_evade import Bools, Tried
from whichlever.measure.attack_search import Found
from whichlever.measure.attack_strings import CONTROL, VOCABULARY
from whichlever.measure.draws import Draws
from whichlever.measure.figure import Interval
from whichlever.measure.intervals import share
from whichlever.predict import Row


def any_flip(tried: Tried) -> Bools:
    """Which rows anything but the control turned, shape (n,)."""
    real = np.array([a.given.family != CONTROL for a in tried.attempts], dtype=bool)
    out = tried.hits[:, real].any(axis=1) if real.any() else np.zeros(len(tried.rows), bool)
    for found in (*tried.found.values(), *tried.transferred.values()):
        out = out | np.array([f.flipped for f in found], dtype=bool)
    return np.asarray(out, dtype=bool)


def shortest_text(tried: Tried) -> float | None:
    """Characters of the shortest text that turned a row, the median over rows turned."""
    lengths = np.array([len(a.added) for a in tried.attempts], dtype=np.int64)
    real = np.array([a.given.family != CONTROL for a in tried.attempts], dtype=bool)
    best = []
    for i in range(len(tried.rows)):
        turned = lengths[tried.hits[i] & real].tolist() if len(lengths) else []
        for found in (*tried.found.values(), *tried.transferred.values()):
            turned += [len(found[i].added)] if found[i].flipped else []
        best += [min(turned)] if turned else []
    return float(median(best)) if best else None


def flip_rates(tried: Tried, seed: int) -> list[FlipRate]:
    """Each kind of attack by itself: families, ways, searches, transfers, the control."""
    out = []
    families = [a.given.family.split("/", 1)[0] for a in tried.attempts]
    said = np.array([f not in (CONTROL, VOCABULARY) for f in families], dtype=bool)
    if said.any():
        out += [_outsider(tried, said, seed)]
        out += [_of_attempts(tried, "but vocabulary", "strings", said, seed)]
    for family in dict.fromkeys(families):
        kind: Kind = "control" if family == CONTROL else "family"
        mine = np.array([f == family for f in families])
        out.append(_of_attempts(tried, family, kind, mine, seed))
    real = np.array([f != CONTROL for f in families], dtype=bool)
    for way in dict.fromkeys(a.way for a in tried.attempts):
        mine = real & np.array([a.way == way for a in tried.attempts])
        if mine.any():
            out.append(_of_attempts(tried, way, "way", mine, seed))
    for name, found in tried.found.items():
        out.append(_of_found(tried, name, "search", found, tried.searched, seed))
    for name, found in tried.transferred.items():
        out.append(_of_found(tried, name, "transfer", found, 1, seed))
    return out


def interval_of(hits: Bools, rows: Sequence[Row], seed: int) -> Interval:
    """The share of rows turned, with a Clopper–Pearson interval that minds groups."""
    groups = [row.group for row in rows]
    known = [g for g in groups if g is not None]
    if len(known) < len(rows) or len(set(known)) == len(rows) or not rows:
        return share(int(hits.sum()), len(rows), None, None)
    draws = Draws.over(len(rows), known, seed=seed)
    drawn = np.concatenate(
        [hits.astype(float) @ w / np.maximum(w.sum(axis=0), 1e-12) for w in draws.chunks()]
    )
    return share(int(hits.sum()), len(rows), draws.count, drawn)


def _outsider(tried: Tried, said: Bools, seed: int) -> FlipRate:
    """What somebody who has seen no training row turns: strings and searches without them."""
    alone = replace(
        tried,
        attempts=tuple(a for a, mine in zip(tried.attempts, said, strict=True) if mine),
        hits=tried.hits[:, said],
        found={name: f for name, f in tried.found.items() if name not in tried.inside},
        transferred={},
    )
    flipped = any_flip(alone)
    return FlipRate(
        attack="without your rows", kind="outsider", rows=len(tried.rows),
        flipped=int(flipped.sum()), rate=interval_of(flipped, tried.rows, seed),
        questions=int(said.sum()) + tried.searched * len(alone.found), chars=shortest_text(alone),
    )  # fmt: skip


def _of_attempts(tried: Tried, name: str, kind: Kind, mine: Bools, seed: int) -> FlipRate:
    hits = tried.hits[:, mine]
    lengths = np.array([len(a.added) for a in tried.attempts])[mine]
    flipped = np.asarray(hits.any(axis=1), dtype=bool)
    shortest = [int(lengths[row].min()) for row in hits if row.any()]
    return FlipRate(
        attack=name, kind=kind, rows=len(tried.rows), flipped=int(flipped.sum()),
        rate=interval_of(flipped, tried.rows, seed), questions=int(mine.sum()),
        chars=float(median(shortest)) if shortest else None,
    )  # fmt: skip


def _of_found(
    tried: Tried, name: str, kind: Kind, found: Sequence[Found], questions: int, seed: int
) -> FlipRate:
    flipped = np.array([f.flipped for f in found], dtype=bool)
    lengths = [len(f.added) for f in found if f.flipped]
    return FlipRate(
        attack=name, kind=kind, rows=len(tried.rows), flipped=int(flipped.sum()),
        rate=interval_of(flipped, tried.rows, seed), questions=questions,
        chars=float(median(lengths)) if lengths else None,
    )  # fmt: skip
