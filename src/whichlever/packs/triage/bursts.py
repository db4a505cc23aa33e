"""Alerts that belong together: an intrusion, a scan or a deployment is noticed more than once.

Which cause each row has is drawn beforehand, row by row and independently; nothing here changes how
often a cause comes. Rows of one month whose causes belong to one *story* are then dealt into
bursts, and the alerts of a burst share their draws: one host of a class, one account of a kind, one
address outside, one hour. To share a draw between causes with different tables, both read their
own table at the same random mark (inverse transform, common random numbers). So each alert, looked
at alone, is drawn exactly as it would be without bursts, and the posterior of `posterior` holds for
it unchanged; only alerts of one burst are alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from whichlever.data.simulate import Dice, at_mark
from whichlever.packs.triage.causes import CAUSES, INTRUSIONS

T = TypeVar("T")


@dataclass(frozen=True)
class Story:
    """How causes come in bursts: ``least`` to ``most`` alerts; ``one_host`` is hit, or many."""

    least: int
    most: int
    one_host: bool


_INTRUSION = Story(2, 6, one_host=True)
_ROUTINE = {
    "authorised scan": Story(3, 8, one_host=False),
    "software deployment": Story(2, 5, one_host=False),
    "internet background": Story(1, 4, one_host=False),
    "backup job": Story(1, 4, one_host=True),
    "mistyped password": Story(1, 3, one_host=True),
}
"""Routine comes in bursts too, or a burst would be the mark of an attack."""

STAGES = {name: place for place, name in enumerate(CAUSES)}
"""Within an intrusion's hour, causes come in the order of the chain."""


def story_of(cause: str) -> tuple[str, Story | None]:
    """What a cause's alerts are dealt together under, and how; None where each stands alone."""
    intrusion = INTRUSIONS.get(cause)
    if intrusion is not None:
        return intrusion, _INTRUSION
    return cause, _ROUTINE.get(cause)


@dataclass(frozen=True, eq=False)
class Scene:
    """What the alerts of one burst share.

    ``marks`` are random marks by the name of the draw; ``kept`` remembers what was picked.
    """

    dice: Dice
    shared: bool
    one_host: bool
    marks: dict[str, float] = field(default_factory=dict)
    kept: dict[tuple[str, ...], object] = field(default_factory=dict)

    def draw(self, what: str, weights: Mapping[T, float]) -> T:
        """One key by its weight, at the mark that this burst has for ``what``."""
        if not self.shared or (what == "host" and not self.one_host):
            return self.dice.draw(weights)
        return at_mark(weights, self.mark(what))

    def mark(self, what: str) -> float:
        """The burst's own random number for ``what``, from 0 up to 1."""
        if what not in self.marks:
            self.marks[what] = self.dice.share()
        return self.marks[what]

    def once(self, what: tuple[str, ...], pick: Callable[[], T]) -> T:
        """What was picked for ``what`` in this burst, picked now where it was not yet."""
        if not self.shared or (what[0] == "host" and not self.one_host):
            return pick()
        if what not in self.kept:
            self.kept[what] = pick()
        return self.kept[what]  # type: ignore[return-value]


def deal(causes: Sequence[tuple[int, str]], dice: Dice) -> list[tuple[Scene, list[int]]]:
    """Deal rows, given as (month, cause), into bursts: each with the places of its rows."""
    tables: dict[tuple[int, str], list[int]] = {}
    dealt: list[tuple[Scene, list[int]]] = []
    for place, (month, cause) in enumerate(causes):
        name, story = story_of(cause)
        if story is None:
            dealt.append((Scene(dice, shared=False, one_host=True), [place]))
        else:
            tables.setdefault((month, name), []).append(place)
    for (_, name), places in tables.items():
        story = _INTRUSION if name in set(INTRUSIONS.values()) else _ROUTINE[name]
        waiting = _shuffled(places, dice)
        while waiting:
            size = story.least + dice.below(story.most - story.least + 1)
            burst, waiting = waiting[:size], waiting[size:]
            burst.sort(key=lambda place: STAGES[causes[place][1]])
            dealt.append((Scene(dice, len(burst) > 1, story.one_host), burst))
    return dealt


def _shuffled(items: Sequence[int], dice: Dice) -> list[int]:
    left, out = list(items), []
    while left:
        out.append(left.pop(dice.below(len(left))))
    return out
