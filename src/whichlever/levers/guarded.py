"""A lever measured once more with a guard before the label that closes a row."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from whichlever.errors import DataError, TaskError
from whichlever.infer.guard import TIE, GuardedPredictor
from whichlever.infer.guard_novelty import Novelty
from whichlever.infer.guard_text import canonical
from whichlever.levers.base import Context, Fit, Lever
from whichlever.predict import Predictor, Row
from whichlever.run import read_json, write_json
from whichlever.settings_attack import AttackSettings
from whichlever.settings_guard import GuardSettings, guard_views, untrusted_fields
from whichlever.task import Task

FACTS = "guard.json"

SUFFIX = "-guarded"

GUARDED = ("linear", "finetune-static", "finetune-encoder", "finetune-joined")
"""Levers that a guard can stand before: owned, with probabilities, and cheap to ask again."""


def closing_label(task: Task, settings: GuardSettings) -> str:
    """The label that closes a row.

    Raises
    ------
    TaskError
        Neither ``guard:`` nor ``attack:``, ``autoclose:``, ``mistakes:`` or ``workload:`` tells.
    """
    if settings.closes is not None:
        return settings.closes
    if task.attack is not None and task.attack.into is not None:
        return task.attack.into
    if task.autoclose is not None:
        return task.autoclose.label
    costs = {(t, s): c for t, row in task.mistakes.items() for s, c in row.items() if t != s}
    if costs:
        return max(costs, key=lambda pair: costs[pair])[1]
    if task.workload is not None:
        return task.workload.quiet[0]
    raise TaskError("guard: which label closes a row? say guard.closes (or mistakes:, autoclose:)")


class Guarded:
    """The part's answers, but the closing label only where every head of the text says it.

    Parameters
    ----------
    part
        The lever behind the guard, whose fit it is given.
    settings
        The task's ``guard:``.
    closes
        The label that closes a row.
    attack
        The task's ``attack:``, whose controls are untrusted unless the guard names fields.
    """

    def __init__(
        self,
        part: Lever,
        settings: GuardSettings,
        closes: str,
        attack: AttackSettings | None = None,
    ) -> None:
        self.id = f"{part.id}{SUFFIX}"
        self.parts = (part,)
        self._settings, self._closes = settings, closes
        self._views = guard_views(settings, attack)
        self._untrusted = untrusted_fields(settings, attack)

    def settings(self) -> Mapping[str, Any]:
        """The part's settings and the guard's."""
        return {
            "part": dict(self.parts[0].settings()),
            "guard": self._settings.model_dump(mode="json", exclude={"levers"}),
            "closes": self._closes,
            "views": list(self._views),
            "untrusted": list(self._untrusted),
            "method": 3,
        }

    @property
    def files(self) -> tuple[str, ...]:
        """The files that the part depends on."""
        return tuple(getattr(self.parts[0], "files", ()))

    def check(self, task: Task) -> None:
        """Raise early what the part would raise late."""
        early = getattr(self.parts[0], "check", None)
        if early is not None:
            early(task)

    def estimate_seconds(self, train: int, valid: int) -> float | None:
        """About how long choosing the floor takes; the part is fitted before."""
        return 1.0 if self._settings.hand_over is None else 1.0 + valid * 0.1

    def fit(self, train: Sequence[Row], valid: Sequence[Row], context: Context) -> Fit:
        """Choose the shortest head on training rows, the floor on calibration rows.

        Raises
        ------
        DataError
            No row has the closing label, or there are no calibration rows to choose on.
        """
        if self._closes not in context.labels:
            raise DataError(f"guard: no row has the label {self._closes!r}; see guard.closes")
        part = context.parts[self.parts[0].id]
        file = context.folder / FACTS
        if not file.exists():
            write_json(file, self._choose(part, (*train, *valid), context))
        chosen = read_json(file)
        predictor = guarded(part.predictor, context.labels, chosen)
        return Fit(
            predictor=predictor,
            what=f"{part.what}; says {self._closes} only where {_told(self._views)} too",
            chosen={"guard": chosen, "part": dict(part.chosen)},
            rows_seen=part.rows_seen,
            max_rows=part.max_rows,
            place=part.place,
            seeds=part.seeds,
        )

    def _choose(self, part: Fit, rows: Sequence[Row], context: Context) -> dict[str, Any]:
        settings = self._settings
        least = settings.least
        if least is None:
            others = [len(row.text) for row in rows if row.target != self._closes]
            least = max(1, min(others, default=1))
        if "trusted" in self._views and not self._untrusted:
            raise DataError(
                "guard.views: trusted is the text without fields that an attacker writes; name "
                "them in guard.untrusted"
            )
        if "trusted" in self._views and all(row.trusted in (None, row.text) for row in rows):
            raise DataError(
                f"guard.untrusted: no training row reads differently without "
                f"{' and '.join(self._untrusted)}; name a column of data.input"
            )
        chosen: dict[str, Any] = {
            "closes": self._closes, "least": least, "floor": 0.0, "views": list(self._views),
            "trusted_floor": 0.0, "untrusted": list(self._untrusted),
            "one_form": settings.canonical, "novelty": None,
        }  # fmt: skip
        if any(s is not None for s in (settings.hand_over, settings.spare, settings.novelty)):
            chosen |= self._floors(part, rows, context, chosen)
        return chosen

    def _floors(
        self, part: Fit, rows: Sequence[Row], context: Context, chosen: Mapping[str, Any]
    ) -> dict[str, Any]:
        """What calibration rows that are rightly closed allow, each share by itself."""
        settings = self._settings
        out: dict[str, Any] = {}
        mine = [row for row in context.calibrate if row.target == self._closes]
        said = part.predictor.predict(mine) if mine else []
        mine = [r for r, a in zip(mine, said, strict=True) if a.label == self._closes]
        if not mine:
            raise DataError(
                "guard.hand_over, spare, novelty: no calibration row is rightly closed; leave "
                "them out, or give more calibration rows"
            )
        asked = guarded(part.predictor, context.labels, chosen)
        if settings.hand_over is not None:
            out["floor"] = min(0.0, _allowed(asked.margins(mine), settings.hand_over))
            out["hand_over"] = settings.hand_over
        if settings.spare is not None and "trusted" in self._views:
            leads = asked.trusted_leads(mine)
            leads = leads[leads >= TIE]
            if len(leads):
                out["trusted_floor"] = max(0.0, _allowed(leads, settings.spare))
            out["spare"] = settings.spare
        if settings.novelty is not None:
            words = Novelty.of(_form(row.text, settings) for row in rows)
            shares = np.array([words.share(_form(row.text, settings)) for row in mine])
            limit = -_allowed(-shares, settings.novelty)
            bits = base64.b64encode(words.bits).decode("ascii")
            out["novelty"] = {"bits": bits, "limit": limit, "share": settings.novelty}
        return {**out, "rows": len(mine)}


def guarded(part: Predictor, labels: Sequence[str], chosen: Mapping[str, Any]) -> GuardedPredictor:
    """The predictor behind the guard that was chosen."""
    novelty = chosen["novelty"]
    return GuardedPredictor(
        part, tuple(labels), chosen["closes"], chosen["least"], chosen["floor"],
        tuple(chosen["views"]), chosen["trusted_floor"], tuple(chosen["untrusted"]),
        chosen["one_form"],
        None if novelty is None else Novelty(base64.b64decode(novelty["bits"]), novelty["limit"]),
    )  # fmt: skip


def _allowed(values: npt.NDArray[np.float64], share: float) -> float:
    """The value that no more than a share of the others lies below."""
    return float(np.sort(values)[int(share * len(values))])


def _form(text: str, settings: GuardSettings) -> str:
    return canonical(text) if settings.canonical else text


def _told(views: Sequence[str]) -> str:
    words = {
        "trusted": "the text without untrusted fields does",
        "beginnings": "every head of the text does",
        "endings": "every ending does",
    }
    return " and ".join(words[view] for view in views)
