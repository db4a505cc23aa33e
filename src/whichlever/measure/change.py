"""Which levers follow when the documents change after they were fitted, and which go stale.

Every lever answers the same rows twice, fitted once: before the change, held against what was true
then, and after it, held against what is true now. The paired difference on rows whose fact changed
is what the change cost the lever.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from whichlever.measure.draws import Draws
from whichlever.measure.figure import Interval
from whichlever.measure.intervals import percentile, share, student, widest
from whichlever.prices import Frozen

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
State = Literal["goes stale", "follows", "not shown"]


class Followed(Frozen):
    """One lever before and after the change; shares of rows answered right, in [0, 1].

    ``before`` and ``after`` are on the ``changed_rows`` rows whose fact changed, ``drop`` is their
    paired difference, ``still_old`` the share answered as it was true before. The ``unchanged``
    figures are the same on the other rows. ``over_floor`` is ``after`` less what always giving the
    most frequent answer reaches on these rows, paired; ``behind`` the paired difference of the
    lever that is right most often on them after the change (``leader``) less this one, on the rows
    both answered.

    ``seconds_to_index`` is the time from the change of the files to an index that holds it,
    ``seconds_to_answer`` to the end of the first answer given from it; None where no documents are
    read. ``files_changed`` counts files that came, went or are others.
    """

    lever: str
    reads_documents: bool
    rows: int
    changed_rows: int
    changed_groups: int | None
    before: Interval
    after: Interval
    drop: Interval
    still_old: Interval
    unchanged_before: Interval | None
    unchanged_after: Interval | None
    unchanged_drop: Interval | None
    over_floor: Interval | None
    leader: str | None
    behind: Interval | None
    seconds_to_index: float | None
    seconds_to_answer: float | None
    state: State
    text: str


class Change(Frozen):
    """What changed, on how many rows it was looked at, and how each lever took it."""

    rows: int
    changed_rows: int
    documents: int
    files_changed: int
    margin: float
    levers: tuple[Followed, ...]

    def lever(self, name: str) -> Followed | None:
        """One lever's record; None where it took no part."""
        return next((found for found in self.levers if found.lever == name), None)


@dataclass(frozen=True, eq=False)
class Twice:
    """One lever's answers to the first n rows, as numbers of labels (-1: none).

    ``targets`` are the labels of today and ``was`` those of before, shape (n,).
    """

    lever: str
    reads_documents: bool
    before: npt.NDArray[np.int64]
    after: npt.NDArray[np.int64]
    targets: npt.NDArray[np.int64]
    was: npt.NDArray[np.int64]
    groups: tuple[str, ...] | None
    seconds_to_index: float | None = None
    seconds_to_answer: float | None = None

    @property
    def changed(self) -> Bools:
        """Rows whose truth is another now."""
        return np.asarray(self.targets != self.was)

    @property
    def right_after(self) -> Floats:
        """1 where the answer after the change is right today."""
        return np.asarray((self.after == self.targets) & (self.after >= 0), np.float64)

    @property
    def right_before(self) -> Floats:
        """1 where the answer before the change was right then."""
        return np.asarray((self.before == self.was) & (self.before >= 0), np.float64)


def change_evidence(
    levers: Sequence[Twice],
    margin: float,
    *,
    documents: int = 0,
    files_changed: int = 0,
    floor: str = "majority",
    seed: int = 0,
) -> Change | None:
    """Decide who follows and who goes stale, by statistics.

    A lever *goes stale* when the lower end of its drop is above the margin: it loses, on rows whose
    fact changed, more than would not matter. It *follows* when the upper end is within the margin
    and it is shown better than the floor on those rows after the change: a lever that knows nothing
    has nothing to lose. Everything else is *not shown*.

    Parameters
    ----------
    levers
        Each one's answers to a prefix of the same rows.
    margin
        A difference in share right that would not matter to the user.
    documents, files_changed
        Of the folder, for the record.
    floor
        The lever that always gives the most frequent answer.
    """
    if not levers:
        return None
    floors = next((t for t in levers if t.lever == floor), None)
    # The one that is right most often on changed rows, among those that know them at all.
    rates = {t.lever: float(t.right_after[t.changed].mean()) for t in levers if t.changed.any()}
    leader = max(rates, key=lambda name: rates[name], default=None)
    first = next((t for t in levers if t.lever == leader), None)
    longest = max(levers, key=lambda t: len(t.targets))
    told = tuple(_followed(t, margin, floors, first, seed) for t in levers if bool(t.changed.any()))
    return Change(
        rows=len(longest.targets),
        changed_rows=int(longest.changed.sum()),
        documents=documents,
        files_changed=files_changed,
        margin=margin,
        levers=told,
    )


def _followed(
    t: Twice, margin: float, floor: Twice | None, first: Twice | None, seed: int
) -> Followed:
    changed, same = t.changed, ~t.changed
    drop = difference(t.right_before, t.right_after, changed, t.groups, seed)
    over = None
    if floor is not None and floor.lever != t.lever:
        n = min(len(floor.targets), len(t.targets))
        over = difference(
            t.right_after[:n], floor.right_after[:n], changed[:n], _head(t.groups, n), seed
        )
    behind = None
    if first is not None and first.lever != t.lever:
        n = min(len(first.targets), len(t.targets))
        behind = difference(
            first.right_after[:n], t.right_after[:n], changed[:n], _head(t.groups, n), seed
        )
    found = Followed(
        lever=t.lever,
        reads_documents=t.reads_documents,
        rows=len(t.targets),
        changed_rows=int(changed.sum()),
        changed_groups=None if t.groups is None else len(_units(t.groups, changed)[1]),
        before=rate(t.right_before, changed, t.groups, seed),
        after=rate(t.right_after, changed, t.groups, seed),
        drop=drop,
        still_old=rate((t.after == t.was).astype(np.float64), changed, t.groups, seed),
        unchanged_before=rate(t.right_before, same, t.groups, seed) if same.any() else None,
        unchanged_after=rate(t.right_after, same, t.groups, seed) if same.any() else None,
        unchanged_drop=difference(t.right_before, t.right_after, same, t.groups, seed)
        if same.any()
        else None,
        over_floor=over,
        leader=first.lever if first is not None and first.lever != t.lever else None,
        behind=behind,
        seconds_to_index=t.seconds_to_index,
        seconds_to_answer=t.seconds_to_answer,
        state=state_of(drop, over, margin),
        text="",
    )
    return found.model_copy(update={"text": _said(found, margin)})


def state_of(drop: Interval, over_floor: Interval | None, margin: float) -> State:
    """What the two intervals show; an interval without ends shows nothing."""
    if drop.low is not None and drop.low > margin:
        return "goes stale"
    within = drop.high is not None and drop.high <= margin
    knows = over_floor is not None and over_floor.low is not None and over_floor.low > 0
    return "follows" if within and knows else "not shown"


def rate(right: Floats, mask: Bools, groups: tuple[str, ...] | None, seed: int) -> Interval:
    """The share of the rows in ``mask`` that is right, exact or with groups' design effect."""
    hits = right[mask]
    if groups is None:
        return share(float(hits.sum()), len(hits), None, None)
    units, names = _units(groups, mask)
    drawn = _drawn(hits, units, len(names), seed)
    return share(float(hits.sum()), len(hits), len(names), drawn)


def difference(
    a: Floats, b: Floats, mask: Bools, groups: tuple[str, ...] | None, seed: int
) -> Interval:
    """The paired difference of two shares, a − b, on the rows in ``mask``.

    A percentile bootstrap over groups (over rows, where there are none), no narrower than the
    adjusted interval of Bonett and Price (2012), which adds a unit to either kind of disagreement;
    a group is one unit, of its mean step. Answers that agree everywhere are no certainty.
    """
    steps = (a - b)[mask]
    value = float(steps.mean()) if len(steps) else 0.0
    if groups is None:
        units, count = np.arange(len(steps)), len(steps)
    else:
        units, names = _units(groups, mask)
        count = len(names)
    if count < 2:
        return Interval(value=value)
    drawn = _drawn(steps, units, count, seed)
    found = percentile(value, drawn, units=count)
    sizes = np.bincount(units, minlength=count)
    means = np.bincount(units, steps, minlength=count) / sizes
    spread = float((means**2).sum()) + 2 - float(means.sum()) ** 2 / (count + 2)
    reach = 1.96 * student(count) * math.sqrt(spread) / (count + 2)
    centre = float(means.sum()) / (count + 2)
    low, high = max(-1.0, centre - reach), min(1.0, centre + reach)
    return widest(found, Interval(value=value, low=min(low, value), high=max(high, value)))


def _drawn(values: Floats, units: npt.NDArray[np.int64], count: int, seed: int) -> Floats:
    """Means of bootstrap draws of whole units, shape (draws,)."""
    sums = np.bincount(units, values, minlength=count)
    sizes = np.bincount(units, minlength=count)
    draws = Draws.over(count, None, seed=seed)
    parts = [(sums @ w) / np.maximum(sizes @ w, 1) for w in draws.chunks()]
    return np.concatenate(parts)


def _units(
    groups: Sequence[str], mask: Bools
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.object_]]:
    kept = np.asarray(groups, dtype=object)[mask]
    names, codes = np.unique(kept.astype(str), return_inverse=True)
    return codes.astype(np.int64), names


def _head(groups: tuple[str, ...] | None, n: int) -> tuple[str, ...] | None:
    return None if groups is None else groups[:n]


_WORDS: Mapping[State, str] = {
    "goes stale": "goes stale",
    "follows": "follows the change",
    "not shown": "is not shown to follow, nor to go stale",
}


def _said(f: Followed, margin: float) -> str:
    """The lever's record as one sentence."""
    text = (
        f"{f.lever} {_WORDS[f.state]}: on {f.changed_rows} rows whose fact changed it was right on "
        f"{f.before.value:.3f} before and on {f.after.value:.3f} after, a drop of "
        f"{_interval(f.drop)}"
    )
    if f.state == "goes stale":
        text += f"; {f.still_old.value:.3f} still get the old answer"
    elif f.state == "follows":
        text += f", within the margin of {margin:g}"
    elif f.over_floor is not None and not (f.over_floor.low or 0) > 0:
        text += "; it is not shown to know these facts at all"
    if f.seconds_to_answer is not None and f.seconds_to_index is not None:
        text += (
            f"; its index held the change after {_seconds(f.seconds_to_index)}, its first answer "
            f"from it came after {_seconds(f.seconds_to_answer)}"
        )
    elif not f.reads_documents:
        text += "; it reads no documents, so nothing but fitting it again would tell it"
    return text + "."


def _interval(figure: Interval) -> str:
    if figure.low is None or figure.high is None:
        return f"{figure.value:.3f}"
    return f"{figure.value:.3f} ({figure.low:.3f} to {figure.high:.3f})"


def _seconds(value: float) -> str:
    if value >= 10:
        return f"{value:.0f} s"
    digits = max(0, 1 - math.floor(math.log10(max(value, 1e-3))))
    return f"{value:.{min(digits, 3)}f} s"
