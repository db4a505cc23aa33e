"""How much training fits in the time there is, worked out before the long part begins."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from whichlever.errors import RunError
from whichlever.models.static_distill import write_aside

FEWEST_EPOCHS = 1.5
"""Passes below which rows are dropped rather than passes."""

SPARE = 0.9
"""Share of the budget that is planned for."""


@dataclass(frozen=True)
class Plan:
    """What will be trained.

    ``seconds`` is the estimate for it; ``asked_seconds`` the one for what was asked; ``shrunk``
    says in words what was given up, or is None; ``stop_at`` is the step at which a machine that
    became much slower than planned ended training, None where none did.
    """

    rows: int
    epochs: float
    seconds: float
    asked_seconds: float
    shrunk: str | None
    stop_at: int | None = None


def keep_plan(file: Path, made: Plan) -> None:
    """Write a plan down before anything is trained by it: the clock is asked only once."""
    write_aside(file, json.dumps(asdict(made)).encode())


def kept_plan(file: Path) -> Plan | None:
    """The plan of an earlier start of the same training; None where there was none.

    Raises
    ------
    RunError
        The file is damaged.
    """
    if not file.exists():
        return None
    try:
        return Plan(**json.loads(file.read_bytes()))
    except (ValueError, TypeError):
        raise RunError(f"{file}: is damaged; remove its folder, training starts again") from None


def plan(
    rows: int,
    epochs: float,
    tokens_per_row: float,
    train_speed: float,
    check_seconds: float,
    budget_seconds: float,
    around_seconds: float = 0.0,
) -> Plan:
    """Fit rows and epochs into a time budget: fewer epochs first, then fewer (newest) rows.

    Parameters
    ----------
    rows, epochs
        What was asked.
    tokens_per_row
        Mean length of a training row in tokens.
    train_speed
        Tokens per second of a training step, measured.
    check_seconds
        Seconds that one scoring of the validation rows takes; once per epoch.
    budget_seconds
        Seconds there are.
    around_seconds
        Seconds of what comes before and after (the head's start, the refit), whatever is planned.
    """
    row_seconds = tokens_per_row / train_speed

    def cost(rows: int, epochs: float) -> float:
        return rows * epochs * row_seconds + max(1.0, epochs) * check_seconds + around_seconds

    asked = cost(rows, epochs)
    limit = budget_seconds * SPARE
    if asked <= limit:
        return Plan(rows, epochs, asked, asked, None)
    fewest = min(epochs, FEWEST_EPOCHS)
    room = limit - around_seconds
    fit = (room - check_seconds) / (rows * row_seconds + check_seconds)
    if fit >= fewest:
        said = f"{epochs:g} epochs became {fit:.2f} to fit {budget_seconds / 60:g} minutes"
        return Plan(rows, fit, cost(rows, fit), asked, said)
    room = max(room - max(1.0, fewest) * check_seconds, 0.1 * limit)
    fewer = max(1, min(rows, int(room / (fewest * row_seconds))))
    said = (
        f"{rows:,} rows and {epochs:g} epochs became the newest {fewer:,} rows and {fewest:g} "
        f"epochs to fit {budget_seconds / 60:g} minutes"
    )
    return Plan(fewer, fewest, cost(fewer, fewest), asked, said)
