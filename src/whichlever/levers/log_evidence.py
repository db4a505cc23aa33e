"""How good a log's answers are, where labelled rows have the same text or id."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from whichlever.levers.logged import Log
from whichlever.levers.recorded_raw import row_keys
from whichlever.predict import Row, Usage


@dataclass(frozen=True)
class LogEvidence:
    """The labelled rows that a log answers.

    Attributes
    ----------
    said
        Row id → the answer that was given most often, the first of equals.
    right
        Those of them that are right.
    usage
        What each of the log's answers used, of whatever row.
    """

    said: dict[str, str]
    right: frozenset[str]
    usage: tuple[Usage, ...]


def log_evidence(log: Log, rows: Sequence[Row]) -> LogEvidence:
    """Look the rows up in the log, by text.

    Parameters
    ----------
    rows
        Labelled rows of whatever role; nothing is learned here.
    """
    said: dict[str, str] = {}
    for row in rows:
        entry = next((log.entries[k] for k in row_keys(row.text) if k in log.entries), None)
        if entry is not None:
            counts = {a: entry.answers.count(a) for a in dict.fromkeys(entry.answers[:1000])}
            said[row.id] = max(counts, key=lambda answer: counts[answer])
    right = frozenset(row.id for row in rows if row.id in said and said[row.id] == row.target)
    return LogEvidence(said, right, tuple(log.usage))
