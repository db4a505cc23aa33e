"""Simulated logs of a simulated company's devices; nothing here comes from anybody's network.

Everything is seeded and the same on every Python. Eighteen sources write in eighteen manners; each
has files (one a device), and each file a device's habits: the frequent shapes are in every file,
rare ones in few, so that files left out for a test hold shapes that training has not seen.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from whichlever.data.simulate import Dice
from whichlever.packs.logs.clock import Moment
from whichlever.packs.logs.pattern import Drawn, Pattern, cut, fields_of
from whichlever.packs.logs.sources import SOURCES, Source

START = 1_717_200_000_000
"""2024-06-01 in milliseconds; lines stand in the thirty days after it."""
SPAN = 30 * 86_400_000
FILES = 8
"""Files of each source."""
COMMON = 3
"""The most frequent shapes of a source, which every file has; of the rest a file has 40 %."""
BROKEN = 0.01
"""Share of lines that break off, as when a datagram is cut."""


@dataclass(frozen=True)
class SimulatedLine:
    """A row of the task, and the shape that only the simulator knows."""

    row: dict[str, Any]
    shape: str
    broken: bool

    def truth(self) -> dict[str, Any]:
        """The line of ``truth.jsonl``: never an input of the task."""
        return {
            "id": self.row["id"],
            "simulated": True,
            "shape": self.shape,
            "broken": self.broken,
        }


def simulate(rows: int = 2000, seed: int = 0) -> list[SimulatedLine]:
    """Draw ``rows`` lines, file by file and in each file by time.

    A row is ``{id, simulated, source, path, time, raw, fields}``; ``time`` is in seconds.
    """
    dice = Dice(seed)
    files = [(source, number) for source in SOURCES for number in range(FILES)]
    width = len(str(rows))
    drawn: list[SimulatedLine] = []
    for place, (source, number) in enumerate(files):
        share = rows * (place + 1) // len(files) - rows * place // len(files)
        habits = _habits(source, dice)
        times = sorted(START + int(dice.share() * SPAN) for _ in range(share))
        moment = Moment(dice.share, source.zone)
        for time in times:
            moment.set(time)
            name = f"sim-{len(drawn):0{width}d}"
            drawn.append(_line(name, source, number, dice, habits, moment))
    return drawn


def simulate_lines(n: int, seed: int = 0, source: str | None = None) -> Iterator[str]:
    """``n`` simulated lines without their fields, endless where asked for: for speed and memory.

    Lines come in order of time, every source mixed with the others, or of the one that is named.
    A line may hold line ends (stack traces, Windows text).

    Raises
    ------
    ValueError
        No source has that name.
    """
    sources = [s for s in SOURCES if source in (None, s.name)]
    if not sources:
        raise ValueError(f"no simulated source is called {source!r}")
    share = random.Random(seed).random
    table = _table(sources)
    moments = {s.name: Moment(share, s.zone) for s in sources}
    size, time = len(table), START
    for _ in range(n):
        name, pattern = table[int(share() * size)]
        time += int(share() * 20)
        moment = moments[name]
        moment.set(time)
        yield pattern.line(moment)


def _table(sources: list[Source]) -> list[tuple[str, Pattern]]:
    """Patterns as often as they are frequent, so that one look-up draws one."""
    table = []
    for source in sources:
        least = min(source.weights.values())
        for name, pattern in source.patterns.items():
            table += [(source.name, pattern)] * round(source.weights[name] / least)
    return table


def _habits(source: Source, dice: Dice) -> dict[str, float]:
    kept = {}
    for rank, (name, weight) in enumerate(source.weights.items()):
        if rank < COMMON or dice.share() < 0.4:
            kept[name] = weight
    return kept


def _line(
    name: str, source: Source, number: int, dice: Dice, habits: dict[str, float], moment: Moment
) -> SimulatedLine:
    shape = dice.draw(habits)
    drawn: Drawn = source.patterns[shape].draw(moment)
    broken = dice.share() < BROKEN
    if broken:
        drawn = cut(drawn, len(drawn.text) // 2 + dice.below(len(drawn.text) // 2))
    row = {
        "id": name,
        "simulated": True,
        "source": source.name,
        "path": f"{source.name}/device-{number}.log",
        "time": moment.time // 1000,
        "raw": drawn.text,
        "fields": fields_of(drawn, moment),
    }
    return SimulatedLine(row, f"{source.name}/{shape}", broken)
