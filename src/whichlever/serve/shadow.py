"""A second bundle that answers the same rows silently, and is compared."""

from __future__ import annotations

import asyncio
from collections import Counter as Tally
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from whichlever.predict import Prediction, Row
from whichlever.runtime.bundle import Bundle
from whichlever.runtime.lines import scores_of
from whichlever.serve.metrics import Metrics

MOST_WAITING = 2_000
"""Rows that may wait for the shadow; what comes beyond is not compared, and counted."""


class Shadow:
    """Compares labels; it never delays an answer: it has its own thread and drops what is too much.

    Both bundles read rows in the same way (the server checks), so the same texts are given to both.
    """

    def __init__(self, bundle: Bundle, metrics: Metrics) -> None:
        self.bundle, self._metrics = bundle, metrics
        self._thread = ThreadPoolExecutor(1, "whichlever-shadow")
        self._waiting = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def compare(self, rows: Sequence[Row], answers: Sequence[Prediction]) -> None:
        """Ask the shadow later, and count where it says something else."""
        if self._waiting + len(rows) > MOST_WAITING:
            self._metrics.shadow_dropped.inc(len(rows))
            return
        self._waiting += len(rows)
        task = asyncio.create_task(self._ask(rows, answers))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _ask(self, rows: Sequence[Row], answers: Sequence[Prediction]) -> None:
        loop = asyncio.get_running_loop()
        try:
            said = await loop.run_in_executor(self._thread, self.bundle.predictor.predict, rows)
            pairs = [_pair(a, b) for a, b in zip(answers, said, strict=True)]
            for pair, count in Tally(pairs).items():
                self._metrics.shadow.labels(*pair).inc(count)
            ours, theirs = scores_of(answers), scores_of(said)
            if ours is not None and theirs is not None and ours.shape == theirs.shape:
                self._metrics.shadow_gap.observe(abs(ours - theirs).max(axis=1))
        except Exception:
            self._metrics.shadow_failed.inc(len(rows))
        finally:
            self._waiting -= len(rows)

    async def close(self) -> None:
        """Let what was begun end."""
        if self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
        self._thread.shutdown()


def _pair(answer: Prediction, shadow: Prediction) -> tuple[str, str]:
    """What the two said; of fields and texts, only whether they are the same."""
    if answer.fields is not None or shadow.fields is not None:
        return "fields", "the same" if answer.fields == shadow.fields else "others"
    if answer.scores is None and answer.label is not None:
        return "text", "the same" if answer.label == shadow.label else "another"
    return answer.label or "-", shadow.label or "-"
