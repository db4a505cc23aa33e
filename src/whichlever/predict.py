"""What goes into a predictor and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from whichlever.fields.spans import Span

Status = Literal["ok", "error", "timeout", "refused", "missing", "truncated", "handed"]
"""``ok``: answered. ``refused``: an answer outside the labels. ``missing``: no recorded answer.
``truncated``: the input did not fit the model's window and was not sent. ``handed``: left
to a person. Everything but ``ok`` counts as wrong and is shown."""

Scores = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Row:
    """One example, read and rendered.

    ``text`` is the rendered input; ``target`` the true label, None where unknown; ``group`` is
    never on both sides of a split; ``time`` is in seconds since 1970 UTC; ``document`` the name of
    the document that holds the answer, where the task gives it (only the oracle row is told).
    For `kind: extract`, ``fields`` is what is true of the line, name → value or list of values
    (None where unknown), and ``source`` what wrote it.
    For `kind: verify`, ``person`` is whose name the text bears, ``author`` who really wrote it.
    ``trusted`` is the text without the fields that an attacker writes (`guard.untrusted`), ""
    where nothing is left; None where it is not known.
    """

    id: str
    text: str
    target: str | None = None
    group: str | None = None
    time: float | None = None
    document: str | None = None
    fields: Mapping[str, Any] | None = None
    source: str | None = None
    person: str | None = None
    author: str | None = None
    trusted: str | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """What one answer used; None is "not measured", never zero.

    Tokens are as the server counted them; ``tokens_cached`` is a part of ``tokens_in``;
    ``seconds`` is the wall time of this row (its share, where rows were answered in a batch);
    ``bytes_out`` is what left this machine; ``estimated`` marks tokens worked out from
    characters.
    """

    tokens_in: int | None = None
    tokens_cached: int | None = None
    tokens_out: int | None = None
    seconds: float | None = None
    bytes_out: int | None = 0
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class Prediction:
    """One lever's answer to one row.

    ``scores`` is a probability per label, shape (classes,), in the order of the run's labels, or
    None where the lever gives none. ``label`` is None unless ``status`` is "ok".

    For `kind: extract`, ``fields`` is what is said of the line (None unless ``status`` is "ok"),
    ``spans`` where it was copied from (empty where the lever does not copy), ``confidence`` the
    probability that every field is right, and ``shape`` the compiled shape that matched.
    """

    id: str
    label: str | None
    scores: Scores | None = None
    status: Status = "ok"
    error: str | None = None
    usage: Usage = field(default_factory=Usage)
    fields: Mapping[str, Any] | None = None
    spans: tuple[Span, ...] = ()
    confidence: float | None = None
    shape: str | None = None


class Predictor(Protocol):
    """Answers rows: one prediction per row, in order."""

    def predict(self, rows: Sequence[Row]) -> list[Prediction]:
        """Answer each row; a row that cannot be answered gets a status, never an exception."""
        ...
