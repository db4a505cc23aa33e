"""What a lever would mean for the people on shift: the records; `measure.shift` works them out."""

from __future__ import annotations

from typing import Literal

from whichlever.measure.figure import Interval
from whichlever.prices import Frozen

RankedBy = Literal["scores", "answers"]


class Minutes(Frozen):
    """A wait in minutes, with its interval; None is "not within a day"."""

    value: float | None
    low: float | None
    high: float | None


class Wait(Frozen):
    """How long an urgent alert waits for a look, by simulation (`measure.queue`).

    ``reached`` is the share looked at within a day; the rest is never looked at.
    """

    reached: Interval
    median: Minutes
    p95: Minutes


class Gain(Frozen):
    """After so large a share of the queue was looked at, so large a share of urgent is found."""

    looked: float
    reached: Interval


class LeverShift(Frozen):
    """One lever on shift.

    Two policies, each used for what it is named at. *Closed*: what the lever calls quiet is closed
    unseen, everything else (unanswered rows too) is looked at. *Sorted*: nothing is closed; alerts
    are looked at in order of expected urgency.

    Attributes
    ----------
    rows, urgent_rows, missed_rows
        Test rows it answered, how many of them are urgent, and how many of those it calls quiet.
    ranked_by
        What the order stands on: calibrated scores, or only the answers.
    looked
        Closed: share of alerts that a person still looks at.
    alerts_per_hour
        Closed: alerts dealt with per analyst-hour; None where nothing is looked at at all.
    urgent_per_hour
        Closed: urgent alerts found per analyst-hour of looking.
    analysts
        Closed: analysts at work together who could look at everything that is left.
    missed, missed_per_month
        Closed: share of urgent alerts closed unseen, and their number in a month; the interval
        is Clopper and Pearson's, over groups where rows come in groups.
    first_hour, shift
        Sorted: share of a day's urgent alerts among the first alerts of its queue, as many as one
        analyst looks at in an hour, and as the desk does in a day.
    wait, gain
        Sorted.
    """

    lever: str
    rows: int
    urgent_rows: int
    missed_rows: int
    ranked_by: RankedBy
    looked: Interval
    alerts_per_hour: Interval | None
    urgent_per_hour: Interval | None
    analysts: Interval
    missed: Interval | None
    missed_per_month: Interval | None
    first_hour: Interval | None
    shift: Interval | None
    wait: Wait | None
    gain: tuple[Gain, ...]


class Grouping(Frozen):
    """Alerts grouped into incidents by shared entities within a window; no label is used for it.

    ``rows`` are all rows of the task that have a time and an entity; ``grouped`` of them share an
    incident with another. ``saved`` is the share of looks saved where an incident takes one look.
    ``purity`` is the share of alerts that have the label of most alerts of their incident, of
    incidents of two alerts and more; ``mixed`` the share of such incidents with an urgent alert
    that hold a quiet one too. ``precision``, ``recall`` and ``f1`` are of pairs of alerts in one
    incident against the incidents known to be true, where the task names them.
    """

    rows: int
    without: int
    window_minutes: float
    incidents: int
    grouped: int
    largest: int
    saved: Interval
    per_incident: float
    everywhere: tuple[str, ...]
    purity: Interval | None
    mixed: Interval | None
    mixed_incidents: int
    urgent_incidents: int
    true_incidents: int | None = None
    precision: Interval | None = None
    recall: Interval | None = None
    f1: Interval | None = None


class Workload(Frozen):
    """The desk, what a day brings it, and what each lever would change.

    ``mix`` is each label's share of the alerts; ``mix_given`` says that the task gave it, else it
    is the test rows'. ``looks_per_day`` is what the desk can do; ``grain`` is for how many alerts
    a day one quiet test row stands: an order finer than that cannot be seen.
    ``alerts_per_hour``, ``urgent_per_hour`` and ``wait`` are as it is now: every alert is looked
    at in the order it comes.
    """

    urgent: tuple[str, ...]
    quiet: tuple[str, ...]
    alerts_per_day: float
    urgent_per_day: float
    urgent_per_month: float
    mix: dict[str, float]
    mix_given: bool
    minutes_per_alert: float
    analysts: int
    shift_hours: float
    looks_per_day: float
    grain: float
    alerts_per_hour: float
    urgent_per_hour: float
    wait: Wait | None
    levers: tuple[LeverShift, ...]
    grouping: Grouping | None = None

    def lever(self, name: str) -> LeverShift:
        """One lever's figures; KeyError where there are none."""
        for found in self.levers:
            if found.lever == name:
                return found
        raise KeyError(name)
