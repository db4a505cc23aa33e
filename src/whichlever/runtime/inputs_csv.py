"""Rows of a csv file or pipe: read as training reads it, each bad row in its place."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from whichlever.errors import DataError

SIGNS = ",;\t|"
"""What may stand between two cells; the one that the first line has most of (a comma, at a tie)."""

MOST_LINES = 50_000
"""Lines of one row."""

Row = tuple[Mapping[str, str] | None, str | None]


class _TooLong(Exception):
    """A row that goes on and on."""


class _Lines:
    """Lines as `csv.reader` takes them, of which a row that failed gives back all but the first.

    So a quote that is never closed costs the line that it stands in, and not those behind it.
    That stays linear: the next quote of the file ends what an open one can swallow.
    """

    def __init__(self, lines: Iterable[bytes | None], most: int) -> None:
        self._lines, self._most = _cut(lines), most
        self._row: list[bytes | None] = []
        self._size = 0
        self._again: deque[bytes | None] = deque()

    def begin(self) -> None:
        """A row begins."""
        self._row, self._size = [], 0

    def give_back(self) -> None:
        """All but the first line of the row are read again."""
        self._again.extendleft(reversed(self._row[1:]))

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        self._row.append(line)
        self._size += 0 if line is None else len(line)
        if line is None or self._size > self._most or len(self._row) > MOST_LINES:
            raise _TooLong
        return line.decode("utf-8", "surrogateescape")


def _cut(lines: Iterable[bytes | None]) -> Iterator[bytes | None]:
    """Lines with their ends and without a byte order mark; a lone carriage return ends one too."""
    for number, line in enumerate(lines):
        if line is not None and number == 0:
            line = line.removeprefix(b"\xef\xbb\xbf")
        if line is None:
            yield None
            continue
        end = b"\r\n" if line.endswith(b"\r") else b"\n"
        *inner, last = line.removesuffix(b"\r").split(b"\r")
        yield from (part + b"\r" for part in inner)
        yield last + end


def csv_rows(
    lines: Iterable[bytes | None], name: str, most: int, delimiter: str | None
) -> Iterator[Row]:
    """Every row as a record, or what is wrong with it.

    Parameters
    ----------
    lines
        Without their line feeds; None for one that is too long.
    most
        Bytes of one row at most.
    delimiter
        None finds out.

    Raises
    ------
    DataError
        The first line names no columns.
    """
    most_before = csv.field_size_limit(most)
    try:
        given = _Lines(lines, most)
        columns, reader = _begin(given, name, delimiter)
        if not columns:
            return
        while True:
            given.begin()
            try:
                row = next(reader)
            except StopIteration:
                return
            except _TooLong:
                yield None, f"the row is longer than {most:,} bytes or {MOST_LINES:,} lines"
                given.give_back()
            except csv.Error as error:
                yield None, f"not csv ({error})"
                given.give_back()
            else:
                yield _record(columns, row)
    finally:
        csv.field_size_limit(most_before)


def _begin(
    given: _Lines, name: str, delimiter: str | None
) -> tuple[list[str], Iterator[list[str]]]:
    try:
        head = next((line for line in given if line.strip()), "")
        sign = delimiter or max(SIGNS, key=lambda s: (head.count(s), s == ","))
        columns = [
            c.strip()
            for c in next(csv.reader(chain([head], given), delimiter=sign, strict=True), [])
        ]
    except (csv.Error, _TooLong) as error:
        raise DataError(
            f"{name}: its first line does not name columns ({error or 'too long'})"
        ) from None
    if len(set(columns)) < len(columns):
        raise DataError(f"{name}: a column's name stands twice in the first line")
    return columns, csv.reader(given, delimiter=sign, strict=True)


def _record(columns: list[str], row: list[str]) -> Row:
    if not row:
        return None, "the line is empty"
    if len(row) != len(columns):
        return None, f"{len(row)} cells, the first line names {len(columns)} columns"
    if any("\udc80" <= c <= "\udcff" for cell in row if not cell.isascii() for c in cell):
        return None, "not UTF-8"
    return dict(zip(columns, row, strict=True)), None
