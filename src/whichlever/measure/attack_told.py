"""What became of an attack, in sentences that a verdict, a page and a bundle's card quote."""

from __future__ import annotations

from collections.abc import Sequence

from whichlever.measure.attack import Aim, FlipRate
from whichlever.measure.figure import Interval

MOST_NAMED = 3
"""Labels that are named one by one; more are counted."""


def spell(figure: Interval | None) -> str:
    """A share with its interval, as in ``.042 (.011 to .104)``."""
    if figure is None:
        return "not measured"

    def said(value: float) -> str:
        text = f"{value:.3f}"
        return text[1:] if text.startswith("0.") else text

    if figure.low is None or figure.high is None:
        return said(figure.value)
    return f"{said(figure.value)} ({said(figure.low)} to {said(figure.high)})"


def aimed(protect: Sequence[str], into: str) -> str:
    """What the attack is after, as in ``critical → noise``."""
    named = " or ".join(protect) if len(protect) <= MOST_NAMED else f"any of {len(protect)} others"
    return f"{named} → {into}"


def budget_words(aim: Aim, questions: int, chars: int) -> str:
    """The budget, as a sentence names it."""
    return f"at most {chars:,} characters added {aim.where} and {questions:,} questions a row"


def attacked_text(
    lever: str,
    aim: Aim,
    *,
    flipped: int,
    rows: int,
    protected: int,
    flip: Interval,
    control: Interval | None,
    questions: int,
    chars: int,
    worst: FlipRate | None,
    cut: bool,
    shortest: float | None = None,
    outsider: Interval | None = None,
    lost: int = 0,
) -> str:
    """What was made of a lever that was attacked."""
    text = (
        f"attack: flip rate {aimed(aim.protect, aim.into)} for {lever} {spell(flip)}: {flipped:,} "
        f"of {rows:,} rows turned with {budget_words(aim, questions, chars)}"
    )
    if shortest is not None:
        text += f", half of them by {shortest:,.0f} characters or fewer"
    if worst is not None and worst.flipped:
        text += f"; most by {named(worst)} ({worst.flipped:,})"
    if outsider is not None:
        text += f"; without words of training rows {spell(outsider)}"
    if control is not None:
        text += f"; letters at random alone turn {spell(control)}"
    if lost:
        text += f"; {lost:,} questions got no answer and turned nothing"
    if rows < protected:
        text += f"; of {protected:,} protected test rows"
    return text + ("; the time allowed no more." if cut else ".")


def named(rate: FlipRate) -> str:
    """A kind of attack in words."""
    if rate.kind == "search":
        return f"a search with {rate.attack}"
    if rate.kind == "transfer":
        return f"what a search against {rate.attack} found"
    if rate.kind == "control":
        return "letters at random"
    if rate.kind == "outsider":
        return "all that needs none of your rows"
    if rate.kind == "strings":
        return f"all strings {rate.attack}"
    if rate.kind == "way":
        return f"strings brought in as: {rate.attack}"
    return f"strings of the family {rate.attack}"


def nothing_text(lever: str, aim: Aim, asked: int, missed: int) -> str:
    """What to say of a lever that answers no protected row otherwise than cheap."""
    if not asked:
        return f"attack: there is no {' or '.join(aim.protect)} test row to turn for {lever}."
    text = (
        f"attack: nothing to turn for {lever}: it answers {missed:,} of {asked:,} "
        f"{' or '.join(aim.protect)} test rows {aim.into} already"
    )
    return text + (", and leaves the others unanswered." if missed < asked else ".")


def certified_text(certified: int | None, rows: int, aim: Aim) -> str:
    """What a guard shows of the rows that were attacked; empty where none stands there."""
    if certified is None:
        return ""
    return (
        f" Whatever is added {aim.where}, and however much, cannot turn {certified} of these "
        f"{rows} rows: their guard shows it."
    )
