"""What a teacher said, kept as it comes: an answer that was paid for is never asked for again.

A line is one answer: probabilities of labels by their place (those above one in a million), or the
text of an open answer, with what it took. A last line that a kill tore is dropped.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from whichlever.levers.base import Fit
from whichlever.levers.recorded_raw import text_key
from whichlever.predict import Prediction, Row
from whichlever.prices import row_dollars
from whichlever.task import Task

SMALLEST = 1e-6

PASSING = ("error", "timeout")
"""What a call may come to today and not tomorrow; the row is asked about again at a later start."""

Floats = npt.NDArray[np.float32]


class TeacherAnswers:
    """A teacher's answers by the row's text: it is asked about a text once, whatever its row's id.

    Parameters
    ----------
    path
        A file of JSON lines, made when the first answers are kept.
    labels
        The run's labels, in order; empty where answers are open texts.
    """

    def __init__(self, path: Path, labels: Sequence[str]) -> None:
        self._path, self._labels = path, tuple(labels)
        self._index = {label: i for i, label in enumerate(labels)}
        self._by_text: dict[str, dict[str, Any]] = {}
        if path.exists():
            self._load()

    def has(self, row: Row) -> bool:
        """Whether the teacher was asked about it."""
        return _key(row) in self._by_text

    def keep(
        self, rows: Sequence[Row], answers: Sequence[Prediction], dollars: Sequence[float | None]
    ) -> None:
        """Write answers down, and then use them; a call that failed may be tried another day.

        Parameters
        ----------
        dollars
            What each answer cost; None where that is not known.
        """
        told = []
        for row, answer, paid in zip(rows, answers, dollars, strict=True):
            took = {"seconds": answer.usage.seconds, "dollars": paid}
            told.append({"text_key": _key(row), **took, **self._said(answer)})
        lines = [json.dumps(said, ensure_ascii=True) + "\n" for said in told]
        lasting = [
            line
            for line, said in zip(lines, told, strict=True)
            if said.get("status") not in PASSING or said["dollars"]
        ]
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("ab") as stream:
            stream.write("".join(lasting).encode("ascii"))
            stream.flush()
            os.fsync(stream.fileno())
        for line in lines:  # what a later start would read, to the last digit
            self._take(json.loads(line))

    def probabilities(self, rows: Sequence[Row]) -> Floats:
        """What was said, shape (rows, labels); zeros where there is no answer."""
        out = np.zeros((len(rows), len(self._labels)), np.float32)
        for i, found in enumerate(self._of(rows)):
            for label, share in found.get("said", ()):
                out[i, label] = share
        return out

    def texts(self, rows: Sequence[Row]) -> list[str | None]:
        """Open answers; None where there is none."""
        return [found.get("text") for found in self._of(rows)]

    def taken(self, rows: Sequence[Row], what: str) -> list[float]:
        """The ``seconds`` or ``dollars`` of those answers of which they are known."""
        return [float(f[what]) for f in self._of(rows) if f.get(what) is not None]

    @property
    def paid(self) -> tuple[int, list[float]]:
        """How many answers are kept in all, and the dollars of those of which they are known."""
        found = [kept["dollars"] for kept in self._by_text.values()]
        return len(found), [float(dollars) for dollars in found if dollars is not None]

    def soft(self, rows: Sequence[Row]) -> bool:
        """Whether any of the answers are probabilities rather than one label."""
        return any(len(found.get("said", ())) > 1 for found in self._of(rows))

    def _of(self, rows: Sequence[Row]) -> list[Mapping[str, Any]]:
        return [self._by_text.get(_key(row), {}) for row in rows]

    def _said(self, answer: Prediction) -> dict[str, Any]:
        if answer.status != "ok":
            return {"status": answer.status}
        if not self._labels:
            return {"text": answer.label}
        if answer.scores is not None:
            shares = enumerate(np.asarray(answer.scores, np.float64).tolist())
            return {"said": [[i, round(p, 7)] for i, p in shares if p > SMALLEST]}
        label = self._index.get(answer.label or "")
        return {"status": "refused"} if label is None else {"said": [[label, 1.0]]}

    def _load(self) -> None:
        raw = self._path.read_bytes()
        whole = raw.rfind(b"\n") + 1
        if whole != len(raw):
            with self._path.open("r+b") as stream:
                stream.truncate(whole)
        for line in raw[:whole].splitlines():
            try:
                self._take(json.loads(line))
            except (ValueError, TypeError, KeyError):
                continue

    def _take(self, entry: Mapping[str, Any]) -> None:
        said = [(int(i), float(p)) for i, p in entry.get("said", ())]
        if any(not 0 <= i < len(self._labels) or not 0 <= p <= 1.00001 for i, p in said):
            raise ValueError("not an answer to this task")
        text = entry.get("text")
        if text is not None and not isinstance(text, str):
            raise TypeError("not an answer to this task")
        kept = {key: entry.get(key) for key in ("seconds", "dollars", "text")}
        self._by_text.setdefault(str(entry["text_key"]), {**kept, "said": said})


def _key(row: Row) -> str:
    return text_key(row.text).hex()


def price_of(answer: Prediction, teacher: Fit, task: Task) -> float | None:
    """Dollars of one answer: its tokens, or this machine's time; None where not known."""
    return row_dollars(
        answer.usage, teacher.place, teacher.price_as, teacher.token_prices, task,
        cores=teacher.cores or 1, priced=teacher.priced,
    )  # fmt: skip
