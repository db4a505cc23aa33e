"""What is known of closing rows unseen: the promises, and what they did to the test rows."""

from __future__ import annotations

from typing import Literal

from whichlever.measure.figure import Interval
from whichlever.prices import Frozen

Scope = Literal["deployment", "each_group", "new_groups"]


class LabelClosed(Frozen):
    """How many rows of one label were closed; ``share`` is None without rows."""

    label: str
    rows: int
    closed: int
    share: Interval | None


class GroupClosed(Frozen):
    """Protected rows of one group that were closed, with their exact interval."""

    group: str
    rows: int
    closed: int
    share: Interval
    label_rows: int
    label_closed: int


class Happened(Frozen):
    """What a threshold does to a set of rows.

    ``noise`` is the share closed of the label that is to be closed, ``missed`` that of all
    protected rows. ``groups`` are those with protected rows, the worst first, at most
    `GROUPS_SHOWN`; ``worst`` is the first of them.
    """

    rows: int
    closed: int
    noise: Interval | None
    missed: Interval | None
    protected_rows: int
    protected_closed: int
    labels: tuple[LabelClosed, ...]
    groups: tuple[GroupClosed, ...] = ()
    groups_in_all: int | None = None


class Stratum(Frozen):
    """One stratum of the evidence: how many units it has, closes, may close and would need."""

    name: str
    units: int
    rows: int
    closed: int | None
    bound: float | None


class Promise(Frozen):
    """One promise: kept (``held``), or refused with what would be needed.

    ``unit`` is what counts as one piece of evidence: a row or a group. ``units`` are those of the
    smallest stratum, ``needed`` the fewest that can show it, with none closed; ``more`` are the
    units missing in all strata and ``more_rows`` about how many labelled calibration rows hold
    them (None where no row of that label was seen). ``bound`` is the upper bound that the promise
    stands on, of the binding stratum. ``threshold`` is in log-odds before calibration, ``odds``
    how many times likelier than a protected label the closed one must be.
    """

    kind: Literal["high confidence", "expected loss"]
    scope: Scope
    text: str
    held: bool
    at_most: float
    confidence: float | None
    unit: Literal["row", "group"]
    units: int
    needed: int
    more: int
    more_rows: int | None
    strata: tuple[Stratum, ...]
    binding: str | None = None
    threshold: float | None = None
    odds: float | None = None
    bound: float | None = None
    calibration: Happened | None = None
    test: Happened | None = None
    refusal: str | None = None


class PathPoint(Frozen):
    """One threshold of the path: what it closes of the calibration rows, and both bounds there.

    ``bound`` is the high-confidence bound at a threshold named beforehand, ``expected`` what
    conformal risk control says of it.
    """

    threshold: float
    noise: float
    missed: float
    bound: float
    expected: float


class LeverAutoclose(Frozen):
    """One lever's promises, or why it has none.

    ``high_confidence`` and ``expected_loss`` are of the task's scope; ``others`` are
    high-confidence promises of the other scopes.
    """

    lever: str
    rows: int
    high_confidence: Promise | None = None
    expected_loss: Promise | None = None
    others: tuple[Promise, ...] = ()
    path: tuple[PathPoint, ...] = ()
    refusal: str | None = None


class Autoclose(Frozen):
    """Closing rows of one label unseen: what each lever can promise.

    A lever whose parts were chosen on the calibration rows (``hybrid``) is not among them.
    """

    label: str
    protect: tuple[str, ...]
    at_most: float
    confidence: float
    review: float
    scope: Scope
    groups: int | None
    levers: tuple[LeverAutoclose, ...]

    def lever(self, name: str) -> LeverAutoclose:
        """One lever's promises; KeyError where it did not run."""
        for found in self.levers:
            if found.lever == name:
                return found
        raise KeyError(name)
