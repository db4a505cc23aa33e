"""What the verdict says of a hybrid: what it hands over, what that buys, and to whom."""

from __future__ import annotations

from typing import Literal

from whichlever.measure.hybrid import PERSON, Hybrid, HybridLeftOut
from whichlever.verdict.figures import Cite, spoken
from whichlever.verdict.types import Reason

LEVER = "hybrid"


def hybrid_reasons(cite: Cite, lever: str | None, state: str | None) -> list[Reason]:
    """Say what the hybrid is and what it saves; nothing where the task asks for none.

    Parameters
    ----------
    lever
        The lever to pull; None where there is none.
    state
        Whether the hybrid may be pulled; None where it was not measured.
    """
    found = cite.measures.hybrid
    if found is None:
        return []
    if isinstance(found, HybridLeftOut):
        return [cite.reason("hybrid is left out: {0}.", "hybrid.why")]
    out = [_what(cite, found, pulled=lever == LEVER, state=state)]
    if found.saves is not None:
        text = (
            f"Against {found.first} alone, hybrid saves {{0}} a month, mistakes counted at "
            "{unit} a unit; negative is lost."
        )
        out.append(cite.reason(text, "hybrid.saves", unit="prices.mistake_unit"))
    if found.then == PERSON:
        text = (
            "How often a person is right (review_accuracy {0}; 1 is always) and {minutes} minutes "
            "a row are the task's assumptions, not measured; a row handed over waits for them."
        )
        figure = "hybrid.review_accuracy"
        out.append(cite.reason(text, figure, minutes="prices.review_minutes"))
    return out


def _what(cite: Cite, found: Hybrid, *, pulled: bool, state: str | None) -> Reason:
    metric = spoken(cite.measures.metric)
    who = "a person" if found.then == PERSON else found.then
    more = {
        "metric": f"levers.{LEVER}.metrics.{cite.measures.metric}",
        "alone": "hybrid.all_first.metric",
        "dollars": f"levers.{LEVER}.bill.dollars_per_month",
        "less": "hybrid.all_first.dollars_per_month",
    }
    if pulled:
        text = (
            f"{found.first} answers itself all but {{0}} of the rows, which go to {who}: {metric} "
            "{metric} for {dollars} a month, against {alone} for {less} with "
            f"{found.first} alone on the same rows."
        )
        return cite.reason(text, "hybrid.chosen.handed", **more)
    why = {
        "eligible": "it may be pulled, and is not the one to pull",
        "unproven": "it is unproven, as its standing says",
        "excluded": "it is excluded, as its standing says",
    }.get(state or "", "it was not measured")
    text = (
        f"hybrid ({found.first} first, {{0}} of the rows to {who}) reaches {metric} {{metric}} for "
        f"{{dollars}} a month, {found.first} alone {{alone}} for {{less}}: {why}."
    )
    return cite.reason(text, "hybrid.chosen.handed", **more)


def waits_for_person(cite: Cite) -> bool:
    """Tell whether some of its rows wait for a person."""
    found = cite.measures.hybrid
    return isinstance(found, Hybrid) and found.then == PERSON


def person_worth(cite: Cite) -> tuple[Literal["excluded", "unproven"], Reason] | None:
    """Why a hybrid with a person is not ranked with machines; None where it may be.

    A person's answers are assumed, not measured, and enough of them make any lever as good as one
    likes. What they are worth has to be said first: in dollars, and then they must be shown to pay,
    or as a share of rows that somebody has time for.
    """
    found = cite.measures.hybrid
    if not isinstance(found, Hybrid) or found.then != PERSON:
        return None
    if cite.task.prices.mistake_unit is None:
        if found.budget_share is not None:
            return None
        text = (
            "A person's answers (assumed, review_accuracy {0}) make any lever as good as one "
            "likes; say what a mistake is worth (prices.mistake_unit) or how many rows somebody "
            "has time for (levers.hybrid.budget_share)."
        )
        return "unproven", cite.reason(text, "hybrid.review_accuracy")
    saves = found.saves
    if saves is None:
        text = "Whether a person's time pays is not known: its cost a month is {0}."
        return "unproven", cite.reason(text, f"levers.{LEVER}.bill.dollars_per_month")
    if saves.low is not None and saves.low > 0:
        return None
    lost = saves.high is not None and saves.high < 0
    text = (
        f"A person's time {'costs more than' if lost else 'is not shown to be worth'} the mistakes "
        f"that it avoids: against {found.first} alone it saves {{0}} a month at {{unit}} a unit of "
        "mistakes."
    )
    reason = cite.reason(text, "hybrid.saves", unit="prices.mistake_unit")
    return ("excluded" if lost else "unproven"), reason
