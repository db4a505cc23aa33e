"""A request's rows as the texts that the model reads, and its answers in the rows' places."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from whichlever.errors import DataError
from whichlever.predict import Prediction, Row
from whichlever.render.record import BLANK
from whichlever.runtime.bundle import Bundle
from whichlever.runtime.lines import Scores, answer_lines, error_line

LONGEST_ID = 1_000

SMALLEST_WHOLE, LARGEST_WHOLE = -(2**63), 2**64


@dataclass(slots=True)
class Asked:
    """One request's rows.

    Attributes
    ----------
    rows
        Those that have a text, in order.
    ids
        Every row's own id, else its number.
    errors
        What is wrong with the others, by their place.
    """

    rows: list[Row]
    ids: list[Any]
    errors: dict[int, str] = field(default_factory=dict)

    def lines(
        self,
        answers: Sequence[Prediction],
        scores: Scores | None,
        bundle: Bundle,
        top: int | None = None,
    ) -> list[dict[str, Any]]:
        """One line for every row asked, errors in their places; ``scores`` is of all answers."""
        if not self.errors:
            return answer_lines(answers, bundle.manifest, self.ids, scores, top)
        good = [ident for i, ident in enumerate(self.ids) if i not in self.errors]
        said = iter(answer_lines(answers, bundle.manifest, good, scores, top))
        return [
            error_line(self.errors[i], ident) if i in self.errors else next(said)
            for i, ident in enumerate(self.ids)
        ]

    def without_errors(self, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Of one line for every row, those of `rows`."""
        if not self.errors:
            return lines
        return [line for i, line in enumerate(lines) if i not in self.errors]


def read_rows(bundle: Bundle, given: Sequence[Any]) -> Asked:
    """Texts of rows as they were given: texts, records, or what is neither."""
    most = bundle.read.reader.max_chars
    if set(map(type, given)) == {str} and _plain(given, most):
        return Asked([Row("", text) for text in given], list(range(len(given))))
    column = bundle.manifest.reader.id
    asked = Asked([], list(range(len(given))))
    rows, ids = asked.rows, asked.ids
    for i, row in enumerate(given):
        source = trusted = None
        try:
            if isinstance(row, str):
                text = _checked(row, most)
            elif isinstance(row, dict):
                if column is not None and column in row:
                    ids[i] = _ident(row[column], i)
                text = bundle.read.text(row)
                source, trusted = bundle.read.source(row), bundle.read.trusted(row)
            else:
                raise DataError("a row is an object or a text")
        except DataError as error:
            asked.errors[i] = str(error)
        else:
            rows.append(Row("", text, source=source, trusted=trusted))
    return asked


def _plain(texts: Sequence[str], most: int) -> bool:
    """Whether there is nothing to say against any of these texts, which is the usual case."""
    return (
        max(map(len, texts)) <= most
        and all(map(str.isascii, texts))
        and all(text.strip(BLANK) for text in texts)
    )


def _checked(text: str, most: int) -> str:
    if len(text) > most:
        raise DataError(f"{len(text)} characters; at most {most} are read")
    if not text.strip(BLANK):
        raise DataError("the text is empty")
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _ident(found: Any, number: int) -> str | int | float:  # noqa: ANN401 - any JSON value
    if isinstance(found, str):
        return found[:LONGEST_ID].encode("utf-8", "replace").decode()
    if isinstance(found, bool) or not isinstance(found, int | float):
        return number
    if isinstance(found, float):
        return found if math.isfinite(found) else number
    return found if SMALLEST_WHOLE <= found < LARGEST_WHOLE else number
