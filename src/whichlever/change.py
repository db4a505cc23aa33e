"""The job after the fits: change the documents under every lever and see who follows.

Each lever is asked right after its own test rows are answered and kept, with the fit that answered
them. Nothing is fitted again. What was found stays in the lever's step folder, so that a run that
was killed, or a task that got its ``change:`` later, goes on from there.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from whichlever.data import Dataset, Splits
from whichlever.data.after import Later, read_later
from whichlever.documents.folder import check_documents, read_folder, stamp_of
from whichlever.levers.base import Fit, Lever
from whichlever.measure import Measures
from whichlever.measure.change import Change, Twice, change_evidence
from whichlever.measure.oracle import ORACLES, Retrieval, blame_of, recall_at, sentence, turned
from whichlever.predict import Prediction, Row
from whichlever.progress import Progress
from whichlever.run import digest, read_json, write_json
from whichlever.task import Task

DEPTH = 10
"""Documents looked at when asking whether the right one was found."""

CHUNK = 256
SLOW_CHUNK = 8

PATIENCE = 60.0
"""Seconds that a lever may take to notice changed documents before it is said not to have."""

POLL = 0.002


class AfterFit:
    """Asks each fitted lever what is not in its test rows: the rows of after a change, and which
    documents it finds.

    Parameters
    ----------
    task, dataset, splits
        The task and its rows.
    seed
        Orders the rows of after the change.

    Raises
    ------
    DataError, TaskError
        The rows or the documents of after the change cannot be used.
    """

    def __init__(
        self, task: Task, dataset: Dataset, splits: Splits, seed: int, progress: Progress
    ) -> None:
        self._task, self._splits, self._progress = task, splits, progress
        self._labels = {label: i for i, label in enumerate(dataset.labels)}
        self._later: Later | None = None
        self._rows: tuple[Row, ...] = ()
        self._key = ""
        self._files: tuple[int, int] = (0, 0)
        self._found: dict[str, dict[str, Any]] = {}
        self._ranks: dict[str, list[int | None]] = {}
        if task.change is not None:
            self._later = read_later(task, dataset)
            self._rows = in_turn(self._later, seed)
            self._key, self._files = self._documents()

    def within(self, fit: Fit) -> Fit:
        """Keep up to half of the rows that a budget pays for, for the rows of afterwards."""
        return (
            fit if fit.max_rows is None else replace(fit, max_rows=fit.max_rows - self._kept(fit))
        )

    def __call__(self, lever: Lever, folder: Path, fit: Callable[[], Fit]) -> None:
        """Ask one lever, or read what it said before."""
        self._search(lever, folder, fit)
        if self._later is None or lever.id in ORACLES or lever.id.startswith("recorded-"):
            return  # an oracle is a diagnostic; recorded answers to these rows do not exist
        kept = folder / f"change-{self._key[:16]}.json"
        if not kept.exists():
            write_json(kept, self._ask(lever, fit(), folder))
        self._found[lever.id] = read_json(kept)

    def evidence(self, measures: Measures) -> Measures:
        """The measures with what was found of the change and of retrieval."""
        margin = self._task.goal.margin
        update: dict[str, Any] = {}
        if self._later is not None and self._found:
            twice = [self._twice(name, found) for name, found in self._found.items()]
            update["change"] = change_evidence(
                twice, margin, documents=self._files[0], files_changed=self._files[1]
            )
        if self._ranks:
            update["retrieval"] = retrieval_evidence(measures, self._ranks, margin)
        return measures.model_copy(update=update) if update else measures

    def _kept(self, fit: Fit) -> int:
        if self._later is None or fit.max_rows is None or self._task.change is None:
            return 0
        most = min(len(self._rows), self._task.change.max_rows)
        return min(2 * most, fit.max_rows // 2)

    def _search(self, lever: Lever, folder: Path, fit: Callable[[], Fit]) -> None:
        """At what place each test row's own document is found."""
        if not lever.id.startswith("rag") or lever.id in ORACLES:
            return
        rows = [row for row in self._splits.test if row.document is not None]
        if not rows:
            return
        kept = folder / "recall.json"
        if not kept.exists():
            search = getattr(fit().predictor, "sources", None)
            found = None if search is None else search(rows, DEPTH)
            ranks = (
                []
                if found is None
                else [_rank(r.document, f) for r, f in zip(rows, found, strict=True)]
            )
            write_json(kept, ranks)
        ranks = read_json(kept)
        if ranks:
            self._ranks[lever.id] = ranks

    def _ask(self, lever: Lever, fit: Fit, folder: Path) -> dict[str, Any]:
        rows = self._rows if fit.max_rows is None else self._rows[: max(self._kept(fit) // 2, 2)]
        before = self._predict(f"{lever.id}: before the change", fit, rows)
        out: dict[str, Any] = {
            "ids": [row.id for row in rows],
            "reads_documents": bool(getattr(fit.predictor, "reads_documents", False)),
            "before": [p.label for p in before],
            "after": [p.label for p in before],
            "seconds_to_index": None,
            "seconds_to_answer": None,
        }
        change = self._task.change
        if not out["reads_documents"] or change is None or change.documents is None:
            return out  # nothing that it reads has changed: the answers stay what they are
        staged = folder / "documents-changing"
        try:
            out |= self._swap(fit, rows, staged)
        finally:
            shutil.rmtree(staged, ignore_errors=True)
        after = self._predict(f"{lever.id}: after the change", fit, rows)
        return out | {"after": [p.label for p in after]}

    def _swap(self, fit: Fit, rows: Sequence[Row], staged: Path) -> dict[str, Any]:
        """Change files under the lever, in a folder of its own, and time how it follows.

        The lever is not told: it reads the folder and finds that files in it have changed.
        """
        task, predictor = self._task, fit.predictor
        assert task.documents is not None
        assert task.change is not None
        assert task.change.documents
        before, after = task.path(task.documents), task.path(task.change.documents)
        shutil.rmtree(staged, ignore_errors=True)
        _copy(before, staged)
        predictor.read_from(staged)  # type: ignore[attr-defined]
        for name in {s[0] for s in stamp_of(before)} - {s[0] for s in stamp_of(after)}:
            (staged / name).unlink()
        _copy(after, staged)
        began = time.monotonic()
        follow: Callable[[], bool] = predictor.follow  # type: ignore[attr-defined]
        while not (followed := follow()) and time.monotonic() - began < PATIENCE:
            time.sleep(POLL)
        index = time.monotonic() - began
        if not followed:
            return {}
        later = self._later
        assert later is not None
        first = next((row for row in rows if later.changed(row)), rows[0])
        predictor.predict([first])
        return {"seconds_to_index": index, "seconds_to_answer": time.monotonic() - began}

    def _predict(self, name: str, fit: Fit, rows: Sequence[Row]) -> list[Prediction]:
        out: list[Prediction] = []
        chunk = CHUNK if fit.max_rows is None else SLOW_CHUNK
        with self._progress.step(name, total=len(rows)) as bar:
            for start in range(0, len(rows), chunk):
                out += fit.predictor.predict(rows[start : start + chunk])
                bar.advance(len(rows[start : start + chunk]))
        return out

    def _twice(self, lever: str, found: Mapping[str, Any]) -> Twice:
        later = self._later
        assert later is not None
        rows = self._rows[: len(found["ids"])]
        grouped = all(row.group is not None for row in self._rows)

        def numbers(labels: Sequence[str | None]) -> np.ndarray:
            return np.array([self._labels.get(str(x), -1) if x else -1 for x in labels], np.int64)

        def truth(labels: Sequence[str | None]) -> np.ndarray:
            # A label of afterwards that no lever knows is in a class of its own.
            far = len(self._labels)
            return np.array([self._labels.get(str(x), far) for x in labels], np.int64)

        return Twice(
            lever,
            found["reads_documents"],
            numbers(found["before"]),
            numbers(found["after"]),
            truth([row.target for row in rows]),
            truth([later.was[row.id] for row in rows]),
            tuple(str(row.group) for row in rows) if grouped else None,
            found["seconds_to_index"],
            found["seconds_to_answer"],
        )

    def _documents(self) -> tuple[str, tuple[int, int]]:
        """A hash of the change; how many documents there are after it and how many differ."""
        change, later = self._task.change, self._later
        assert change is not None
        assert later is not None
        facts: list[Any] = [later.fingerprint, [row.id for row in self._rows], change.max_rows]
        if change.documents is None or self._task.documents is None:
            return digest(facts), (0, 0)
        check_documents(self._task.path(change.documents))
        texts = [
            {n: [p.text for p in d.passages] for n, d in read_folder(root).documents.items()}
            for root in (self._task.path(self._task.documents), self._task.path(change.documents))
        ]
        differing = sum(texts[0].get(n) != texts[1].get(n) for n in {**texts[0], **texts[1]})
        return digest([*facts, texts]), (len(texts[1]), differing)


def in_turn(later: Later, seed: int) -> tuple[Row, ...]:
    """Rows in one random frozen order in which changed and unchanged facts take turns.

    Groups come once each before any comes again, so that a lever that can afford only the first
    rows answers about as many facts as it can.
    """
    random = np.random.default_rng([seed, 5])
    shuffled = [later.rows[i] for i in random.permutation(len(later.rows))]
    seen: dict[tuple[str, bool], int] = {}
    keyed = []
    for row in shuffled:
        kind = (row.group if row.group is not None else row.id, later.changed(row))
        seen[kind] = seen.get(kind, 0) + 1
        keyed.append((seen[kind], row))
    keyed.sort(key=lambda pair: pair[0])
    halves = [[row for _, row in keyed if later.changed(row) is want] for want in (True, False)]
    most = max(map(len, halves))
    return tuple(half[i] for i in range(most) for half in halves if i < len(half))


def retrieval_evidence(
    measures: Measures, ranks: Mapping[str, Sequence[int | None]], margin: float
) -> tuple[Retrieval, ...]:
    """What each retrieving lever's search finds, and whether the search or the reader fails."""
    ran = {s.lever for s in measures.levers}
    scores = {
        s.lever: s.metrics[measures.metric].value for s in measures.levers if s.lever not in ORACLES
    }
    out = []
    for name, places in ranks.items():
        oracle = next((o for o, lever in ORACLES.items() if lever == name and o in ran), None)
        others = {n: v for n, v in scores.items() if n != name}
        best = max(others, key=lambda n: others[n], default=None)
        worth = None if oracle is None else _minus(measures, oracle, name)
        short = None if oracle is None or best is None else _minus(measures, best, oracle)
        blame = None if worth is None else blame_of(worth, short, margin)
        found = Retrieval(
            lever=name, oracle=oracle, rows=len(places), recall=recall_at(places),
            worth=worth, best=best, short=short, blame=blame, text="",
        )  # fmt: skip
        out.append(found.model_copy(update={"text": sentence(found, measures.metric, margin)}))
    return tuple(out)


def _minus(measures: Measures, a: str, b: str) -> Any:  # noqa: ANN401 - an Interval
    pair = measures.pair(a, b)
    return pair.difference if pair.a == a else turned(pair.difference)


def _rank(document: str | None, found: Sequence[str]) -> int | None:
    return found.index(document) + 1 if document in found else None


def _copy(source: Path, target: Path) -> None:
    """Copy the documents that would be read; links and everything else stay behind."""
    for name, *_ in stamp_of(source):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, target / name)


__all__ = ["AfterFit", "Change", "in_turn", "retrieval_evidence"]
