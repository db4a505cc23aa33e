"""What the verdict says of text that an attacker controls, and what would change that."""

from __future__ import annotations

from whichlever.measure.attack import Attacks, LeverAttack
from whichlever.measure.attack_told import aimed, budget_words, spell
from whichlever.measure.summary import Measures
from whichlever.verdict.figures import Cite
from whichlever.verdict.types import Reason

NOT_MEASURED = "attack: not measured"
"""What stands in a verdict until levers have been attacked."""


def attack_line(measures: Measures, lever: str | None) -> str:
    """One line on the lever that the verdict speaks of; ``attack: not measured`` until then."""
    found = measures.attacks
    if found is None:
        return NOT_MEASURED
    own = None if lever is None else found.lever(lever)
    if own is not None:
        return own.text
    tried = [f for f in found.levers if f.flip is not None]
    if not tried or found.aim is None:
        return NOT_MEASURED
    rates = ", ".join(f"{f.lever} {spell(f.flip)}" for f in tried)
    return f"attack: flip rate {aimed(found.aim.protect, found.aim.into)}: {rates}."


def attack_reasons(cite: Cite, lever: str | None) -> list[Reason]:
    """How often the lever can be turned, and whether that is as little as the task asks for."""
    found = cite.measures.attacks
    own = None if found is None or lever is None else found.lever(lever)
    if found is None or own is None or found.aim is None:
        return []
    path = f"attacks.{own.lever}"
    if own.flip is None:
        return [Reason(text=_capital(own.text), figure=f"{path}.rows")]
    text = f"Attack: {own.lever} turns {aimed(found.aim.protect, found.aim.into)} on {{0}} of rows"
    text += f" under {budget_words(found.aim, own.questions, own.chars)}"
    if own.control is not None:
        text += "; letters at random alone turn {control}"
    if found.aim.at_most is not None:
        kept = own.flip.high is not None and own.flip.high <= found.aim.at_most
        word = "within" if kept else "not shown to be within"
        text += f"; {word} the limit of {found.aim.at_most:g}"
    more = {} if own.control is None else {"control": f"{path}.control"}
    return [cite.reason(f"{text}.", f"{path}.flip", **more)]


def attack_changes(cite: Cite, lever: str | None) -> list[Reason]:
    """Which lever would be turned less, or what its rows would have to be like."""
    found = cite.measures.attacks
    own = None if found is None or lever is None else found.lever(lever)
    if found is None or found.aim is None or own is None or own.flip is None:
        return []
    out = []
    better = _less(found, own)
    limit = found.aim.at_most
    if better is not None and better.flip is not None:
        text = (
            f"If attackers write into these rows, {better.lever} would be turned less often, on "
            "{0} of rows against {own}; the choice above does not count that."
        )
        out.append(
            cite.reason(text, f"attacks.{better.lever}.flip", own=f"attacks.{own.lever}.flip")
        )
    if limit is not None and not any(_holds(f, limit) for f in found.levers):
        text = (
            f"No attacked lever is shown to be turned on at most {limit:g} of rows; what an "
            "attacker writes would have to be kept out of data.input, or be judged by a person "
            "({0} of rows for this one)."
        )
        out.append(cite.reason(text, f"attacks.{own.lever}.flip"))
    return out


def _less(found: Attacks, own: LeverAttack) -> LeverAttack | None:
    """The lever turned least, where its interval lies below the lever's own."""
    lower = [
        f
        for f in found.levers
        if f.flip is not None
        and f.lever != own.lever
        and f.flip.high is not None
        and own.flip is not None
        and own.flip.low is not None
        and f.flip.high < own.flip.low
        and f.rows >= own.rows // 2
    ]
    return min(lower, key=lambda f: f.flip.value if f.flip else 1.0, default=None)


def _holds(found: LeverAttack, limit: float) -> bool:
    return found.flip is not None and found.flip.high is not None and found.flip.high <= limit


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
