"""Scores of lines in part: by shape, by source, by file, and by how sure the lever was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from whichlever.measure.draws import Draws
from whichlever.measure.field_counts import FieldCounts
from whichlever.measure.intervals import percentile, share
from whichlever.measure.line_scores import Answered, By, LineScores, Slice
from whichlever.measure.outcome import Outcome
from whichlever.measure.scores import indicator

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MOST_SLICES = 60
"""Slices of one kind that are kept, those with most lines first."""

SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


def line_scores(
    outcome: Outcome,
    names: Sequence[str],
    tags: Mapping[By, Sequence[str | None]],
    seed: int = 0,
) -> LineScores:
    """Score a lever's test lines in part.

    Parameters
    ----------
    outcome
        The lever's answers to the first n test lines.
    names
        The run's names, in order.
    tags
        What each test line belongs to, by kind of slice, at least n each; None is nothing.
    seed
        Seeds the bootstrap draws: the same as for the whole.
    """
    assert outcome.fields is not None
    draws = Draws.over(len(outcome), outcome.groups, seed=seed)
    slices = [
        made
        for by, named in tags.items()
        for made in _slices(outcome.fields, by, named[: len(outcome)], draws)
    ]
    true, said = (
        {name: int(n) for name, n in zip(names, part.sum(axis=0).tolist(), strict=False) if n}
        for part in (outcome.fields.true, outcome.fields.said)
    )
    return LineScores(
        slices=tuple(slices),
        answered=_answered(outcome, draws),
        true=true,
        said=said,
        made_up=int(outcome.fields.invented.sum()),
    )


def _slices(counts: FieldCounts, by: By, named: Sequence[str | None], draws: Draws) -> list[Slice]:
    names, sizes = np.unique([n for n in named if n is not None], return_counts=True)
    order = np.argsort(-sizes, kind="stable")[:MOST_SLICES]
    kept = {str(names[i]): place for place, i in enumerate(order)}
    if not kept:
        return []
    code = np.array([-1 if n is None else kept.get(n, -1) for n in named], dtype=np.int64)
    member = indicator(code, np.arange(len(kept)))
    columns = (
        counts.hit.sum(axis=1), counts.said.sum(axis=1) + counts.true.sum(axis=1),
        counts.exact.astype(np.int64), np.ones(len(code), dtype=np.int64),
    )  # fmt: skip
    weighed = [member.multiply(column[None, :]).tocsr() for column in columns]
    parts = [[part @ weights for part in weighed] for weights in draws.chunks()]
    drawn = [np.concatenate([chunk[i] for chunk in parts], axis=1) for i in range(len(columns))]
    now = [np.asarray(part.sum(axis=1)).ravel() for part in weighed]
    with np.errstate(invalid="ignore", divide="ignore"):
        f1, exact = 2 * drawn[0] / drawn[1], drawn[2] / drawn[3]
    grouped = draws.count < len(draws.units)
    out = []
    for name, i in kept.items():
        held = len(np.unique(draws.units[code == i]))
        value = 2 * now[0][i] / now[1][i] if now[1][i] else 1.0
        out.append(
            Slice(
                by=by,
                name=name,
                rows=int(now[3][i]),
                micro_f1=percentile(float(value), f1[i], units=held),
                line_exact=share(
                    float(now[2][i]), float(now[3][i]), held if grouped else None, exact[i]
                ),
            )
        )
    return out


def _answered(outcome: Outcome, draws: Draws) -> tuple[Answered, ...]:
    """Points of the abstention curve; a line that was not answered is the least sure."""
    if outcome.scores is None or outcome.fields is None:
        return ()
    sure = np.nan_to_num(outcome.scores[:, 1].astype(np.float64), nan=-1.0)
    order = np.argsort(-sure, kind="stable")
    right = outcome.fields.exact.astype(np.float64)
    grouped = draws.count < len(draws.units)
    out: list[Answered] = []
    for part in SHARES:
        rows = max(1, round(part * len(sure)))
        if out and out[-1].rows == rows:
            continue
        chosen = order[:rows]
        out.append(
            Answered(
                share=rows / len(sure),
                rows=rows,
                sure_from=max(0.0, float(sure[chosen[-1]])),
                line_exact=share(
                    float(right[chosen].sum()),
                    rows,
                    len(np.unique(draws.units[chosen])) if grouped else None,
                    _drawn(right, chosen, draws) if grouped else None,
                ),
            )
        )
    return tuple(out)


def _drawn(right: Floats, chosen: Ints, draws: Draws) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.concatenate(
            [right[chosen] @ w[chosen] / w[chosen].sum(axis=0) for w in draws.chunks()]
        )
