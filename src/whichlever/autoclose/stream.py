"""A policy over scored lines: one line out per line in, in order, whatever comes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO, TextIO

from whichlever.autoclose.lines import (
    BadLine,
    bounded_lines,
    dumped,
    ident_of,
    read_object,
    shown,
)
from whichlever.autoclose.switch import Switch
from whichlever.calibrate.policy import Decision, Policy, decide_row

REPORT_EVERY = 1_000


@dataclass
class Counts:
    """What became of the lines."""

    lines: int = 0
    closed: int = 0
    review: int = 0
    open: int = 0
    errors: int = 0
    held_open: int = 0
    """Rows that the switch alone kept open."""


def apply_policy(
    policy: Policy,
    switch: Switch,
    given: BinaryIO,
    out: TextIO,
    advance: Callable[[int], None] | None = None,
) -> Counts:
    """Add ``closed``, ``review`` and ``why`` to each line of ``whichlever run``.

    A line that cannot be used becomes ``{"id", "error", "closed": false, "review": false}`` in its
    place. The switch is looked at for every row that would be closed.

    Parameters
    ----------
    advance
        Called now and then with the number of lines done since.
    """
    counts, place = Counts(), 0
    for place, line in enumerate(bounded_lines(given), 1):
        if line is not None and not line.strip():
            told: dict[str, Any] = _error(None, place, "empty line")
        else:
            told = _judged(policy, switch, line, place, counts)
        _count(counts, told)
        out.write(dumped(told) + "\n")
        if advance is not None and place % REPORT_EVERY == 0:
            advance(REPORT_EVERY)
    out.flush()
    if advance is not None:
        advance(place % REPORT_EVERY)
    return counts


def _judged(
    policy: Policy, switch: Switch, line: bytes | None, place: int, counts: Counts
) -> dict[str, Any]:
    ident = None
    try:
        found = read_object(line)
        ident = shown(found.get("id"))
        if "error" in found and "scores" not in found:
            why = "the model gave no answer"
            return {**found, "closed": False, "review": False, "why": why}
        decision = _decided(policy, found)
    except ValueError as error:
        return _error(ident, place, str(error))
    if decision.closed and not switch.closing():
        counts.held_open += 1
        decision = Decision(False, False, f"kill switch: {switch.why()}")
    return {**found, "closed": decision.closed, "review": decision.review, "why": decision.why}


def _decided(policy: Policy, found: dict[str, Any]) -> Decision:
    ident, label, scores = ident_of(found), found.get("label"), found.get("scores")
    abstain = found.get("abstain", False)
    if not isinstance(label, str):
        raise BadLine("label: a string is needed")
    if not isinstance(scores, dict):
        raise BadLine("scores: an object of label and probability is needed")
    if not isinstance(abstain, bool):
        raise BadLine("abstain: true or false is needed")
    return decide_row(policy, ident, label, scores, abstain=abstain)


def _error(ident: str | None, place: int, why: str) -> dict[str, Any]:
    return {"id": ident, "error": f"line {place}: {why}", "closed": False, "review": False}


def _count(counts: Counts, told: dict[str, Any]) -> None:
    counts.lines += 1
    counts.closed += told["closed"]
    counts.review += told["review"]
    bad = "error" in told
    counts.errors += bad
    counts.open += not told["closed"] and not bad
