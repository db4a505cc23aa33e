"""The page's rows about the rung ladder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from whichlever.report import wording
from whichlever.report.files import RunFiles
from whichlever.report.look import metric_name
from whichlever.report.palette import Mark


def ladder_section(files: RunFiles, given: Mapping[str, Mark]) -> dict[str, Any] | None:
    """What the page shows of the ladder; None where nothing was climbed."""
    ladder = files.measures.ladder
    if ladder is None:
        return None
    return {
        "metric": metric_name(ladder.metric),
        "margin": f"{ladder.margin:g}",
        "count": wording.count(ladder.rows),
        "stands": ladder.stands_on,
        "rungs": [
            {
                "lever": rung.lever,
                "mark": given.get(rung.lever),
                "score": wording.share(rung.score),
                "seeds": ", ".join(wording.share(s) for s in rung.seed_scores) or "–",
                "over": rung.over,
                "gain": "–" if rung.gain is None else wording.signed(rung.gain),
                "text": rung.text,
            }
            for rung in ladder.rungs
        ],
    }
