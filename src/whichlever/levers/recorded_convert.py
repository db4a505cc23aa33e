"""From a file of answers in any format to recorded rows, with the counts of what became of them."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from whichlever.errors import DataError
from whichlever.levers.recorded import read_prediction
from whichlever.levers.recorded_settle import read_settled
from whichlever.llm.reading import LabelReader
from whichlever.predict import Prediction, Row
from whichlever.run import written_aside


class Converted(BaseModel):
    """What became of a file of answers.

    Attributes
    ----------
    format, model
        What kind of file it is, and who answered, where it says.
    rows
        Rows of the task that have an answer; the next three sum to it.
    answered, refused, errors
        A label was read; the words name no label, or several; the call failed or gave nothing.
    test_rows, test_rows_answered
        Of the task's test rows.
    unknown_ids
        Answers whose id is no row's of the task; not written.
    repeated, retried
        Answers to a text asked before, and failed tries beside an answer; not written.
    with_tokens, with_seconds
        Rows whose tokens and seconds are known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: str
    model: str | None
    rows: int
    answered: int
    refused: int
    errors: int
    test_rows: int
    test_rows_answered: int
    unknown_ids: int
    repeated: int
    retried: int
    with_tokens: int
    with_seconds: int


def convert(
    source: Path,
    target: Path,
    rows: Sequence[Row],
    labels: Sequence[str],
    test_ids: Collection[str],
    model: str | None = None,
) -> Converted:
    """Write the answers to ``rows`` as recorded rows, one JSON object a line.

    A refused answer is written in the model's words, so that it is refused again.

    Raises
    ------
    DataError
        The file cannot be read, or answers none of the rows.
    """
    settled = read_settled(
        source.name, source, model=model, known=frozenset(row.id for row in rows)
    )
    reader = LabelReader(labels)
    counts = {"ok": 0, "refused": 0, "error": 0}
    written: set[str] = set()
    tokens = timed = 0
    with written_aside(target) as aside:
        with aside.open("w", encoding="utf-8") as stream:
            for row in rows:
                answer = settled.answer(row)
                if answer is None:
                    continue
                found = read_prediction(row.id, answer, reader)
                kind = found.status if found.status in counts else "error"
                counts[kind] += 1
                tokens += found.usage.tokens_in is not None
                timed += found.usage.seconds is not None
                line = _line(found, answer.prediction, settled.model)
                stream.write(json.dumps(line) + "\n")  # ASCII: an answer may be no valid text
                written.add(row.id)
        if not written:
            said = next(iter(settled.by_id), None)
            shown = f"its ids are as {said!r}, the" if said is not None else "the"
            raise DataError(
                f"{source.name}: answers no row of the task ({shown} task's as {rows[0].id!r}); "
                "look at data.id, or give the requests' own replies"
            )
    known = {row.id for row in rows}
    return Converted(
        format=settled.format,
        model=settled.model,
        rows=len(written),
        answered=counts["ok"],
        refused=counts["refused"],
        errors=counts["error"],
        test_rows=len(test_ids),
        test_rows_answered=sum(id_ in written for id_ in test_ids),
        unknown_ids=settled.unknown + sum(id_ not in known for id_ in settled.by_id),
        repeated=settled.repeated,
        retried=settled.retried,
        with_tokens=tokens,
        with_seconds=timed,
    )


def _line(found: Prediction, said: str | None, model: str | None) -> dict[str, Any]:
    used = found.usage
    line = {
        "id": found.id,
        "prediction": (said or "")[:2000] or None if found.label is None else found.label,
        "tokens_in": used.tokens_in,
        "tokens_cached": used.tokens_cached,
        "tokens_out": used.tokens_out,
        "seconds": None if used.seconds is None else round(used.seconds, 6),
        "error": found.error if found.status in ("error", "missing") else None,
        "model": model,
    }
    return {key: value for key, value in line.items() if value is not None or key == "prediction"}
