"""What the learning curves add to a verdict: from how many labels on, and what more would bring."""

from __future__ import annotations

from whichlever.measure.curve import Band, Crossing, Curve, Delay
from whichlever.verdict.figures import Cite, spoken
from whichlever.verdict.types import Reason

LEVELS_NAMED = 2
"""Levers without a curve that a verdict names crossings with: the best ones."""

ORDER_WORDS = {"newest": "newest labels first", "random": "labels at random", "oldest": "oldest"}


def curve_reasons(cite: Cite, lever: str | None) -> list[Reason]:
    """Say from how many labels on the lever is ahead of the best ones that learn from none."""
    curve = cite.measures.curve
    if curve is None or lever is None:
        return []
    level = sorted(
        (found for found in curve.levels if not found.learns and found.lever != "majority"),
        key=lambda found: -found.score.value,
    )[:LEVELS_NAMED]
    order = next(iter(curve.orders()), None)
    out = []
    for other in level:
        for found in curve.crossings:
            if found.order == order and {found.lever, found.other} == {lever, other.lever}:
                out.append(_crossing(cite, found))
    return out


def curve_changes(cite: Cite, lever: str | None) -> list[Reason]:
    """Say what more labels, and labels that come late, would change for the lever."""
    curve = cite.measures.curve
    if curve is None or lever is None:
        return []
    out = [_band(cite, band) for band in curve.bands if band.lever == lever and band.times == 2]
    late = _telling(curve, lever)
    if late is not None:
        figure = f"curve.delays.{late.lever}.{late.days:g}"
        text = (
            f"If labels came {late.days:g} days late, {late.lever}'s {spoken(curve.metric)} would "
            "change by {0}."
        )
        out.append(cite.reason(text, f"{figure}.difference"))
    return out


def _crossing(cite: Cite, found: Crossing) -> Reason:
    path = f"curve.crossings.{found.order}.{found.lever}~{found.other}"
    order = ORDER_WORDS[found.order]
    if found.outcome == "crosses":
        low = "{smallest} or fewer" if found.low is None else "{low}"
        high = "more than the {largest} there are" if found.high is None else "{high}"
        text = (
            f"By its learning curve {found.lever} overtakes {found.other} at about {{0}} labels "
            f"(95 %: {low} to {high}; {order})."
        )
        return _filled(cite, text, f"{path}.at", path, found)
    if found.outcome == "ahead":
        sure = "" if found.high is None else "; surely from {high} on"
        text = (
            f"By its learning curve {found.lever} is ahead of {found.other} with the smallest "
            f"number of labels tried, {{0}}{sure} ({order})."
        )
        return _filled(cite, text, f"{path}.smallest", path, found)
    text = (
        f"By its learning curve {found.lever} does not overtake {found.other} within the {{0}} "
        f"labels there are ({order})."
    )
    return _filled(cite, text, f"{path}.largest", path, found)


def _filled(cite: Cite, text: str, figure: str, path: str, found: Crossing) -> Reason:
    names = ("smallest", "largest", "low", "high")
    more = {name: f"{path}.{name}" for name in names if f"{{{name}}}" in text}
    return cite.reason(text, figure, **more)


def _band(cite: Cite, band: Band) -> Reason:
    path = f"curve.bands.{band.lever}.{band.times}"
    change = "between {low} and {0}"
    if band.outcome == "flat":
        text = (
            f"Twice the labels ({{labels}}) would not change it much: {band.lever} by {change}, "
            "its learning curve continued as far as its points allow."
        )
    else:
        text = (
            f"Twice the labels ({{labels}}) would change {band.lever} by {change}, its learning "
            "curve continued as far as its points allow."
        )
    more = {"low": f"{path}.gain_low", "labels": f"{path}.labels_then"}
    return cite.reason(text, f"{path}.gain_high", **more)


def _telling(curve: Curve, lever: str) -> Delay | None:
    """The shortest lateness whose cost (or use) is shown."""
    for late in sorted(curve.delays, key=lambda late: late.days):
        low, high = late.difference.low, late.difference.high
        if late.lever == lever and low is not None and high is not None and (low > 0 or high < 0):
            return late
    return None
