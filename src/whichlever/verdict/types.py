"""What a verdict says."""

from __future__ import annotations

from typing import Literal

from whichlever.measure.summary import Frozen


class Reason(Frozen):
    """One sentence, and the figure in ``verdict.json`` that it stands on.

    ``figure`` is a dotted path into the measures (``levers.linear.metrics.macro_f1``,
    ``pairs.linear~prompt.difference``, ``constraints.data_may_leave``).
    """

    text: str
    figure: str


class Standing(Frozen):
    """Where one lever stands: may it be pulled, and why (not).

    ``margin_to_best`` is the simultaneous upper bound of (best of the others − this lever) on the
    goal metric (multiple comparisons with the best); at or below the margin it is non-inferior.
    One change of the task takes ``change_hours`` of an engineer and ``change_dollars`` in all
    (labels to do again and training too), ``changes_per_month`` times a month; they are in
    ``dollars_per_month``.
    """

    lever: str
    state: Literal["eligible", "unproven", "excluded"]
    non_inferior: bool | None
    margin_to_best: float | None
    dollars_per_month: float | None
    reasons: tuple[Reason, ...]
    change_hours: float | None = None
    change_dollars: float | None = None
    changes_per_month: float | None = None


class BreakEven(Frozen):
    """Calls a month from which ``lever`` is cheaper than ``against``; None low is "never"."""

    lever: str
    against: str
    low: float | None
    high: float | None
    text: str


class Advice(Frozen):
    """What one row of the situation table says of this task."""

    situation: str
    holds: bool
    lever: str
    reason: str


class Verdict(Frozen):
    """The lever to pull, the reasons, the evidence behind each, and what would change it.

    ``lever`` is None where the data cannot tell; ``labels_needed`` then says how many more
    labelled test rows would (80 % power at the declared margin). ``audit`` is what the audit found
    that limits every figure.
    """

    task: str
    outcome: Literal["pull", "cannot tell", "none eligible"]
    lever: str | None
    headline: str
    reasons: tuple[Reason, ...]
    standings: tuple[Standing, ...]
    break_evens: tuple[BreakEven, ...]
    would_change: tuple[Reason, ...]
    labels_needed: int | None
    advice: tuple[Advice, ...]
    scope: tuple[str, ...]
    audit: str | None = None
    attack: str = "attack: not measured"
