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
    seen: Seen
    month: int
    posterior: dict[str, float]

    def truth(self) -> dict[str, Any]:
        """The line of ``truth.jsonl``: never an input of the task."""
        return {
            "id": self.row["id"],
            "simulated": True,
            "cause": self.cause,
            "intrusion": INTRUSIONS.get(self.cause),
            "true_label": CAUSES[self.cause].label,
            "written_label": self.row["label"],
            "bayes": {label: round(p, 6) for label, p in self.posterior.items()},
        }


def simulate(rows: int = 4000, seed: int = 0) -> list[Simulated]:
    """Draw ``rows`` alerts over six months, oldest first.

    Causes are drawn independently within a month (as many rows in each), so the posteriors of
    `posterior` hold row by row; see there for the derivation.
    """
    dice = Dice(seed)
    drawn = []
    for place in range(rows):
        month = place * at.MONTHS // rows
        drawn.append(_draw(month, dice))
    drawn.sort(key=lambda item: item[0].second)
    width = len(str(rows))
    return [
        _row(f"sim-{place:0{width}d}", event, cause, part, dice)
        for place, (event, cause, part) in enumerate(drawn)
    ]


def _draw(month: int, dice: Dice) -> tuple[Event, str, str]:
    name = dice.draw({name: cause.weight for name, cause in CAUSES.items()})
    rules, hosts, shades = tables(name, month)
    host = dice.draw(hosts)
    part = dice.draw(hours(CAUSES[name], host))
    event = Event(
        signature=dice.draw(rules),
        host=host,
        peer=dice.draw(peers(name, host, month)),
        user=dice.draw(users(name)),
        shade=dice.draw(shades),
        month=month,
        second=_second(month, part, dice),
    )
    return event, name, part


def _second(month: int, part: str, dice: Dice) -> int:
    """A second of the month in this part of the day and week, each as likely."""
    week, time = part.split(" ")
    first = month * at.MONTH_DAYS
    days = [d for d in range(first, first + at.MONTH_DAYS) if (d % 7 > 4) == (week == "weekend")]
    hour = dice.pick(at.HOURS[time])
    return START + dice.pick(days) * 86_400 + hour * 3600 + dice.below(3600)


def _row(name: str, event: Event, cause: str, part: str, dice: Dice) -> Simulated:
    alert = alert_of(event, dice)
    seen = seen_of(event.signature, event.host, event.peer, event.user, part, event.shade)
    label = dice.draw(ANALYST[CAUSES[cause].label])
    rule = alert["rule"]["id"] if "rule" in alert else str(alert["alert"]["signature_id"])
    row = {
        "id": name,
        "simulated": True,
        "time": event.second,
        "rule_id": rule,
        "host": alert["agent"]["name"] if "agent" in alert else event.host,
        "label": label,
        "alert": alert,
    }
    return Simulated(row, cause, seen, event.month, posterior(seen, event.month))


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
