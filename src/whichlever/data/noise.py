"""Labels that are probably wrong, found by confident learning on out-of-fold probabilities.

Every row is judged by models that learned from the training rows of the other folds. Validation
labels are judged and never learned from, so that a score on validation rows without the suspects of
training is an honest one; test labels are judged only where asked for. Calibration rows are left
alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from whichlever.data import noise_models
from whichlever.data.noise_features import TextFeatures, text_features
from whichlever.data.noise_folds import Clusters, cluster_rows, deal_folds
from whichlever.data.noise_joint import (
    Joint,
    Ranked,
    confident_joint,
    error_draws,
    errors_by_planted,
    rank,
)
from whichlever.data.noise_pool import out_of_fold
from whichlever.data.noise_record import Judged, Mistaken, Noise, Planted, Side, Suspects
from whichlever.data.rows import Splits
from whichlever.errors import DataError
from whichlever.predict import Row
from whichlever.progress import Progress, Silent
from whichlever.settings import NoiseSettings

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

LEAST_PER_LABEL = 5
"""Rows that a label must have for the others of them to say what it looks like."""

MOST_CELLS = 40_000_000
"""Rows times labels whose probabilities are held at once: about half a gigabyte."""

ROLES: tuple[Side, ...] = ("train", "valid", "test")
SHOWN_CELLS = 100
_ENTRIES_PER_CHAR = 0.27
_MOST_ENTRIES = 600.0


@dataclass(frozen=True)
class NoiseFound:
    """What was found, and every judged row: train, valid, test, each most suspicious first."""

    noise: Noise
    rows: tuple[Judged, ...]

    def suspects(self, role: Side | None = None) -> tuple[Judged, ...]:
        """The rows whose label is suspected, of one role or of all, most suspicious first."""
        return tuple(row for row in self.rows if row.suspect and role in (None, row.role))


def find_noise(
    splits: Splits,
    labels: Sequence[str],
    settings: NoiseSettings | None = None,
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> NoiseFound:
    """Judge every label and rank the rows by how wrong theirs seems.

    The order of the rows does not matter; the same rows give the same ranking.

    Raises
    ------
    DataError
        Fewer than two labels have rows enough to be learned.
    """
    settings = settings or NoiseSettings()
    progress = progress or Silent()
    chosen = _choose(splits, labels, settings, seed)
    rows, classes = chosen.rows, len(chosen.labels)
    estimate = _seconds(rows, classes, settings)
    with progress.step("label noise: compare rows", seconds=estimate):
        clusters = cluster_rows(rows, settings.folds, by_group=settings.by_group)
        learned = np.array([role == "train" for role in chosen.roles], dtype=bool)
        folds = _folds(clusters, chosen.targets, learned, settings.folds, seed)
        texts = [row.text for row in rows]
        features = text_features(texts, int(learned.sum()), classes, seed)
    shares, weights = out_of_fold(
        features, chosen.targets, folds, learned, classes, seed, progress, "label noise: judge"
    )
    judge = _Judge(chosen, clusters, folds, learned, features, shares, seed)
    joint = confident_joint(shares[learned], chosen.targets[learned])
    check = judge.planted(settings.planted, joint, progress) if settings.check else None
    found = {role: judge.side(role, joint, check) for role in ROLES if role in chosen.roles}
    suspects = {role: side[0] for role, side in found.items()}
    noise = Noise(
        train=suspects["train"],
        valid=suspects.get("valid"),
        test=suspects.get("test"),
        accuracy=float(np.mean(shares[learned].argmax(axis=1) == chosen.targets[learned])),
        folds=int(folds.max()) + 1,
        clusters=len(np.unique(clusters.of)),
        by_group=settings.by_group,
        not_judged={**chosen.left_out, **_apart(clusters)},
        weights={name: round(weight, 4) for name, weight in weights.items()},
        check=check,
    )
    return NoiseFound(noise, tuple(row for side in found.values() for row in side[1]))


@dataclass(frozen=True, eq=False)
class _Chosen:
    """The rows that are judged, training rows first, each role in canonical order."""

    rows: tuple[Row, ...]
    roles: tuple[str, ...]
    targets: Ints
    labels: tuple[str, ...]
    left_out: dict[str, int]


def _choose(splits: Splits, labels: Sequence[str], settings: NoiseSettings, seed: int) -> _Chosen:
    known = frozenset(labels)
    left: Counter[str] = Counter()
    kept = sorted((row for row in splits.train if row.target in known), key=_canonical)
    left["training rows without one of the task's labels"] = len(splits.train) - len(kept)
    most = _most_rows(kept, labels, settings)
    if len(kept) > most:
        why = "older training rows" if _timed(kept) else "training rows drawn at random"
        left[f"{why}, for the time or memory that all would take"] = len(kept) - most
        kept = _newest(kept, most, seed)
    counts = Counter(row.target for row in kept)
    enough = tuple(label for label in labels if counts[label] >= LEAST_PER_LABEL)
    if len(enough) < 2:
        raise DataError(
            f"label noise: {len(enough)} label has at least {LEAST_PER_LABEL} training rows; "
            "judging labels needs two such labels, so label more rows or leave noise: out"
        )
    fit = [row for row in kept if row.target in enough]
    left[f"training rows of a label with fewer than {LEAST_PER_LABEL}"] = len(kept) - len(fit)
    every = [(row, "train") for row in fit]
    asked = {"valid": splits.valid, "test": splits.test if settings.test else ()}
    for role, rows in asked.items():
        judged = sorted((row for row in rows if row.target in enough), key=_canonical)
        left[f"{role} rows without a label that was judged"] = len(rows) - len(judged)
        every += [(row, role) for row in judged]
    place = {label: i for i, label in enumerate(enough)}
    return _Chosen(
        rows=tuple(row for row, _ in every),
        roles=tuple(role for _, role in every),
        targets=np.array([place[row.target or ""] for row, _ in every], dtype=np.int64),
        labels=enough,
        left_out={why: count for why, count in left.items() if count},
    )


def _canonical(row: Row) -> tuple[str, str, str]:
    return row.text, row.target or "", row.id


def _timed(kept: Sequence[Row]) -> bool:
    return all(row.time is not None for row in kept)


def _newest(kept: list[Row], most: int, seed: int) -> list[Row]:
    """The newest rows, or a seeded draw where rows have no time; in canonical order."""
    if _timed(kept):
        order = np.argsort([-(row.time or 0.0) for row in kept], kind="stable")
    else:
        order = np.random.default_rng([seed, 11]).permutation(len(kept))
    return [kept[i] for i in np.sort(order[:most]).tolist()]


def _most_rows(rows: Sequence[Row], labels: Sequence[str], settings: NoiseSettings) -> int:
    """Rows that memory, the task and the time budget allow."""
    most = MOST_CELLS // max(len(labels), 1)
    if settings.max_rows is not None:
        most = min(most, settings.max_rows)
    most = min(most, len(rows))
    while most > 1_000 and _seconds(rows, len(labels), settings, most) > settings.minutes * 60:
        most = int(most * 0.9)
    return max(most, 1)


def _seconds(
    rows: Sequence[Row], classes: int, settings: NoiseSettings, most: int | None = None
) -> float:
    """About the seconds of all of it, worked out from sizes."""
    count = len(rows) if most is None else most
    sample = rows[:: max(1, len(rows) // 1_000)]
    chars = sum(min(len(row.text), 4_000) for row in sample) / max(len(sample), 1)
    entries = min(chars * _ENTRIES_PER_CHAR, _MOST_ENTRIES)
    once = noise_models.seconds(count, entries, classes, settings.folds)
    return once * (2 if settings.check else 1) + count * chars * 3e-6


def _folds(clusters: Clusters, targets: Ints, learned: Bools, folds: int, seed: int) -> Ints:
    """Folds dealt by the training rows; another row follows its cluster, else goes by turns."""
    mine = np.flatnonzero(learned)
    _, place = np.unique(clusters.of[mine], return_inverse=True)
    dealt = deal_folds(place.astype(np.int64), targets[mine], folds, seed)
    of_cluster = dict(zip(clusters.of[mine].tolist(), dealt.tolist(), strict=True))
    count = int(dealt.max(initial=0)) + 1
    if count < 2:
        raise DataError(
            "label noise: all training rows are duplicates of each other or of one group, so none "
            "can be judged by a model that has not seen it; set noise: {by_group: false}"
        )
    out = np.empty(len(targets), dtype=np.int64)
    turn = 0
    for i, cluster in enumerate(clusters.of.tolist()):
        if cluster not in of_cluster:
            of_cluster[cluster] = turn % count
            turn += 1
        out[i] = of_cluster[cluster]
    return out


def _apart(clusters: Clusters) -> dict[str, int]:
    pairs = "near-duplicate pairs judged apart, their cluster being too large for a fold"
    return {pairs: clusters.apart} if clusters.apart else {}


@dataclass(frozen=True, eq=False)
class _Judge:
    """Turns probabilities into suspects."""

    chosen: _Chosen
    clusters: Clusters
    folds: Ints
    learned: Bools
    features: TextFeatures
    shares: Floats
    seed: int

    def side(
        self, role: Side, learned: Joint, check: Planted | None
    ) -> tuple[Suspects, tuple[Judged, ...]]:
        """The suspects of one role, and its judged rows, most suspicious first.

        ``learned`` is the joint of the training rows, whose thresholds hold for all.
        """
        at = np.flatnonzero([found == role for found in self.chosen.roles])
        given, shares = self.chosen.targets[at], self.shares[at]
        joint = confident_joint(shares, given, learned.thresholds)
        ranked = rank(shares, given)
        draws = error_draws(joint, given, self.clusters.of[at], self.seed)
        spread = draws.min() < draws.max()
        bounds = [float(x) for x in np.quantile(draws, [0.025, 0.975])] if spread else None
        # What planted errors say of the training rows holds for the others by proportion.
        over = 1.0 if check is None else min(1.0, check.errors / max(learned.errors, 1e-9))
        errors = joint.errors * over
        if bounds is not None:
            bounds = [bound * over for bound in bounds]
            if check is not None and over < 1:
                wider = [check.errors_low, check.errors_high]
                scale = errors / max(check.errors, 1e-9)
                bounds = [min(bounds[0], wider[0] * scale), max(bounds[1], wider[1] * scale)]
        ids = [self.chosen.rows[i].id for i in at.tolist()]
        order = sorted(range(len(at)), key=lambda k: (round(float(ranked.odds[k]), 5), ids[k]))
        # A label that is the likeliest anyway is not suspected, however many were estimated.
        listed = min(round(errors), int(np.sum(ranked.odds < 0)))
        suspects = Suspects(
            side=role,
            rows=len(at),
            errors=errors,
            errors_low=None if bounds is None else min(bounds[0], errors),
            errors_high=None if bounds is None else max(bounds[1], errors),
            joint_errors=joint.errors,
            listed=listed,
            mistaken=_mistaken(joint, self.chosen.labels, given),
        )
        return suspects, self._rows(at, order, ranked, listed)

    def _rows(
        self, at: npt.NDArray[np.intp], order: Sequence[int], ranked: Ranked, listed: int
    ) -> tuple[Judged, ...]:
        labels, chosen = self.chosen.labels, self.chosen
        return tuple(
            Judged(
                id=chosen.rows[at[k]].id,
                role=chosen.roles[at[k]],
                rank=place,
                given=labels[chosen.targets[at[k]]],
                suggested=labels[ranked.suggested[k]],
                confidence=round(float(ranked.confidence[k]), 6),
                margin=round(float(ranked.margin[k]), 6),
                suspect=place <= listed,
            )
            for place, k in enumerate(order, 1)
        )

    def planted(self, share: float, joint: Joint, progress: Progress) -> Planted:
        """Change some labels on purpose, judge again, and count how many are found."""
        from whichlever.calibrate import clopper_pearson

        mine = np.flatnonzero(self.learned)
        random = np.random.default_rng([self.seed, 12])
        count = max(1, round(share * len(mine)))
        at = mine[random.choice(len(mine), count, replace=False)]
        targets = self.chosen.targets.copy()
        targets[at] = _wrong(targets[at], joint, random)
        shares, _ = out_of_fold(
            self.features, targets, self.folds, self.learned, len(self.chosen.labels),
            self.seed, progress, "label noise: find planted errors",
        )  # fmt: skip
        odds = rank(shares[mine], targets[mine]).odds
        changed = np.isin(mine, at)
        share, draws = errors_by_planted(odds, changed, self.clusters.of[mine], self.seed)
        # Labels that were wrong before rank among the planted ones: there is room for both.
        among = count + round(share * (len(mine) - count))
        found = int(changed[np.argsort(odds, kind="stable")[:among]].sum())
        low, high = clopper_pearson(found, count, 0.95)
        ends = np.quantile(draws, [0.025, 0.975]) * len(mine)
        return Planted(
            rows=count,
            among=among,
            found=found,
            low=low,
            high=high,
            errors=share * len(mine),
            errors_low=float(min(ends[0], share * len(mine))),
            errors_high=float(max(ends[1], share * len(mine))),
        )


def _wrong(targets: Ints, joint: Joint, random: np.random.Generator) -> Ints:
    """Another label for each, half of the time by the noise matrix, else any."""
    classes = len(joint.thresholds)
    out = np.empty_like(targets)
    for i, target in enumerate(targets.tolist()):
        # True labels become given ones along the columns of the joint.
        weights = joint.shares[:, target].copy()
        weights[target] = 0.0
        likely = weights.sum() > 0 and random.random() < 0.5
        even = np.ones(classes)
        even[target] = 0.0
        weights = weights if likely else even
        out[i] = random.choice(classes, p=weights / weights.sum())
    return out


def _mistaken(joint: Joint, labels: Sequence[str], given: Ints) -> tuple[Mistaken, ...]:
    rows = joint.shares * len(given)
    counts = np.bincount(given, minlength=len(labels))
    np.fill_diagonal(rows, 0.0)
    order = np.argsort(-rows, axis=None, kind="stable")[:SHOWN_CELLS]
    cells = zip(*np.unravel_index(order, rows.shape), strict=True)
    return tuple(
        Mistaken(
            given=labels[i],
            true=labels[j],
            rows=float(rows[i, j]),
            share=float(rows[i, j] / max(counts[i], 1)),
        )
        for i, j in cells
        if rows[i, j] > 0
    )
