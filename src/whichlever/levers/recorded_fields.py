"""Fields that some other system already copied out of the test lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from whichlever.errors import DataError
from whichlever.fields.schema import Schema
from whichlever.levers.base import Context
from whichlever.levers.recorded import Recorded
from whichlever.levers.recorded_settle import Answer, Settled
from whichlever.llm.copying import made_of, read_fields
from whichlever.predict import Prediction, Predictor, Row, Usage


class RecordedFields(Recorded):
    """A system that is not here, by the fields it said of the test lines.

    As `Recorded`, but a prediction is an object of names and values (or its text, as a chat log
    holds it). Values that it made up are counted; nothing is put right.
    """

    def predictor(self, found: Settled, context: Context) -> Predictor:
        """What looks the fields up.

        Raises
        ------
        DataError
            The task is not one of fields.
        """
        if context.schema is None:
            raise DataError(f"{self.id}: no names were learned; look at data.target")
        return FieldLookup(found, context.schema)


@dataclass(frozen=True)
class FieldLookup:
    """Looks fields up by row id, or by the line itself where a log holds no ids."""

    found: Settled
    schema: Schema

    def predict(self, rows: Sequence[Row]) -> list[Prediction]:
        """Answer each line as recorded."""
        return [self._read(row, self.found.answer(row)) for row in rows]

    def _read(self, row: Row, answer: Answer | None) -> Prediction:
        if answer is None:
            unknown = Usage(bytes_out=None)
            return Prediction(row.id, None, status="missing", error="no answer", usage=unknown)
        if answer.error is not None:
            return Prediction(row.id, None, status="error", error=answer.error, usage=answer.usage)
        if answer.prediction is None:
            return Prediction(
                row.id, None, status="missing", error="null answer", usage=answer.usage
            )
        said = read_fields(answer.prediction)
        if said is None:
            error = f"{answer.prediction[:200]!r} is no object of fields"
            return Prediction(row.id, None, status="refused", error=error, usage=answer.usage)
        fields = {name: made_of(name, value, row.text, self.schema) for name, value in said.items()}
        return Prediction(row.id, None, usage=answer.usage, fields=fields)
