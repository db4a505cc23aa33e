"""The levers of a finished run as predictors again, read back from their fits."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from whichlever.calibrate import Temperature
from whichlever.data import Dataset, Splits
from whichlever.infer.hybrid import HybridPredictor
from whichlever.levers.base import Lever
from whichlever.levers.build import build
from whichlever.measure import Measures
from whichlever.measure.hybrid import PERSON, Hybrid
from whichlever.measure.scores import mistake_costs
from whichlever.predict import Predictor
from whichlever.progress import Progress
from whichlever.run import read_json
from whichlever.step import fit_lever, step_key
from whichlever.task import Task

HYBRID = "hybrid"


@dataclass(frozen=True)
class Fitted:
    """A run's levers, to be read back one at a time.

    ``levers`` are those that the task builds and that the run measured, by id.
    """

    task: Task
    dataset: Dataset
    splits: Splits
    run: Path
    measures: Measures
    seed: int
    progress: Progress
    levers: Mapping[str, Lever]

    @classmethod
    def of(
        cls,
        task: Task,
        dataset: Dataset,
        splits: Splits,
        run: Path,
        measures: Measures,
        seed: int,
        progress: Progress,
    ) -> Fitted:
        """The levers of a run whose rows are these."""
        ran = {summary.lever for summary in measures.levers}
        levers = {lever.id: lever for lever in build(task) if lever.id in ran}
        return cls(task, dataset, splits, run, measures, seed, progress, levers)

    @property
    def names(self) -> list[str]:
        """Every measured lever: those that answer fast first, as slow ones try what they teach."""
        names = [summary.lever for summary in self.measures.levers]
        return sorted(names, key=lambda name: name.startswith(("prompt", "rag")) or name == HYBRID)

    def seconds_each(self, lever: str) -> float | None:
        """About how long one answer takes in a batch, as the run measured it."""
        latency = self.measures.lever(lever).latency
        if latency.rows_per_second:
            return 1 / latency.rows_per_second
        return None if latency.p50_ms is None else latency.p50_ms / 1000

    def identity(self, lever: str) -> str | None:
        """What a lever's answers depend on, as a digest; None where it cannot be read back."""
        if lever == HYBRID:
            parts = self._hybrid_parts()
            known = [self.identity(name) for name in parts if name != PERSON]
            return None if not parts or None in known else "+".join(map(str, known))
        if lever not in self.levers or lever.startswith("recorded"):
            return None
        made = self.levers[lever]
        return step_key(made, self.task, self.dataset, self.splits, self.seed)

    @contextmanager
    def predictor(self, lever: str) -> Iterator[Predictor]:
        """One lever's predictor, read back from its fit; servers are stopped afterwards."""
        with contextlib.ExitStack() as stack:
            if lever == HYBRID:
                yield self._hybrid(stack)
                return
            yield self._read(lever, stack)

    def _read(self, lever: str, stack: contextlib.ExitStack) -> Predictor:
        made = self.levers[lever]
        fit, _ = fit_lever(
            made, self.task, self.dataset, self.splits, self._folder(lever), self.seed,
            self.progress,
        )  # fmt: skip
        close = getattr(fit.predictor, "close", None)
        if close is not None:
            stack.callback(close)
        return fit.predictor

    def _folder(self, lever: str) -> Path:
        key = step_key(self.levers[lever], self.task, self.dataset, self.splits, self.seed)
        folder = self.run / "fits" / lever / key[:16]
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _hybrid_parts(self) -> list[str]:
        found = self.measures.hybrid
        return [found.first, found.then] if isinstance(found, Hybrid) else []

    def _hybrid(self, stack: contextlib.ExitStack) -> Predictor:
        """The hybrid as it was measured: its parts, its threshold, its parts' temperatures."""
        found = self.measures.hybrid
        assert isinstance(found, Hybrid)
        first = self._read(found.first, stack)
        then = None if found.then == PERSON else self._read(found.then, stack)
        labels = self.dataset.labels
        costs = None
        if found.score == "cost":
            k = len(labels)
            true, said = np.divmod(np.arange(k * k), k)
            costs = mistake_costs(true, said, labels, self.task.mistakes).reshape(k, k)
        return HybridPredictor(
            first, then, labels, found.threshold, costs,
            self._temperature(found.first), None if then is None else self._temperature(found.then),
        )  # fmt: skip

    def _temperature(self, lever: str) -> Temperature | None:
        path = self._folder(lever) / "step.json"
        said: Mapping[str, Any] = read_json(path) if path.exists() else {}
        value = said.get("temperature")
        return None if value is None else Temperature(float(value))
