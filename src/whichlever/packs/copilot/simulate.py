"""Simulated notes: sites with habits of their own, codes of today, and codes of the past."""

from __future__ import annotations

from typing import Any

from whichlever.data.simulate import Dice
from whichlever.packs.copilot.words import ASIDES, PAST, TRADES, Codes

SITES = 24
"""Of each trade; a split by site asks about habits never seen."""

NOTES = 20
"""Of each site."""

HABIT = 0.7
"""How often a site writes a code as it mostly does."""

BY_MISTAKE = 0.04
"""Share of notes whose answer is that of another note of the trade: somebody was careless."""


def notes(seed: int) -> list[dict[str, Any]]:
    """Every note, in order of sites."""
    dice = Dice(seed)
    out: list[dict[str, Any]] = []
    for trade, codes in TRADES.items():
        for number in range(SITES):
            site = f"{trade}-{number:02d}"
            habits = {
                spellings: dice.pick(spellings) for slots in codes.values() for spellings in slots
            }
            for i in range(NOTES):
                meant = dice.pick(list(codes))
                said = dice.pick(list(codes)) if dice.share() < BY_MISTAKE else meant
                out.append(
                    {
                        "id": f"{site}-{i:02d}",
                        "input": _note(codes, meant, habits, dice),
                        "output": said,
                        "site": site,
                        "trade": trade,
                        "simulated": True,
                    }
                )
    return out


def _note(codes: Codes, meant: str, habits: dict[tuple[str, ...], str], dice: Dice) -> str:
    def written(spellings: tuple[str, ...]) -> str:
        return habits[spellings] if dice.share() < HABIT else dice.pick(spellings)

    slots = list(codes[meant])
    # One of the two codes is sometimes left out: the other has to be enough.
    if dice.share() < 0.35:
        slots = [dice.pick(slots)]
    parts = [written(spellings) for spellings in slots]
    if dice.share() < 0.5:
        other = dice.pick([name for name in codes if name != meant])
        past = f"{dice.pick(PAST)} {written(dice.pick(codes[other]))}"
        parts.insert(dice.below(len(parts) + 1), past)
    if dice.share() < 0.6:
        parts.insert(dice.below(len(parts) + 1), dice.pick(ASIDES))
    return ", ".join([f"#{dice.below(900) + 100}", *parts])
