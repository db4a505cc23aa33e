"""What the rung ladder says, as reasons of the verdict."""

from __future__ import annotations

from whichlever.verdict.figures import Cite, spoken
from whichlever.verdict.types import Reason


def ladder_reasons(cite: Cite) -> list[Reason]:
    """One sentence on how far up it pays to fine-tune; none where nothing was climbed."""
    ladder = cite.measures.ladder
    if ladder is None:
        return []
    standing = next(rung for rung in ladder.rungs if rung.lever == ladder.stands_on)
    if standing.gain is None:
        nearest = max(ladder.rungs[1:], key=lambda rung: rung.gain.value if rung.gain else 0.0)
        text = (
            f"On validation rows no rung is worth climbing to from {standing.lever}: the best, "
            f"{nearest.lever}, adds {{0}} ({nearest.text})."
        )
        return [cite.reason(text, f"ladder.{nearest.lever}.gain")]
    text = (
        f"On validation rows the climb ends on {standing.lever}: {spoken(ladder.metric)} {{score}}"
        f", {{0}} over {standing.over}."
    )
    figure = f"ladder.{standing.lever}"
    return [cite.reason(text, f"{figure}.gain", score=f"{figure}.score")]
