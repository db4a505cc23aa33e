"""The settings of the guard, as the task file's ``guard:`` holds them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from whichlever.settings_attack import AttackSettings
from whichlever.settings_base import Choices, Model

View = Literal["trusted", "beginnings", "endings"]
"""What must say the closing label too, beside the text: the text without the fields that an
attacker writes, every beginning of it, every ending of it."""


class GuardSettings(Model):
    """A label that closes a row is only said where other views of the row say it too."""

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
    untrusted: Choices[Annotated[str, Field(min_length=1)]] | None = Field(
        default=None,
        description="Columns or JSON pointers that an attacker writes; left out: attack.controls.",
    )
    views: Choices[View] | None = Field(
        default=None,
        description="What must say the closing label too: trusted (the text without the untrusted "
        "fields), beginnings, endings. Left out: trusted where fields are untrusted, else "
        "beginnings.",
    )
    hand_over: float | None = Field(
        default=None,
        ge=0,
        lt=1,
        description="Of calibration rows rightly closed, the share that beginnings and endings may "
        "hand over; left out: as many as it takes for no added text to close a row.",
    )
    spare: float | None = Field(
        default=None,
        ge=0,
        lt=1,
        description="Of calibration rows rightly closed, the share that is handed over so that the "
        "trusted text must speak the more clearly for closing; left out: it must only lead.",
    )
    canonical: bool = Field(
        default=False,
        description="Read texts in one form: NFKC, lookalike letters as Latin, nothing invisible.",
    )
    novelty: float | None = Field(
        default=None,
        ge=0,
        lt=1,
        description="Of calibration rows rightly closed, the share that may be handed over because "
        "more of their words than usual stand in no training row; left out: nobody looks.",
    )
    least: int | None = Field(
        default=None,
        ge=1,
        description="Characters of the shortest beginning or ending that is asked; left out: those "
        "of the shortest training row of another label. Shorter rows are answered as they are.",
    )


def untrusted_fields(guard: GuardSettings | None, attack: AttackSettings | None) -> tuple[str, ...]:
    """The fields that an attacker writes: ``guard.untrusted``, else ``attack.controls``."""
    if guard is None:
        return ()
    if guard.untrusted is not None:
        return tuple(guard.untrusted)
    return () if attack is None else tuple(attack.controls)


def guard_views(guard: GuardSettings, attack: AttackSettings | None) -> tuple[View, ...]:
    """The views that a guard asks, in the order that costs least."""
    order: tuple[View, ...] = ("trusted", "beginnings", "endings")
    if guard.views is not None:
        return tuple(view for view in order if view in guard.views)
    return ("trusted",) if untrusted_fields(guard, attack) else ("beginnings",)
