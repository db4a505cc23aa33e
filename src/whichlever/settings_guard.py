"""The settings of the guard, as the task file's ``guard:`` holds them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from whichlever.settings_base import Choices, Model


class GuardSettings(Model):
    """A label that closes a row is only said where the row's heads all say it; else a person."""

    closes: str | None = Field(
        default=None,
        min_length=1,
        description="The label that closes a row; left out: attack.into, else autoclose.label, "
        "else the one that the dearest mistake says, else workload.quiet's first.",
    )
    levers: Choices[Annotated[str, Field(min_length=1)]] = Field(
        default=["linear"],
        description="Owned levers that are measured once more, guarded: LEVER-guarded.",
    )
    hand_over: float | None = Field(
        default=None,
        ge=0,
        lt=1,
        description="Of calibration rows rightly closed, the share that may be handed over; left "
        "out: as many as it takes for no added text to close a row.",
    )
    least: int | None = Field(
        default=None,
        ge=1,
        description="Characters of the shortest head that is asked; left out: those of the "
        "shortest training row of another label. Shorter rows are answered as they are.",
    )
