"""The value behind a reason: a dotted path into the measures or the task, looked up and said."""

from __future__ import annotations

from typing import Any

from whichlever.measure.summary import Interval, LeverSummary
from whichlever.report import wording
from whichlever.report.files import RunFiles


def value_behind(figure: str, files: RunFiles) -> str:
    """Say the value that ``figure`` points at, e.g. ``.840 [.801, .871]``; empty if unknown.

    Paths are those of `whichlever.verdict.types.Reason`: ``levers.LEVER.…``, ``pairs.A~B.…``, and
    ``constraints.…``, ``goal.…``, ``prices.…`` of the task. Names of levers and labels may hold
    dots themselves, so they are matched whole.
    """
    head, _, rest = figure.partition(".")
    if head == "levers":
        for summary in sorted(files.measures.levers, key=lambda s: -len(s.lever)):
            if rest.startswith(summary.lever + "."):
                return _of_lever(summary, rest[len(summary.lever) + 1 :])
    elif head == "pairs":
        for pair in files.measures.pairs:
            for name, sign in ((f"{pair.a}~{pair.b}", 1), (f"{pair.b}~{pair.a}", -1)):
                if rest.startswith(name + "."):
                    return _of_pair(pair, rest[len(name) + 1 :], sign)
    elif head in ("constraints", "goal", "prices") and files.task is not None:
        return _plain(getattr(getattr(files.task, head), rest, None))
    return ""


def _of_lever(summary: LeverSummary, path: str) -> str:
    head, _, rest = path.partition(".")
    if head in ("metrics", "without_leaks"):
        return _interval((getattr(summary, head) or {}).get(rest))
    if head == "cost":
        value = getattr(summary.cost, rest, None)
        if rest in ("marginal", "always_on"):
            per_call, scaled = wording.per_call(value)
            return scaled or per_call
        return wording.size(value) if rest == "bytes_out" else _plain(value)
    if head == "latency":
        value = getattr(summary.latency, rest, None)
        return wording.milliseconds(value) if rest.endswith("_ms") else _plain(value)
    if head == "calibration" and summary.calibration is not None:
        return _plain(getattr(summary.calibration, rest, None))
    return _plain(getattr(summary, path, None))


def _of_pair(pair: Any, path: str, sign: int) -> str:  # noqa: ANN401 - Pair
    value = getattr(pair, path, None)
    if isinstance(value, Interval):
        if sign < 0:
            low, high = value.low, value.high
            value = Interval(
                value=-value.value,
                low=None if high is None else -high,
                high=None if low is None else -low,
            )
        return wording.signed(value)
    return f"p {wording.probability(value)}" if path.startswith(("p", "mcnemar")) else _plain(value)


def _interval(figure: Interval | None) -> str:
    return "" if figure is None else wording.interval(figure)


def _plain(value: Any) -> str:  # noqa: ANN401 - any field of a record
    if isinstance(value, Interval):
        return wording.interval(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return wording.share(value) if 0 < abs(value) < 1 else f"{value:,.12g}"
    return value if isinstance(value, str) else ""
