"""Who was a training row? Asked of every fitted lever of a run; nothing is fitted again for it.

The score is how probable the lever finds a row's true answer. Training rows differ from test rows
in more than having been learned from: where a split is by group or time, they are of other groups.
So the same is asked of a lever that learned *neither* side, a linear one fitted on half of the
training rows and asked about the other half; it also says how hard each row is.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from whichlever.attack.fitted import HYBRID, Fitted
from whichlever.closed import as_choice
from whichlever.errors import WhichleverError
from whichlever.levers.base import Context
from whichlever.levers.linear import Linear
from whichlever.levers.linear_search import in_order
from whichlever.measure.attack_kept import Membership
from whichlever.measure.attack_memory import auc_interval, caught
from whichlever.measure.attack_told import spell
from whichlever.predict import Predictor, Row
from whichlever.progress import Silent
from whichlever.run import digest, read_json, write_json
from whichlever.settings import LinearSettings

MOST = 2_000
"""Rows asked of each side at most, drawn with the run's seed."""

LEAST = 100
"""Rows of each side that a slow lever is asked for even where time would allow fewer."""

METHOD = 1

Floats = npt.NDArray[np.float64]


def remembers(name: str) -> bool:
    """Whether a lever is one whose weights were fitted on training rows."""
    return name.startswith(("linear", "finetune")) and not name.endswith("-guarded")


def memberships(
    fitted: Fitted, minutes: float, only: Collection[str] | None = None
) -> tuple[Membership, ...]:
    """Ask every linear and fine-tuned lever of a run.

    Parameters
    ----------
    minutes
        Time a lever, estimated; a slow one is asked about fewer rows.
    only
        Levers, by id or family; None is all.
    """
    out = []
    for name in fitted.names:
        mine = only is None or name in only or name.split("-", 1)[0] in only
        if not mine or name == HYBRID or not remembers(name):
            continue
        if fitted.identity(name) is None:
            why = "it cannot be read back from this run"
            text = f"attack: membership was not asked of {name}: {why}."
            out.append(Membership(lever=name, why=why, text=text))
            continue
        out.append(_one(fitted, name, minutes))
    return tuple(out)


def _one(fitted: Fitted, name: str, minutes: float) -> Membership:
    members, others, reference = _asked(fitted, name, minutes)
    key = digest([METHOD, fitted.identity(name), [r.id for r in members], [r.id for r in others]])
    kept = fitted.run / "fits" / "attack" / f"{name}-membership-{key[:16]}.json"
    if not kept.exists():
        with (
            fitted.predictor(name) as predictor,
            fitted.progress.step(f"{name}: who was a training row?"),
        ):
            # Each side answered as it stands: no row's score depends on the other side's rows.
            sides = [_sure(predictor, rows, fitted) for rows in (members, others)]
        found = _measured(fitted, name, members, others, sides, reference)
        write_json(kept, found.model_dump(mode="json"))
    return Membership.model_validate(read_json(kept))


def _asked(
    fitted: Fitted, name: str, minutes: float
) -> tuple[list[Row], list[Row], Predictor | None]:
    """Members and others; members are of the half that the reference did not learn."""
    labels = frozenset(fitted.dataset.labels)
    train = [r for r in fitted.splits.train if r.target is not None]
    taught = {row.target for row in train}
    others = [r for r in fitted.splits.test if r.target in taught]
    learned = _learned(fitted, name, train)
    seconds = fitted.seconds_each(name) or 0.0
    most = MOST if not seconds else int(minutes * 60 / seconds / 2)
    most = min(MOST, max(LEAST, most))
    random = np.random.default_rng([fitted.seed, 51])
    halves = random.permutation(len(learned))
    asked = [learned[i] for i in halves[: (len(learned) + 1) // 2]]
    reference = None
    if labels:
        rest = {row.id for row in asked}
        reference = _reference(fitted, [r for r in train if r.id not in rest])
    else:  # no labels, no reference: every row that was learned may be asked
        asked = [learned[i] for i in halves]
    drawn = random.permutation(len(others))[:most]
    return asked[:most], [others[i] for i in sorted(drawn.tolist())], reference


def _learned(fitted: Fitted, name: str, train: Sequence[Row]) -> list[Row]:
    """The training rows of the lever's window: the newest, or the draw that it says it made."""
    seen = fitted.measures.lever(name).rows_seen
    if not seen or seen >= len(train):
        return list(train)
    return in_order(train, fitted.seed)[0][-seen:]


def _reference(fitted: Fitted, rows: Sequence[Row]) -> Predictor | None:
    """A linear lever that learned neither side: middle settings, no search, no validation rows."""
    labels = fitted.dataset.labels
    task = as_choice(fitted.task)
    key = digest([METHOD, fitted.dataset.fingerprint, fitted.seed, [r.id for r in rows]])
    folder = fitted.run / "fits" / "attack" / f"reference-{key[:16]}"
    folder.mkdir(parents=True, exist_ok=True)
    settings = LinearSettings(windows=["all"], c=[1.0], families=["logistic"], decay=False)
    context = Context(task, labels, fitted.seed, folder, Silent())
    try:
        return Linear(settings).fit(rows, (), context).predictor
    except WhichleverError:  # too few rows or labels: then there is no reference
        return None


def _sure(predictor: Any, rows: Sequence[Row], fitted: Fitted) -> Floats:  # noqa: ANN401
    """How probable each row's true answer is, as a logarithm, shape (n,)."""
    labels = fitted.dataset.labels
    if not labels:  # open answers: nats a token of the row's own
        return -np.asarray(predictor.surprise(rows), np.float64)
    place = {label: i for i, label in enumerate(labels)}
    out = np.empty(len(rows))
    for i, (row, answer) in enumerate(zip(rows, predictor.predict(rows), strict=True)):
        if answer.scores is None or row.target not in place:
            out[i] = np.log(1e-12) if answer.label != row.target else 0.0
        else:
            out[i] = np.log(max(float(answer.scores[place[row.target]]), 1e-12))
    return out


def _measured(
    fitted: Fitted,
    name: str,
    members: Sequence[Row],
    others: Sequence[Row],
    sides: Sequence[Floats],
    reference: Predictor | None,
) -> Membership:
    seed = fitted.seed
    groups = ([r.group for r in members], [r.group for r in others])
    found = auc_interval(sides[0], sides[1], groups, seed)
    told = caught(sides[0], sides[1], groups[0])
    shift = harder = None
    if reference is not None:
        known = [_sure(reference, rows, fitted) for rows in (members, others)]
        shift = auc_interval(known[0], known[1], groups, seed)
        harder = auc_interval(sides[0] - known[0], sides[1] - known[1], groups, seed)
    names = {row.group for row in others}
    text = (
        f"attack: who was a training row of {name}? AUC {spell(found)} over {len(members):,} "
        f"training and {len(others):,} test rows, by how sure it is of the true answer; "
        f"{spell(told)} of training rows are told at 1 % false alarms"
    )
    if shift is not None and harder is not None:
        text += (
            f". A linear lever that learned neither side has {spell(shift)}: that much is how the "
            f"two sides differ, and no memory; with its answers taken into account {spell(harder)}"
        )
    return Membership(
        lever=name, text=f"{text}.", members=len(members), others=len(others),
        groups=None if None in names or not names else len(names), auc=found, caught=told,
        shift=shift, harder=harder,
    )  # fmt: skip
