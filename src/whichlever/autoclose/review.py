"""What analysts say of the sample: a journal, the real miss rate, and the automatic trip.

Two things are watched, each by a confidence sequence at half of the error that the policy's
confidence leaves, so that a promise which is kept trips the switch with at most that chance, ever,
however often somebody looks.

1. *Among closed rows.* The sample is drawn by a hash that knows nothing of the rows, so each
   reviewed closed row is protected with the same chance as any closed row. The policy holds the
   share that its promise left room for at the share of protected rows of its calibration rows;
   when the sequence's lower end is above it, more protected rows are closed than was promised, or
   there are more of them than there were.
2. *Among protected rows*, where the open ones are told too. Of the protected rows that are looked
   at, open ones always and closed ones with chance r, a share q = m r / (m r + 1 − m) is closed if
   a share m of all protected rows is. The promise m ≤ α is the same as q ≤ q(α), and this needs no
   assumption about how many protected rows there are.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from whichlever.autoclose.lines import (
    BadLine,
    bounded_lines,
    dumped,
    ident_of,
    read_object,
)
from whichlever.autoclose.policy_file import identity
from whichlever.autoclose.switch import Switch, now
from whichlever.calibrate.policy import Policy
from whichlever.calibrate.sequence import confidence_sequence
from whichlever.errors import DataError

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows has no advisory locks
    fcntl = None  # type: ignore[assignment]

ERRORS_SHOWN = 20


@dataclass
class Found:
    """The state of a review: how often each was found, and what follows."""

    closed_reviewed: int = 0
    closed_protected: int = 0
    open_protected: int = 0
    among_closed: tuple[float, float] = (0.0, 1.0)
    allowed_among_closed: float = 1.0
    missed: float | None = None
    missed_interval: tuple[float, float] | None = None
    closed_protected_estimate: float | None = None
    broken: str | None = None
    added: int = 0
    errors: list[str] = field(default_factory=list)
    errors_in_all: int = 0

    def told(self) -> dict[str, Any]:
        """The same as JSON."""
        return {**vars(self)}


def journal_of(policy: Path) -> Path:
    """The journal beside a policy file."""
    return policy.with_name(policy.name + ".journal.jsonl")


def review(policy: Policy, path: Path, given: BinaryIO) -> Found:
    """Add analysts' answers to the journal, estimate, and trip the switch where it must.

    A line is ``{"id", "truth", "closed"}``; ``closed`` is true unless said. An id counts once; a
    later answer replaces an earlier one. Closed ids that the policy did not draw are refused:
    rows that somebody picked say nothing about the others.

    Raises
    ------
    DataError
        The journal cannot be written, or belongs to another policy.
    """
    errors: list[str] = []
    events = list(_answers(policy, given, errors))
    journal = journal_of(path)
    try:
        with journal.open("a+b") as book:
            if fcntl is not None:
                fcntl.flock(book, fcntl.LOCK_EX)
            known = _known(policy, _read(book), journal)
            new = [e for e in events if known.get(e["id"]) != (e["truth"], e["closed"])]
            _append(book, policy, new, empty=book.tell() == 0)
            for event in new:
                known[event["id"]] = (event["truth"], event["closed"])
            found = estimate(policy, known)
            found.added, found.errors = len(new), errors[:ERRORS_SHOWN]
            found.errors_in_all = len(errors)
            if found.broken is not None:
                Switch(path).off(found.broken, tripped=True)
                _append(book, policy, [{"event": "tripped", "why": found.broken}], empty=False)
    except OSError as error:
        raise DataError(f"{journal}: {error.strerror}; the answers were not kept") from error
    return found


def so_far(policy: Policy, path: Path) -> Found:
    """The estimate from the journal as it is."""
    journal = journal_of(path)
    if not journal.exists():
        return estimate(policy, {})
    with journal.open("rb") as book:
        return estimate(policy, _known(policy, _read(book), journal))


def note(policy: Policy, path: Path, event: str, why: str) -> None:
    """Write down that somebody moved the switch."""
    with journal_of(path).open("a+b") as book:
        if fcntl is not None:
            fcntl.flock(book, fcntl.LOCK_EX)
        book.seek(0, os.SEEK_END)
        _append(book, policy, [{"event": event, "why": why}], empty=book.tell() == 0)


def sentences(policy: Policy, found: Found) -> list[str]:
    """What a review says, a line each."""
    names = " or ".join(policy.protect)
    low, high = found.among_closed
    out = [
        f"{found.closed_reviewed:,} closed rows reviewed, {found.closed_protected:,} of them "
        f"{names}: between {low:.3%} and {high:.3%} of closed rows (room for "
        f"{found.allowed_among_closed:.3%})"
    ]
    if found.closed_protected:
        out.append(
            f"one in {1 / policy.review:.3g} closed rows is reviewed, so about "
            f"{found.closed_protected_estimate:,.0f} {names} rows were closed in all"
        )
    if found.missed_interval is not None and found.missed is not None:
        low, high = found.missed_interval
        out.append(
            f"of all {names} rows about {found.missed:.2%} were closed, between {low:.2%} and "
            f"{high:.2%}; at most {policy.promise.at_most:.2%} was promised"
        )
    if found.errors_in_all:
        out.append(f"{found.errors_in_all:,} lines were not used: {found.errors[0]}")
    return out


def estimate(policy: Policy, known: dict[str, tuple[str, bool]]) -> Found:
    """What the answers so far say; see the module's text."""
    protect = set(policy.protect)
    closed = [truth in protect for truth, was_closed in known.values() if was_closed]
    n, k = len(closed), sum(closed)
    opened = sum(truth in protect for truth, was_closed in known.values() if not was_closed)
    half = 1 - (1 - policy.promise.confidence) / 2
    found = Found(
        closed_reviewed=n,
        closed_protected=k,
        open_protected=opened,
        among_closed=confidence_sequence(k, n, half),
        allowed_among_closed=policy.protected_among_closed,
    )
    r = policy.review
    if r > 0:
        found.closed_protected_estimate = k / r
    if r > 0 and opened + k > 0:
        low, high = confidence_sequence(k, k + opened, half)
        found.missed = (k / r) / (k / r + opened)
        found.missed_interval = (_missed(low, r), _missed(high, r)) if opened else None
    found.broken = _broken(policy, found)
    return found


def _missed(q: float, r: float) -> float:
    """The share m of protected rows that is closed, from the share q among those looked at."""
    return q / (r * (1 - q) + q) if q > 0 else 0.0


def _broken(policy: Policy, found: Found) -> str | None:
    names = " and ".join(policy.protect)
    if found.missed_interval is not None and found.missed_interval[0] > policy.promise.at_most:
        return (
            f"the share of {names} rows that is closed is at least "
            f"{found.missed_interval[0]:.2%}, more than the {policy.promise.at_most:.2%} promised"
        )
    if found.among_closed[0] > found.allowed_among_closed:
        return (
            f"at least {found.among_closed[0]:.3%} of closed rows are {names}, more than the "
            f"{found.allowed_among_closed:.3%} that the promise left room for"
        )
    return None


def _answers(policy: Policy, given: BinaryIO, errors: list[str]) -> Iterable[dict[str, Any]]:
    for place, line in enumerate(bounded_lines(given), 1):
        if line is not None and not line.strip():
            continue
        try:
            found = read_object(line)
            ident, truth, closed = ident_of(found), found.get("truth"), found.get("closed", True)
            if not isinstance(truth, str) or truth not in policy.labels:
                raise BadLine(f"truth: one of {', '.join(policy.labels)} is needed")
            if not isinstance(closed, bool):
                raise BadLine("closed: true or false is needed")
            if closed and not policy.sampled(ident):
                raise BadLine(f"id {ident!r} was not drawn for review; only drawn rows count")
        except ValueError as error:
            errors.append(f"line {place}: {error}")
            continue
        yield {"id": ident, "truth": truth, "closed": closed}


def _read(book: BinaryIO) -> list[dict[str, Any]]:
    """Every whole line of the journal; what a kill tore is passed over."""
    book.seek(0)
    out = []
    for line in bounded_lines(book):
        try:
            out.append(read_object(line))
        except BadLine:
            continue
    return out


def _known(
    policy: Policy, events: list[dict[str, Any]], journal: Path
) -> dict[str, tuple[str, bool]]:
    if events and events[0].get("policy") not in (None, identity(policy)):
        raise DataError(f"{journal} belongs to another policy; move it away, or use its own policy")
    return {
        e["id"]: (e["truth"], e["closed"])
        for e in events
        if isinstance(e.get("id"), str)
        and isinstance(e.get("truth"), str)
        and isinstance(e.get("closed"), bool)
    }


def _append(book: BinaryIO, policy: Policy, events: list[dict[str, Any]], *, empty: bool) -> None:
    """Append whole lines, after a line end where a kill left none."""
    if empty:
        events = [{"policy": identity(policy), "version": 1}, *events]
    else:
        book.seek(-1, os.SEEK_END)
        if book.read(1) != b"\n":
            book.write(b"\n")
    if not events:
        return
    time = now()
    book.write("".join(dumped({"time": time, **e}) + "\n" for e in events).encode())
    book.flush()
    os.fsync(book.fileno())
