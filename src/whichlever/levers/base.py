"""What every lever is given and what it gives back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from whichlever.fields.schema import Schema
from whichlever.levers.held_out import HeldOut
from whichlever.predict import Predictor, Row
from whichlever.progress import Progress, Silent
from whichlever.task import Task


@dataclass(frozen=True)
class Context:
    """What a lever may know beside its rows.

    ``labels`` is the run's label order (every `Prediction.scores` follows it); ``folder`` is the
    lever's own, kept between runs of the same step, so that a paid answer is never paid twice;
    ``test_ids`` are the ids alone, for levers that look recorded answers up (empty: not told);
    ``parts`` are the fits of the levers that a joined lever named in its own ``parts``;
    ``schema`` is what was learned of the names to copy (`kind: extract`; ``labels`` are the names);
    ``calibrate`` are the calibration rows, for a threshold that may be chosen on nothing else;
    ``held_apart`` are digests (`recorded_raw.text_key`) of the texts of all rows but the training
    rows, for levers with ``reads_more`` (they learn from rows of elsewhere, and not from these).
    """

    task: Task
    labels: tuple[str, ...]
    seed: int
    folder: Path
    progress: Progress = field(default_factory=Silent)
    test_ids: frozenset[str] = frozenset()
    parts: Mapping[str, Fit] = field(default_factory=dict)
    schema: Schema | None = None
    calibrate: Sequence[Row] = ()
    held_apart: frozenset[bytes] = frozenset()


@dataclass(frozen=True)
class Fit:
    """A fitted lever.

    Attributes
    ----------
    predictor
        Answers rows.
    what
        The scope of every claim about it, e.g. "prompting SmolLM2-135M-Instruct with 4 shots".
    chosen
        What was chosen on validation rows and why; JSON values only.
    rows_seen
        Labelled rows it learned from (training, and validation where it refits).
    max_rows
        Test rows it can answer within its budget, sized before any test row is read; None is all.
    place
        Where its answers are made: "here", "remote" (bytes leave) or "recorded".
    price_as
        The model's name in the token price table; None is priced by this machine's time.
    token_prices
        Dollars per million tokens (in, cached, out) where the task gives them.
    seeds
        Trainings that were made, differing in their seed alone; ``predictor`` is the first's.
    cores
        Threads that the embedded server answers with; None where there is none, or not known.
    priced
        Whether the price of its answers can be known; False for a server ``place: here`` that is
        another machine and has no token price: this machine's time is not what it costs.
    held_out
        Scores of validation rows by the chosen model before it learned from them; None where the
        lever keeps none.
    """

    predictor: Predictor
    what: str
    chosen: Mapping[str, Any] = field(default_factory=dict)
    rows_seen: int = 0
    max_rows: int | None = None
    place: Literal["here", "remote", "recorded"] = "here"
    price_as: str | None = None
    token_prices: tuple[float, float, float] | None = None
    seeds: int = 1
    cores: int | None = None
    priced: bool = True
    held_out: HeldOut | None = None


class Lever(Protocol):
    """One way of doing the task.

    ``id`` names it in every table (``linear``, ``prompt``, ``rag``, ``rag-vote``,
    ``finetune-static``, ``recorded-gpt-4``) and is safe as a folder name. A lever may also have
    ``files``, the files (as the task names them) whose content its results depend on, and
    ``check(task) -> None``, which raises within milliseconds what `fit` could only raise late: a
    missing package, weights or folder.
    """

    id: str

    def settings(self) -> Mapping[str, Any]:
        """What its results depend on beside the data: JSON values, hashed into the cache key."""
        ...

    def estimate_seconds(self, train: int, valid: int) -> float | None:
        """About how long `fit` will take, from the number of rows; None where unknown."""
        ...

    def fit(self, train: Sequence[Row], valid: Sequence[Row], context: Context) -> Fit:
        """Learn from ``train``, choose on ``valid``."""
        ...
