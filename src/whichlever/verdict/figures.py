"""Sentences that stand on a figure: the number in the text is read from the path beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from whichlever.measure.summary import Interval, Measures
from whichlever.task import Task
from whichlever.verdict.types import Reason

DOLLARS = frozenset(
    {
        "dollars_per_month", "marginal", "always_on", "machine_month", "label", "core_hour",
        "engineer_hour", "analyst_hour", "mistake_unit", "dollars_per_call", "with_mistakes",
        "change", "labels", "training", "evaluation", "upkeep",
    }
)  # fmt: skip


def resolve(figure: str, task: Task, measures: Measures | None = None) -> Any:  # noqa: ANN401
    """The value at a reason's path.

    ``levers.NAME…`` and ``pairs.A~B…`` lead into the measures (names may hold dots), ``curve…``,
    ``closing.NAME…``, ``attacks.NAME…``, ``hybrid…`` and ``metric`` too; every other path leads
    into the task.

    Raises
    ------
    KeyError
        Nothing is there.
    """
    root, _, rest = figure.partition(".")
    start: Any = task
    if measures is not None and root in ("levers", "pairs"):
        start = (
            {s.lever: s for s in measures.levers}
            if root == "levers"
            else {f"{p.a}~{p.b}": p for p in measures.pairs}
        )
    elif measures is not None and root == "curve":
        start = {} if measures.curve is None else measures.curve.figures()
    elif measures is not None and root == "ladder":
        rungs = () if measures.ladder is None else measures.ladder.rungs
        start = {found.lever: found for found in rungs}
    elif measures is not None and root == "closing":
        closing = () if measures.autoclose is None else measures.autoclose.levers
        start = {found.lever: found for found in closing}
    elif measures is not None and root == "followed":
        start = {} if measures.change is None else {f.lever: f for f in measures.change.levers}
    elif measures is not None and root == "retrieval":
        start = {found.lever: found for found in measures.retrieval}
    elif measures is not None and root == "hybrid":
        start = {} if measures.hybrid is None else measures.hybrid
    elif measures is not None and root == "noise":
        start = {} if measures.noise is None else measures.noise
    elif measures is not None and root == "attacks":
        start = {} if measures.attacks is None else {f.lever: f for f in measures.attacks.levers}
    elif measures is not None and root == "metric":
        start, rest = measures, figure
    else:
        rest = figure
    try:
        return _walk(start, rest)
    except KeyError:
        raise KeyError(f"no figure at {figure!r}") from None


def _walk(value: Any, path: str) -> Any:  # noqa: ANN401 - whatever the records hold
    if not path:
        return value
    if isinstance(value, BaseModel):
        known: Mapping[str, Any] = {name: getattr(value, name) for name in type(value).model_fields}
    elif isinstance(value, Mapping):
        known = value
    else:
        raise KeyError(path)
    # Names may hold dots themselves: the longest one that fits is meant.
    for name in sorted((str(k) for k in known), key=len, reverse=True):
        if path == name:
            return known[name]
        if path.startswith(name + "."):
            try:
                return _walk(known[name], path[len(name) + 1 :])
            except KeyError:
                continue
    raise KeyError(path)


def spell(value: Any, figure: str) -> str:  # noqa: ANN401 - one line per type
    """Write a figure as a sentence would: intervals in brackets, dollars, milliseconds."""
    last = figure.rsplit(".", 1)[-1]
    if value is None:
        return "not measured"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, Interval):
        return _spell_interval(value, last)
    if isinstance(value, int | float):
        return _spell_number(value, last)
    return str(value)


def _spell_interval(value: Interval, last: str) -> str:
    sign = "+" if last in ("difference", "gain") else ""

    def said(figure: float) -> str:
        return money(figure) if last == "saves" else f"{figure:{sign}.3f}"

    if value.low is None or value.high is None:
        return said(value.value)
    return f"{said(value.value)} ({said(value.low)} to {said(value.high)})"


def _spell_number(value: float, last: str) -> str:
    if last in DOLLARS:
        return money(value)
    if last.endswith("_ms"):
        return f"{value:.3g} ms" if value < 100 else f"{value:,.0f} ms"
    if last in ("p", "p_holm", "p_attainable", "mcnemar"):
        return f"{value:.4f}" if value >= 0.0001 else "under 0.0001"
    if last in ("a_over_b", "b_over_a", "error", "score"):
        return f"{value:.3f}"
    if last in ("gain_low", "gain_high"):
        return f"{value:+.3f}"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:g}"


def spoken(key: str) -> str:
    """A metric's key as a sentence says it: ``macro_f1`` is macro-F1."""
    names = {
        "macro_f1": "macro-F1", "micro_f1": "micro-F1", "line_exact": "whole lines right",
        "exact_match": "exact match", "token_f1": "token-F1", "rouge_l": "ROUGE-L",
        "auc": "AUC",
    }  # fmt: skip
    return names.get(key, key)


def money(dollars: float) -> str:
    """Dollars with as many digits as matter: $1,234, $12.30, $0.0000012."""
    if dollars < 0:
        return f"-{money(-dollars)}"
    if dollars == 0:
        return "$0"
    if dollars >= 100:
        return f"${dollars:,.0f}"
    if dollars >= 1:
        return f"${dollars:.2f}"
    text = f"{dollars:.20f}"
    digits = len(text[2:]) - len(text[2:].lstrip("0"))
    return f"${dollars:.{digits + 2}f}".rstrip("0")


@dataclass(frozen=True)
class Cite:
    """Makes reasons whose numbers are read from the task and the measures."""

    task: Task
    measures: Measures

    def value(self, figure: str) -> Any:  # noqa: ANN401 - whatever the records hold
        """The value at a path."""
        return resolve(figure, self.task, self.measures)

    def reason(self, template: str, figure: str, **more: str) -> Reason:
        """Fill ``{0}`` with the figure's value and ``{name}`` with the values of other paths.

        Other braces stay: labels and model names may hold some.
        """
        filled = {name: spell(self.value(path), path) for name, path in more.items()}
        filled["0"] = spell(self.value(figure), figure)
        text = re.sub(r"\{(\w+)\}", lambda m: filled.get(m[1], m[0]), template)
        return Reason(text=text, figure=figure)

    def pair(self, a: str, b: str) -> str:
        """The path of two levers' pair."""
        found = self.measures.pair(a, b)
        return f"pairs.{found.a}~{found.b}"
