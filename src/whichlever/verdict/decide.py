"""From measures to a verdict, in sentences that each point at a number."""

from __future__ import annotations

from whichlever.measure.oracle import ORACLES
from whichlever.measure.summary import LeverSummary, Measures
from whichlever.prices import family
from whichlever.task import Task
from whichlever.verdict.attacked import attack_changes, attack_line, attack_reasons
from whichlever.verdict.breakeven import break_even, calls
from whichlever.verdict.change import caveat, change_reasons
from whichlever.verdict.changes import would_change
from whichlever.verdict.choice import SIGNIFICANT, Choice, choose, over, too_few
from whichlever.verdict.closing import closing_changes, closing_reasons
from whichlever.verdict.curves import curve_changes, curve_reasons
from whichlever.verdict.figures import Cite, spoken
from whichlever.verdict.hybrid import LEVER as HYBRID
from whichlever.verdict.hybrid import hybrid_reasons
from whichlever.verdict.ladder import ladder_reasons
from whichlever.verdict.rules import advise
from whichlever.verdict.scope import scope
from whichlever.verdict.standing import FLOOR
from whichlever.verdict.types import BreakEven, Reason, Standing, Verdict

FLOORS = (FLOOR, "linear")
ENOUGH_SEEDS = 3


def decide(task: Task, measures: Measures, audit_note: str | None = None) -> Verdict:
    """Decide as rule 5 of the design says.

    Eligible are levers that hold the hard constraints and whose interval's lower bound reaches
    each floor of the goal. Of these, the ones shown to be within the goal's margin of the best
    are as good as it, and the cheapest of them at the user's volume is pulled. "Not significantly
    different" is never enough.

    Parameters
    ----------
    audit_note
        What the audit found that limits the verdict, in one sentence.
    """
    choice = choose(task, measures)
    cite = Cite(task, measures)
    return Verdict(
        task=task.task,
        outcome=choice.outcome,
        lever=choice.lever,
        headline=_headline(task, measures, choice),
        reasons=(
            *_reasons(cite, choice),
            *_hybrid(cite, choice),
            *change_reasons(cite, choice.lever or choice.best),
            *ladder_reasons(cite),
            *curve_reasons(cite, choice.lever or choice.best),
            *closing_reasons(cite, choice.lever or choice.best),
            *attack_reasons(cite, choice.lever or choice.best),
        ),
        standings=tuple(_standing(s, cite, choice) for s in measures.levers),
        break_evens=_break_evens(measures, choice),
        would_change=(
            *would_change(task, measures, choice),
            *curve_changes(cite, choice.lever or choice.best),
            *closing_changes(cite, choice.lever or choice.best),
            *attack_changes(cite, choice.lever or choice.best),
        ),
        labels_needed=choice.labels_needed,
        advice=advise(task),
        scope=scope(task, measures, choice, audit_note),
        audit=audit_note,
        attack=attack_line(measures, choice.lever or choice.best),
    )


def _hybrid(cite: Cite, choice: Choice) -> list[Reason]:
    own = choice.eligibility.get(HYBRID)
    return hybrid_reasons(cite, choice.lever, None if own is None else own.state)


def _headline(task: Task, measures: Measures, choice: Choice) -> str:
    name = choice.lever
    if name is None:
        if choice.outcome == "none eligible":
            states = {found.state for found in choice.eligibility.values()}
            shown = "is shown to hold" if "unproven" in states else "holds"
            return f"No lever {shown} your constraints."
        more = choice.labels_needed
        if not more:
            return "Cannot tell yet."
        new = ", in new groups" if any(p.groups is not None for p in measures.pairs) else ""
        return f"Cannot tell: label about {more:,} more test rows{new}."
    at = f"at {calls(task.constraints.calls_per_month)} calls a month"
    head = f"Pull {name}"
    if name in FLOORS:
        head += ": the linear floor already does it"
    if len(choice.behind) == 1:
        if name in FLOORS:
            return f"{head}, and nothing else is shown to hold your constraints."
        return f"{head}: the only lever shown to hold your constraints."
    join = ", " if name in FLOORS else ": "
    if choice.dollars[name] is None:
        return f"{head}{join}as good as the best; what it costs is not measured."
    if name == choice.best and len(choice.as_good) == 1:
        return f"{head}{join}nothing else is shown to be as good."
    if name == choice.best:
        return f"{head}{join}the highest {spoken(measures.metric)} and {_cheapest(choice)} {at}."
    return f"{head}{join}as good as the best and {_cheapest(choice)} {at}."


def _cheapest(choice: Choice) -> str:
    unknown = any(choice.dollars[n] is None for n in choice.as_good)
    return "the cheapest whose cost is measured" if unknown else "the cheapest"


def _reasons(cite: Cite, choice: Choice) -> list[Reason]:
    if choice.lever is None:
        return _reasons_for_none(cite, choice)
    own = cite.measures.lever(choice.lever)
    path = f"levers.{own.lever}"
    metric = cite.measures.metric
    text = f"{_sentence(own.what)} reaches {spoken(metric)} {{0}} on {{rows}} test rows."
    out = [cite.reason(text, f"{path}.metrics.{metric}", rows=f"{path}.rows")]
    for key in cite.task.goal.at_least:
        text = f"Its {key} is {{0}}; the lower bound reaches the floor of {{floor}}."
        out.append(cite.reason(text, f"{path}.metrics.{key}", floor=f"goal.at_least.{key}"))
    if cite.task.constraints.latency_p95_ms is not None:
        text = "Its p95 latency is {0}, within {limit}."
        limit = "constraints.latency_p95_ms"
        out.append(cite.reason(text, f"{path}.latency.p95_ms", limit=limit))
    out += _as_good(cite, choice, own)
    out += _cost(cite, choice, own)
    out += _ahead(cite, choice, own)
    clean = f"{path}.without_leaks.{metric}"
    if own.without_leaks is not None:
        text = (
            "On the {rows} test rows that training had not (nearly) seen, of {classes} labels, it "
            "reaches {0}."
        )
        more = {"rows": f"{path}.clean_rows", "classes": f"{path}.clean_classes"}
        out.append(cite.reason(text, clean, **more))
    return out


def _sentence(what: str) -> str:
    return what[:1].upper() + what[1:]


def _as_good(cite: Cite, choice: Choice, own: LeverSummary) -> list[Reason]:
    """How far behind the best it may be at most: the one bound that decides."""
    others = [n for n in choice.behind if n != own.lever]
    if not others:
        return []
    worst = max(others, key=lambda n: over(cite.measures, n, own.lever) or 0.0)
    pair = cite.measures.pair(worst, own.lever)
    side = "a_over_b" if pair.a == worst else "b_over_a"
    bound = over(cite.measures, worst, own.lever)
    figure = f"{cite.pair(worst, own.lever)}.{side}"
    if bound is not None and bound <= 0 and all(_told_apart(cite, own.lever, n) for n in others):
        text = f"It is ahead of every other eligible lever: {worst} minus it is at most {{0}}."
        return [cite.reason(text, figure)]
    text = (
        f"No eligible lever is ahead of it by more than the margin of {{margin}}: {worst}, which "
        "comes nearest to that, by at most {0}."
    )
    return [cite.reason(text, figure, margin="goal.margin")]


def _told_apart(cite: Cite, a: str, b: str) -> bool:
    """Whether the paired test tells them apart: where all levers are equal, each may be best.

    The bound that decides holds for whichever lever is truly best; with several that are, one of
    them is ahead of all others by its bound more often than one run in twenty.
    """
    return cite.measures.pair(a, b).p_holm <= SIGNIFICANT


def _cost(cite: Cite, choice: Choice, own: LeverSummary) -> list[Reason]:
    figure = f"levers.{own.lever}.bill.dollars_per_month"
    volume = "constraints.calls_per_month"
    if choice.dollars[own.lever] is None:
        return [cite.reason(f"What it costs is {{0}}: {own.cost.basis}.", figure)]
    text = "It costs {0} a month at {volume} calls, everything counted"
    rest = [
        (d, n) for n in choice.as_good if n != own.lever and (d := choice.dollars[n]) is not None
    ]
    more = {"volume": volume}
    if rest:
        text += f"; {min(rest)[1]}, as good, {{next}}"
        more["next"] = f"levers.{min(rest)[1]}.bill.dollars_per_month"
    out = [cite.reason(f"{text}.", figure, **more)]
    unknown = [n for n in choice.as_good if choice.dollars[n] is None]
    for name in unknown:
        text = f"{name} is as good; what it costs is {{0}}, so it may be cheaper."
        out.append(cite.reason(text, f"levers.{name}.bill.dollars_per_month"))
    text = (
        "One change of the task costs about {0} (engineer hours: {hours}; relabelling, training)."
    )
    hours = f"levers.{own.lever}.bill.change_hours"
    out.append(cite.reason(text, f"levers.{own.lever}.bill.change", hours=hours))
    return out


def _ahead(cite: Cite, choice: Choice, own: LeverSummary) -> list[Reason]:
    """Which levers it beats or loses to by the paired test, and which it is not told from."""
    out = []
    beaten: dict[str, list[str]] = {}  # floors, by the fine-tune that is said to beat them
    for other in (s.lever for s in cite.measures.levers if s.lever not in (own.lever, *ORACLES)):
        pair = cite.measures.pair(own.lever, other)
        figure = cite.pair(own.lever, other)
        difference = f"{pair.a} minus {pair.b} is {{0}} on {{rows}} rows, p {{p}} after Holm"
        ahead = pair.difference.value > 0 if pair.a == own.lever else pair.difference.value < 0
        if pair.p_holm > SIGNIFICANT:
            how = f"It is not told apart from {other}"
        else:
            how = f"It is ahead of {other}" if ahead else f"It is behind {other}"
            winner, loser = (own.lever, other) if ahead else (other, own.lever)
            if family(winner) == "finetune" and loser in FLOORS:
                beaten.setdefault(winner, []).append(loser)
        more = {"rows": f"{figure}.rows", "p": f"{figure}.p_holm"}
        out.append(cite.reason(f"{how}: {difference}.", f"{figure}.difference", **more))
    for winner, floors in beaten.items():
        seeds = cite.measures.lever(winner).seeds
        if seeds < ENOUGH_SEEDS:
            who = "it" if winner == own.lever else winner
            text = (
                f"That {who} beats {' and '.join(floors)} is said of {{0}} training "
                f"seed{'s' * (seeds > 1)} only; {ENOUGH_SEEDS} would show how much training itself "
                "varies."
            )
            out.append(cite.reason(text, f"levers.{winner}.seeds"))
    return out


def _reasons_for_none(cite: Cite, choice: Choice) -> list[Reason]:
    out: list[Reason] = []
    metric = cite.measures.metric
    if choice.few_groups:
        few = too_few(cite.measures, choice.behind)
        pair = max(few, key=lambda p: (p.p_attainable, p.rows))
        figure = f"pairs.{pair.a}~{pair.b}"
        kind = "groups" if pair.groups is not None else "rows"
        count = f"{figure}.{'groups' if pair.groups is not None else 'rows'}"
        text = (
            f"With {{n}} {kind} no p-value below {{0}} can be had for {pair.a} against {pair.b}, "
            "so no winner is claimed"
        )
        if budgeted := _budgeted(cite, pair.a, pair.b):
            text += f"; give {budgeted} a larger budget"
        text += "."
        out.append(cite.reason(text, f"{figure}.p_attainable", n=count))
    if choice.best is not None:
        text = f"{choice.best} has the highest {spoken(metric)} of the eligible levers, {{0}}."
        out.append(cite.reason(text, f"levers.{choice.best}.metrics.{metric}"))
        if not choice.as_good:
            out += _not_told(cite, choice, choice.best)
            if choice.labels_needed and not choice.few_groups:
                text = (
                    "The labels asked for would give a verdict in four runs of five (80 % power) "
                    "even where no lever is better than another, with the margin of {0}."
                )
                out.append(cite.reason(text, "goal.margin"))
    for name, found in choice.eligibility.items():
        if choice.best is None and name != FLOOR:
            out += [
                Reason(text=f"{name} is {found.state}. {r.text}", figure=r.figure)
                for r in found.reasons
            ]
    return out


def _not_told(cite: Cite, choice: Choice, best: str) -> list[Reason]:
    out = []
    for other in (n for n in choice.behind if n != best):
        bound = over(cite.measures, other, best)
        if bound is None or bound <= cite.task.goal.margin:
            continue
        pair = cite.measures.pair(other, best)
        figure = cite.pair(other, best)
        side = "a_over_b" if pair.a == other else "b_over_a"
        text = (
            f"{other} may still be ahead of it by up to {{0}}, more than the margin of {{margin}}"
        )
        more = {"margin": "goal.margin"}
        if budgeted := _budgeted(cite, other, best):
            text += f"; the two have {{rows}} in common: give {budgeted} a larger budget"
            more["rows"] = f"{figure}.rows"
        out.append(cite.reason(f"{text}.", f"{figure}.{side}", **more))
    return out


def _budgeted(cite: Cite, *levers: str) -> str:
    """Those of the levers that a budget kept from answering every test row."""
    found = [n for n in levers if (s := cite.measures.lever(n)).rows < s.all_rows]
    return " and ".join(found)


def _standing(lever: LeverSummary, cite: Cite, choice: Choice) -> Standing:
    name = lever.lever
    found = choice.eligibility[name]
    reasons = list(found.reasons)
    stale = caveat(lever, cite)
    if found.state == "eligible":
        metric = cite.measures.metric
        reasons.append(
            cite.reason(
                f"It holds every constraint; {spoken(metric)} {{0}}.",
                f"levers.{name}.metrics.{metric}",
            )
        )
        bounds = {n: over(cite.measures, n, name) for n in choice.behind if n != name}
        known = {n: b for n, b in bounds.items() if b is not None}
        if known:
            worst = max(known, key=lambda n: known[n])
            pair = cite.measures.pair(worst, name)
            side = "a_over_b" if pair.a == worst else "b_over_a"
            verb = "within" if name in choice.as_good else "more than"
            text = f"{worst} is ahead of it by at most {{0}}, {verb} the margin of {{margin}}."
            figure = f"{cite.pair(worst, name)}.{side}"
            reasons.append(cite.reason(text, figure, margin="goal.margin"))
    reasons += [] if stale is None else [stale]
    return Standing(
        lever=name,
        state=found.state,
        non_inferior=name in choice.as_good if found.state == "eligible" else None,
        margin_to_best=choice.behind.get(name),
        dollars_per_month=choice.dollars[name],
        reasons=tuple(reasons),
        change_hours=None if lever.bill is None else lever.bill.change_hours,
        change_dollars=None if lever.bill is None else lever.bill.change,
        changes_per_month=None if lever.bill is None else lever.bill.changes_per_month,
    )


def _break_evens(measures: Measures, choice: Choice) -> tuple[BreakEven, ...]:
    """The pulled (or else the best) lever against each of the others."""
    name = choice.lever or choice.best
    candidates = [s for s in measures.levers if s.lever not in (FLOOR, *ORACLES)]
    if name is None and candidates:
        name = max(candidates, key=lambda s: s.metrics[measures.metric].value).lever
    if name is None:
        return ()
    found = [break_even(measures.lever(name), s) for s in candidates if s.lever != name]
    return tuple(b for b in found if b is not None)
