"""What the levers would mean on shift, and which alerts belong together: from a run's rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from whichlever.data import Dataset
from whichlever.data.incident_lines import Reading
from whichlever.data.incidents import Alert, Incident, group_alerts
from whichlever.data.presence import Presence
from whichlever.errors import TaskError
from whichlever.measure import Outcome
from whichlever.measure.figure import Interval
from whichlever.measure.grouping import pairwise, purity, saved_looks
from whichlever.measure.intervals import share
from whichlever.measure.queue import Desk
from whichlever.measure.shift import closing_cost, lever_shift, per_month
from whichlever.measure.shift_wait import Setting, before
from whichlever.measure.workload import Grouping, Workload
from whichlever.progress import Progress
from whichlever.render import find_pack
from whichlever.settings import WorkloadSettings
from whichlever.task import Task
from whichlever.taskfile import nearest

DAYS_PER_MONTH = 30.4
SHOWN = 10
"""Entities that link nothing which are named."""


def check_workload(task: Task, labels: Sequence[str]) -> None:
    """Say before anything runs that the workload names labels that are not there.

    Raises
    ------
    TaskError
        A label that no row has, or a label without a share in the mix.
    """
    workload = task.workload
    if workload is None:
        return
    for name in (*workload.urgent, *workload.quiet, *workload.mix):
        if name not in labels:
            raise TaskError(f"workload: {name!r} is not one of the labels{nearest(name, labels)}")
    for name in labels if workload.mix else ():
        if name not in workload.mix:
            raise TaskError(f"workload.mix: {name!r} has no share; 0 is one")


def measure_workload(
    outcomes: Sequence[Outcome], task: Task, dataset: Dataset, seed: int, progress: Progress
) -> Workload | None:
    """Every lever's figures on shift, and the grouping of the rows; None without ``workload:``.

    Parameters
    ----------
    outcomes
        One per lever, on the test rows.
    dataset
        All rows; those with a time and an entity are grouped, whatever their role, since grouping
        uses no label and chooses nothing.
    """
    settings = task.workload
    if settings is None:
        return None
    longest = max(outcomes, key=len)
    labels = dataset.labels
    setting = _setting(task, settings, labels, longest, seed)
    levers = []
    with progress.step("on shift", total=len(outcomes)) as bar:
        waiting = before(longest.targets, setting)
        for outcome in outcomes:
            levers.append(lever_shift(outcome, setting))
            bar.advance()
    urgent = setting.per_day * float(setting.mix[setting.urgent].sum())
    grain = [
        setting.mix[i] / n
        for i, n in enumerate(np.bincount(longest.targets[longest.targets >= 0]).tolist())
        if setting.quiet[i] and n
    ]
    return Workload(
        urgent=tuple(settings.urgent),
        quiet=tuple(settings.quiet),
        alerts_per_day=setting.per_day,
        urgent_per_day=urgent,
        urgent_per_month=per_month(urgent),
        mix=dict(zip(labels, setting.mix.tolist(), strict=True)),
        mix_given=bool(settings.mix),
        minutes_per_alert=settings.minutes_per_alert,
        analysts=settings.analysts,
        shift_hours=settings.shift_hours,
        looks_per_day=setting.desk.looks_per_day,
        grain=setting.per_day * max(grain, default=0.0),
        alerts_per_hour=setting.per_hour,
        urgent_per_hour=setting.per_hour * float(setting.mix[setting.urgent].sum()),
        wait=waiting,
        levers=tuple(levers),
        grouping=measure_grouping(dataset, settings, seed),
    )


def _setting(
    task: Task, settings: WorkloadSettings, labels: Sequence[str], longest: Outcome, seed: int
) -> Setting:
    known = longest.targets[longest.targets >= 0]
    mix = np.bincount(known, minlength=len(labels)) / max(len(known), 1)
    if settings.mix:
        mix = np.array([settings.mix[label] for label in labels])
    return Setting(
        desk=Desk(settings.analysts, 60 * settings.shift_hours, settings.minutes_per_alert),
        per_day=settings.alerts_per_day or task.constraints.calls_per_month / DAYS_PER_MONTH,
        mix=mix,
        urgent=np.array([label in settings.urgent for label in labels]),
        quiet=np.array([label in settings.quiet for label in labels]),
        cost=closing_cost(task, labels, settings.quiet),
        seed=seed,
    )


def measure_grouping(dataset: Dataset, settings: WorkloadSettings, seed: int) -> Grouping | None:
    """Group all rows that have a time and name somebody; None where fewer than two do."""
    alerts = [
        Alert(row.id, row.time, dataset.entities[row.id], row.target)
        for row in dataset.rows
        if row.time is not None and row.id in dataset.entities
    ]
    if len(alerts) < 2:
        return None
    window = 60 * settings.window_minutes
    incidents = group_alerts(alerts, window)
    sizes = [len(incident.alerts) for incident in incidents]
    many = [incident for incident in incidents if len(incident.alerts) > 1]
    hot = [one for one in many if any(label in settings.urgent for label in one.labels)]
    mixed = sum(any(label in settings.quiet for label in one.labels) for one in hot)
    scored = _against_truth(incidents, dataset, seed)
    return Grouping(
        rows=len(alerts),
        without=len(dataset.rows) - len(alerts),
        window_minutes=settings.window_minutes,
        incidents=len(incidents),
        grouped=sum(len(one.alerts) for one in many),
        largest=max(sizes),
        saved=saved_looks(sizes, seed),
        per_incident=len(alerts) / len(incidents),
        everywhere=_everywhere(alerts, window),
        purity=purity([one.labels for one in many]),
        mixed=share(mixed, len(hot), None, None) if hot else None,
        mixed_incidents=mixed,
        urgent_incidents=len(hot),
        precision=scored[0] if scored else None,
        recall=scored[1] if scored else None,
        f1=scored[2] if scored else None,
        true_incidents=scored[3] if scored else None,
    )


def _against_truth(
    incidents: Sequence[Incident], dataset: Dataset, seed: int
) -> tuple[Interval, Interval, Interval, int] | None:
    """Pairwise precision, recall and F1, and how many true incidents there are."""
    put = {row: place for place, one in enumerate(incidents) for row in one.alerts}
    names = {name: place for place, name in enumerate(sorted(set(dataset.incidents.values())))}
    rows = [row for row in put if row in dataset.incidents]
    if len(names) < 2 or len(rows) < 2:
        return None
    truth = [names[dataset.incidents[row]] for row in rows]
    return *pairwise([put[row] for row in rows], truth, seed), len(set(truth))


def _everywhere(alerts: Sequence[Alert], window: float) -> tuple[str, ...]:
    presence = Presence(window)
    for alert in sorted(alerts, key=lambda alert: alert.time):
        presence.add(alert.time, alert.entities)
    return tuple(sorted(presence.names())[:SHOWN])


def reading(
    task: Task | None,
    *,
    pack: str,
    entity: tuple[str, ...],
    time: str | None,
    id: str | None,
    label: str | None,
    order: str | None,
) -> tuple[Reading, float]:
    """How the incidents verb reads alerts, and its window in minutes: options before the task."""
    data = task.data if task is not None else None
    workload = task.workload if task is not None else None
    ranked = tuple(order.split(",")) if order else ()
    if not ranked and task is not None:
        ends = workload or WorkloadSettings(urgent=["urgent"], quiet=["quiet"])
        middle = [name for name in task.labels if name not in (*ends.urgent, *ends.quiet)]
        ranked = tuple(name for name in (*ends.urgent, *middle, *ends.quiet) if name in task.labels)
    named = task.pack if task is not None else pack
    how = Reading(
        pack=find_pack(named)[0] if named else None,
        entity=entity or (tuple(workload.entity) if workload else ()),
        time=time or (data.time if data else None),
        id=id or (data.id if data else None),
        label=label or (data.target if data else None),
        order=ranked,
    )
    if not how.entity and getattr(how.pack, "entities", None) is None:
        raise TaskError("nothing links alerts: name columns with --entity, or in workload.entity")
    return how, workload.window_minutes if workload else 60.0
