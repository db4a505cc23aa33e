"""Six months of a simulated company's alerts, and the best score anyone could reach on them.

Everything is seeded, and the same on every Python. Nothing in it is real: rows say ``simulated``.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from whichlever.data.simulate import BestPossible, Dice, best_possible, normalised
from whichlever.packs.triage import company as at
from whichlever.packs.triage.alerts import Event, alert_of
from whichlever.packs.triage.bursts import Scene, deal
from whichlever.packs.triage.causes import ANALYST, CAUSES, INTRUSIONS, LABELS
from whichlever.packs.triage.posterior import (
    Seen,
    hours,
    peers,
    posterior,
    seen_of,
    tables,
    users,
)

START = int(datetime(2025, 1, 6, tzinfo=UTC).timestamp())
"""A Monday; the simulated half-year is 180 days."""


@dataclass(frozen=True)
class Simulated:
    """One simulated alert: the row of the task, and what only the simulator knows of it."""

    row: dict[str, Any]
    cause: str
    incident: str
    seen: Seen
    month: int
    posterior: dict[str, float]

    def truth(self) -> dict[str, Any]:
        """The line of ``truth.jsonl``: never an input of the task."""
        return {
            "id": self.row["id"],
            "simulated": True,
            "cause": self.cause,
            "incident": self.incident,
            "intrusion": INTRUSIONS.get(self.cause),
            "true_label": CAUSES[self.cause].label,
            "written_label": self.row["label"],
            "bayes": {label: round(p, 6) for label, p in self.posterior.items()},
        }


def simulate(rows: int = 4000, seed: int = 0) -> list[Simulated]:
    """Draw ``rows`` alerts over six months, oldest first.

    Causes are drawn independently within a month (as many rows in each), and `bursts` lets the
    alerts of one story share their draws, so the posteriors of `posterior` hold row by row; see
    there for the derivation.
    """
    dice = Dice(seed)
    weights = {name: cause.weight for name, cause in CAUSES.items()}
    causes = [(place * at.MONTHS // rows, dice.draw(weights)) for place in range(rows)]
    drawn = []
    for number, (scene, places) in enumerate(deal(causes, dice)):
        offsets = sorted(dice.share() for _ in places)  # the chain in its order
        for place, offset in zip(places, offsets, strict=True):
            month, name = causes[place]
            drawn.append((*_draw(month, name, offset, scene), name, number, scene))
    drawn.sort(key=lambda item: item[0].second)
    width = len(str(rows))
    incidents: dict[int, str] = {}
    made = []
    for place, (event, part, cause, number, scene) in enumerate(drawn):
        incident = incidents.setdefault(number, f"case-{len(incidents):0{width}d}")
        name = f"sim-{place:0{width}d}"
        made.append(_row(name, event, cause, part, incident, scene))
    return made


def _draw(month: int, name: str, offset: float, scene: Scene) -> tuple[Event, str]:
    """One thing that happened, and its part of the day and week."""
    rules, hosts, shades = tables(name, month)
    host = scene.draw("host", hosts)
    part = scene.draw("part", hours(CAUSES[name], host))
    event = Event(
        signature=scene.dice.draw(rules),
        host=host,
        peer=scene.draw("peer", peers(name, host, month)),
        user=scene.draw("user", users(name)),
        shade=scene.dice.draw(shades),
        month=month,
        second=_second(month, part, offset, scene),
    )
    return event, part


def _second(month: int, part: str, offset: float, scene: Scene) -> int:
    """A second of the month in this part of the day and week; a burst keeps within one hour."""
    week, time = part.split(" ")
    first = month * at.MONTH_DAYS
    days = [d for d in range(first, first + at.MONTH_DAYS) if (d % 7 > 4) == (week == "weekend")]
    hour = scene.draw("hour", dict.fromkeys(at.HOURS[time], 1.0))
    day = scene.draw("day", dict.fromkeys(days, 1.0))
    return START + day * 86_400 + hour * 3600 + int(3600 * offset)


def _row(name: str, event: Event, cause: str, part: str, incident: str, scene: Scene) -> Simulated:
    dice = scene.dice
    alert = alert_of(event, dice, scene)
    seen = seen_of(event.signature, event.host, event.peer, event.user, part, event.shade)
    label = dice.draw(ANALYST[CAUSES[cause].label])
    rule = alert["rule"]["id"] if "rule" in alert else str(alert["alert"]["signature_id"])
    row = {
        "id": name,
        "simulated": True,
        "time": event.second,
        "rule_id": rule,
        "host": alert["agent"]["name"] if "agent" in alert else event.host,
        "incident": incident,
        "label": label,
        "alert": alert,
    }
    return Simulated(row, cause, incident, seen, event.month, posterior(seen, event.month))


def bayes_score(
    truth: Iterable[Mapping[str, Any]], ids: Collection[str] | None = None
) -> BestPossible:
    """The best possible score on the rows named by ``ids`` (all, where None).

    ``truth`` are lines of ``truth.jsonl``. See `whichlever.data.simulate.best_possible` for what
    each figure means.
    """
    wanted = None if ids is None else frozenset(ids)
    lines = [line for line in truth if wanted is None or line["id"] in wanted]
    chances = np.array([[line["bayes"][label] for label in LABELS] for line in lines])
    targets = [LABELS.index(line["written_label"]) for line in lines]
    return best_possible(chances.reshape(len(lines), len(LABELS)), targets)


def read_truth(path: Path) -> list[dict[str, Any]]:
    """The lines of a ``truth.jsonl`` that the template wrote."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def label_error_rate() -> float:
    """The share of written labels that are wrong, in expectation."""
    weights = normalised({name: cause.weight for name, cause in CAUSES.items()})
    return float(
        sum(share * (1 - ANALYST[CAUSES[n].label][CAUSES[n].label]) for n, share in weights.items())
    )
