"""Texts that some other system already answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from whichlever.levers.base import Context
from whichlever.levers.recorded import Recorded
from whichlever.levers.recorded_settle import Settled
from whichlever.predict import Prediction, Predictor, Row, Usage


class RecordedTexts(Recorded):
    """As `Recorded`, but an answer is whatever text was said, where answers are open."""

    def predictor(self, found: Settled, context: Context) -> Predictor:
        """What looks the texts up."""
        return super().predictor(found, context) if context.labels else _Texts(found)


@dataclass(frozen=True)
class _Texts:
    found: Settled

    def predict(self, rows: Sequence[Row]) -> list[Prediction]:
        return [self._read(row) for row in rows]

    def _read(self, row: Row) -> Prediction:
        answer = self.found.answer(row)
        if answer is None:
            unknown = Usage(bytes_out=None)
            return Prediction(row.id, None, status="missing", error="no answer", usage=unknown)
        if answer.error is not None:
            return Prediction(row.id, None, status="error", error=answer.error, usage=answer.usage)
        if answer.prediction is None:
            error = "null answer"
            return Prediction(row.id, None, status="missing", error=error, usage=answer.usage)
        return Prediction(row.id, answer.prediction.strip(), usage=answer.usage)
