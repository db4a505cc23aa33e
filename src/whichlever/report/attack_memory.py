"""What the page says of training rows that a lever remembers."""

from __future__ import annotations

from typing import Any

from whichlever.measure.attack import Attacks
from whichlever.report import wording


def memory_section(found: Attacks) -> dict[str, Any] | None:
    """Tables of membership and exposure, and their sentences; None where neither was asked."""
    if not found.memberships and not found.exposures:
        return None
    return {
        "members": [
            [
                one.lever, wording.interval(one.auc), wording.interval(one.caught),
                wording.interval(one.shift), wording.interval(one.harder),
                f"{wording.count(one.members)} / {wording.count(one.others)}",
            ]
            for one in found.memberships
            if one.auc is not None
        ],
        "exposed": [
            [one.lever, "no row" if t.times == 0 else str(t.times), wording.count(t.canaries),
             f"{t.median:.1f}", f"{t.most:.1f}", wording.count(t.first)]
            for one in found.exposures
            for t in one.times
        ],
        "text": [*(m.text for m in found.memberships), *(e.text for e in found.exposures)],
    }  # fmt: skip
