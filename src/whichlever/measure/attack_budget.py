"""What an attacker may spend, and what of it the time allows."""

from __future__ import annotations

from dataclasses import dataclass, replace

LEAST_ROWS = 5
"""Rows that a slow lever is attacked on even where the time would allow fewer."""

ENOUGH_ROWS = 30
"""Rows are given up before questions down to here, then questions, then rows again."""

LEAST_QUESTIONS = 12
"""Questions a row for the given strings, at least."""

SEARCH_FROM = 60
"""Questions a row below which a search finds nothing worth its name, and is left out."""


@dataclass(frozen=True)
class Budget:
    """An attacker's budget.

    Attributes
    ----------
    rows
        Protected test rows attacked.
    strings, search
        Questions a row with given strings, and in each search (0: no search).
    chars
        Characters added to a row at most, the blank before them too.
    cut
        Whether the time allowed less than was asked for.
    """

    rows: int
    strings: int
    search: int
    chars: int
    cut: bool = False

    def questions(self, searches: int) -> int:
        """Questions a row in all."""
        return self.strings + searches * self.search


def within_time(
    wanted: Budget, searches: int, seconds_each: float | None, minutes: float
) -> Budget:
    """As much of a budget as the time allows; rows, then questions, then rows are given up.

    Parameters
    ----------
    searches
        How many searches there are.
    seconds_each
        Seconds of one answer; None is not known, and nothing is given up.
    """
    if not seconds_each:
        return wanted
    most = int(minutes * 60 / seconds_each)
    if wanted.rows * wanted.questions(searches) <= most:
        return wanted
    rows = min(wanted.rows, max(ENOUGH_ROWS, most // max(wanted.questions(searches), 1)))
    each = most // max(rows, 1)
    if each >= searches * SEARCH_FROM + LEAST_QUESTIONS:
        share = each / wanted.questions(searches)
        strings = max(LEAST_QUESTIONS, int(wanted.strings * min(share, 1.0)))
        strings = min(wanted.strings, strings)
        search = min(wanted.search, (each - strings) // max(searches, 1)) if searches else 0
        if search >= min(SEARCH_FROM, wanted.search):
            return replace(wanted, rows=rows, strings=strings, search=search, cut=True)
    strings = min(wanted.strings, max(LEAST_QUESTIONS, each))
    rows = min(wanted.rows, max(LEAST_ROWS, most // strings))
    return replace(wanted, rows=rows, strings=strings, search=0, cut=True)
