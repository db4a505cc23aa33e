"""Was the document not found, or not understood? The same reader with the right one handed over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from whichlever.measure.figure import Interval
from whichlever.measure.intervals import share
from whichlever.prices import Frozen

ORACLES: Mapping[str, str] = {"rag-oracle": "rag", "rag-match-oracle": "rag-match"}
"""Diagnostic levers, and the lever that each tells about. They are never pulled."""

DEPTHS = (1, 3, 5, 10)

Blame = Literal["search", "reader", "both", "neither shown"]


class Retrieval(Frozen):
    """What a retrieving lever's search finds, and what its reader makes of the right document.

    ``recall`` is the share of the ``rows`` test rows whose own document is among the first so many
    documents found (keys "1", "3", …). ``worth`` is the oracle's score less the lever's on the rows
    both answered, ``short`` the best other lever's (``best``) less the oracle's; both are paired
    and on the goal metric, None where no oracle ran.
    """

    lever: str
    oracle: str | None
    rows: int
    recall: dict[str, Interval]
    worth: Interval | None
    best: str | None
    short: Interval | None
    blame: Blame | None
    text: str


def recall_at(ranks: Sequence[int | None], depths: Sequence[int] = DEPTHS) -> dict[str, Interval]:
    """Share of rows whose document is found by each depth, with exact intervals.

    Parameters
    ----------
    ranks
        The place of each row's document among those found, from 1; None is not found.
    """
    out = {}
    for depth in depths:
        hits = sum(rank is not None and rank <= depth for rank in ranks)
        out[str(depth)] = share(float(hits), len(ranks), None, None)
    return out


def blame_of(worth: Interval, short: Interval | None, margin: float) -> Blame:
    """What is shown to fail: search where the right document is worth more than the margin;
    the reader where even with it another lever is ahead by more than the margin.
    """
    search = worth.low is not None and worth.low > margin
    reader = short is not None and short.low is not None and short.low > margin
    if search and reader:
        return "both"
    return "search" if search else "reader" if reader else "neither shown"


def sentence(found: Retrieval, metric: str, margin: float) -> str:
    """The record in words."""
    text = ""
    if found.recall:
        shares = ", ".join(f"{f.value:.3f} among the first {k}" for k, f in found.recall.items())
        text = f"{found.lever} finds the right document, on {found.rows} rows: {shares}."
    if found.worth is None or found.oracle is None:
        return text
    worth = f"{found.oracle} minus {found.lever} is {_signed(found.worth)}"
    said = {
        "search": f"With the right document handed over it would do better by more than the "
        f"margin of {margin:g}: the search fails, not the reader",
        "reader": f"Even with the right document handed over it stays behind {found.best} by more "
        f"than the margin of {margin:g}: the reader fails, not the search",
        "both": f"Both fail: the right document handed over is worth more than the margin of "
        f"{margin:g}, and even with it {found.best} stays ahead by more than that",
        "neither shown": "Neither the search nor the reader is shown to fail",
    }[found.blame or "neither shown"]
    tail = ""
    if found.short is not None and found.best is not None:
        tail = f"; {found.best} minus {found.oracle} is {_signed(found.short)}"
    return f"{text} {said} ({worth}{tail}, {metric}).".strip()


def _signed(figure: Interval) -> str:
    if figure.low is None or figure.high is None:
        return f"{figure.value:+.3f}"
    return f"{figure.value:+.3f} ({figure.low:+.3f} to {figure.high:+.3f})"


def turned(figure: Interval) -> Interval:
    """The same difference the other way round."""
    return Interval(
        value=-figure.value,
        low=None if figure.high is None else -figure.high,
        high=None if figure.low is None else -figure.low,
        level=figure.level,
    )
