"""A promise in one sentence, and a refusal in one sentence that says what would be needed."""

from __future__ import annotations

from collections.abc import Sequence

from whichlever.calibrate import promises
from whichlever.measure.autoclosing import Promise, Scope
from whichlever.settings import AutocloseSettings

SCOPES: dict[Scope, str] = {
    "deployment": "rows like the calibration rows",
    "each_group": "each group that was calibrated on",
    "new_groups": "groups never seen",
}


def percent(share: float) -> str:
    """A share as people say it: 1 %, 0.5 %."""
    return f"{100 * share:.6g} %"


def and_list(names: Sequence[str]) -> str:
    """Names joined by commas and an "and"."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def promise_text(
    settings: AutocloseSettings, kind: promises.Kind, scope: Scope, groups: int | None
) -> str:
    """What is promised, for what, and how surely."""
    names = and_list(settings.protect)
    each = "each of " if len(settings.protect) > 1 else ""
    at_most = percent(settings.at_most)
    same = "" if groups is None else f", from these same {_counted(groups)},"
    if kind == "expected loss":
        where = {
            "deployment": f"the next {names} row like the calibration rows{same}",
            "each_group": f"the next {names} row in any group that was calibrated on",
            "new_groups": f"a {names} row of a group never seen",
        }[scope]
        return (
            f"On average over calibration samples, {where} is closed with a chance of at most "
            f"{at_most}."
        )
    sure = f"With {percent(settings.confidence)} confidence, at most {at_most}"
    if scope == "each_group":
        return f"{sure} of the {names} rows are closed in each of the {_counted(groups or 0)} seen."
    if scope == "new_groups":
        return (
            f"{sure} of {each}the {names} rows are closed in groups never seen, each group "
            "counting the same."
        )
    return f"{sure} of {each}the {names} rows like the calibration rows{same} are closed."


def refusal_text(promise: Promise, strata: Sequence[promises.Stratum]) -> str:
    """Why nothing is promised, and the number of labels or groups that it takes."""
    least = min(strata, key=lambda s: s.units)
    lacking = [s for s in strata if s.units < promise.needed]
    more = promise.needed - least.units
    if promise.unit == "group":
        have = (
            f"{least.units} {_plural('group', least.units)} with calibration rows of {least.label}"
        )
        label = f"{more} more {_plural('group', more)}"
    else:
        where = " in the smallest group" if promise.scope == "each_group" else ""
        have = f"{least.units} calibration {_plural('row', least.units)} of {least.label}{where}"
        label = f"{more} more"
    text = (
        f"Refused: {have}; {promise.needed} with none closed are the least that can show it, so "
        f"label {label}"
    )
    if len(lacking) > 1:
        what = "groups" if promise.unit == "group" else "rows"
        text += f" ({len(lacking)} of {len(strata)} are short, {promise.more} {what} in all)"
    if promise.more_rows:
        text += f": about {promise.more_rows:,} more calibration rows at the share seen here"
    return text + "."


def _counted(groups: int) -> str:
    return f"{groups} {_plural('group', groups)}"


def _plural(word: str, count: int) -> str:
    return word if count == 1 else f"{word}s"
