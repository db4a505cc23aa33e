"""One colour and one shape per lever, the same in every picture and table.

The colours are Okabe and Ito's and Paul Tol's, darkened to at least 3:1 against white; in the
dark the page's style sheet maps each to a lighter one of the same hue. No two levers share both
colour and shape, so that nothing is told by colour alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

COLOURS: tuple[tuple[str, str], ...] = (
    ("#1d6fb8", "#6db3f2"),  # blue
    ("#0b7a5b", "#3fcf9f"),  # green
    ("#c2500a", "#ff9a52"),  # vermilion
    ("#8a2d6b", "#e58ac4"),  # wine
    ("#4b3fb5", "#a9a1ff"),  # indigo
    ("#8f6f00", "#e3c04b"),  # gold
    ("#0d7f8c", "#4fd3e0"),  # teal
    ("#b83a4b", "#ff8f9d"),  # rose
    ("#5e7200", "#b5cf4a"),  # olive
)
"""Light and dark, in the order they are given out."""

GREY = ("#68727f", "#9aa5b1")
SHAPES = ("circle", "square", "diamond", "triangle-up", "triangle-down", "cross")

_KNOWN = {
    "linear": 0, "finetune-static": 1, "prompt": 2, "rag": 3, "finetune-encoder": 4, "rag-vote": 7,
}  # fmt: skip


@dataclass(frozen=True)
class Mark:
    """How one lever is drawn; ``slot`` names its CSS class."""

    slot: int
    colour: str
    shape: str


def marks(levers: Sequence[str]) -> dict[str, Mark]:
    """Give each lever its colour and shape; well-known levers keep theirs in every report."""
    free = [slot for slot in range(len(COLOURS)) if slot not in _KNOWN.values()]
    free += [slot for slot in _KNOWN.values() if all(_KNOWN.get(name) != slot for name in levers)]
    given: dict[str, Mark] = {}
    others = 0
    for lever in levers:
        if lever == "majority":
            given[lever] = Mark(len(COLOURS), GREY[0], "circle")
        elif lever in _KNOWN:
            given[lever] = Mark(_KNOWN[lever], COLOURS[_KNOWN[lever]][0], "circle")
        else:
            turn, place = divmod(others, len(free))
            slot = free[place]
            shape = SHAPES[1 + (place + turn) % (len(SHAPES) - 1)]
            given[lever] = Mark(slot, COLOURS[slot][0], shape)
            others += 1
    return given
