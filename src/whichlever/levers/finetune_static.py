"""Fine-tuning at the rung ``static``: token embeddings and a head, learned, then folded."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from whichlever.errors import DataError, MissingExtraError
from whichlever.infer.static import StaticClassifier, StaticModel, StaticPredictor
from whichlever.infer.static_words import Bags, WordPieces
from whichlever.levers.base import Context, Fit
from whichlever.levers.finetune_base import base_files, base_fingerprint, base_weights, check_base
from whichlever.levers.held_out import HeldOut
from whichlever.models.static_distill import distilled, write_aside
from whichlever.models.threads import training_threads
from whichlever.models.window import newest
from whichlever.predict import Row
from whichlever.task import FinetuneSettings, Task

if TYPE_CHECKING:
    from whichlever.infer.static_words import Ints
    from whichlever.models.static_train import StaticRun

MODEL, FACTS = "static.safetensors", "static.json"

SEEDS = 3
"""Trainings unless the task says how many: each costs seconds, and one may be luck."""


class FinetuneStatic:
    """Learns token vectors that start as an encoder's, and pairs of them where that helps."""

    id = "finetune-static"

    def __init__(self, settings: FinetuneSettings) -> None:
        self._settings = settings
        self._seeds = settings.seeds or SEEDS

    def settings(self) -> Mapping[str, Any]:
        """What its results depend on beside the data."""
        s = self._settings
        return {
            "base": s.base, "weights": base_fingerprint(s.base), "windows": list(s.windows),
            "seeds": self._seeds, "refit": s.refit, "method": 2,
        }  # fmt: skip

    @property
    def files(self) -> tuple[str, ...]:
        """The base's files, where it is a folder."""
        return base_files(self._settings.base)

    def check(self, task: Task) -> None:
        """Raise early what `fit` would raise late: a missing package, or no such base."""
        check_base(self._settings.base, task)

    def estimate_seconds(self, train: int, valid: int) -> float | None:
        """About how long `fit` will take, in seconds, measured on two cores."""
        return 10.0 + 0.003 * train * (1 + (self._seeds - 1) / 4)

    def fit(self, train: Sequence[Row], valid: Sequence[Row], context: Context) -> Fit:
        """Try pairs and class weights on the smallest window, then the windows, on validation.

        What was chosen is then fitted again on training and validation rows together (``refit``),
        for as many passes as were best. With more ``seeds`` what was chosen is trained again with
        the next ones, and their validation scores are kept in ``chosen["seed_scores"]``; the
        first seed's model answers.

        A fit that was completed in ``context.folder`` is read back instead.

        Raises
        ------
        DataError
            There is no row to learn from, or none to choose on.
        WeightsError, MissingExtraError
            The base or a package is missing.
        """
        model, facts = context.folder / MODEL, context.folder / FACTS
        if not facts.exists():
            run, chosen, held_out = self._train(train, valid, context)
            held_out.save(context.folder)
            write_aside(model, run.model.to_bytes())
            write_aside(facts, json.dumps(chosen).encode())  # last: it is what makes the fit done
        chosen = json.loads(facts.read_bytes())
        return Fit(
            predictor=StaticPredictor(StaticModel.read(model), context.labels),
            what=f"fine-tuning static token embeddings of {self._settings.base}",
            chosen=chosen,
            rows_seen=chosen["rows"] + chosen["refit_new_rows"],
            seeds=len(chosen["seed_scores"]),
            held_out=HeldOut.load(context.folder),
        )

    def _train(
        self, train: Sequence[Row], valid: Sequence[Row], context: Context
    ) -> tuple[StaticRun, dict[str, Any], HeldOut]:
        try:
            import torch  # noqa: F401 - asked for here so that the message names the extra
        except ImportError:
            raise MissingExtraError("fine-tuning", "train") from None
        from whichlever.models.static_train import StaticOptions, train_static, variants

        began = time.monotonic()
        index = {label: i for i, label in enumerate(context.labels)}
        train = [row for row in train if row.target in index]
        if not train or not valid:
            raise DataError(
                f"{self.id}: needs labelled training and validation rows "
                f"({len(train)} and {len(valid)} given); give split: larger shares"
            )
        metric = context.task.goal.metric
        folder = base_weights(self._settings.base, context.task).path
        vectors = distilled(folder, progress=context.progress)
        pieces = WordPieces.load(folder)
        valid_bags, valid_targets = _numbered(valid, index, pieces)
        tried: list[dict[str, Any]] = []

        def attempt(
            rows: Sequence[Row], options: StaticOptions, seed: int, passes: int | None = None
        ) -> StaticRun:
            bags, targets = _numbered(rows, index, pieces)
            pairs = "with" if options.pairs else "without"
            name = f"{self.id}: {len(rows):,} rows, {pairs} token pairs, balance {options.balance}"
            name += f", seed {seed}" if seed != context.seed else ""
            with context.progress.step(name, total=passes or options.epochs) as step:
                run = train_static(
                    bags, targets, valid_bags, valid_targets, len(context.labels),
                    vectors=vectors, pieces=pieces, options=options, seed=seed,
                    metric=metric, step=step, passes=passes,
                )  # fmt: skip
            if seed == context.seed and passes is None:
                tried.append({
                    "rows": len(rows), "pairs": options.pairs, "balance": options.balance,
                    "score": round(run.score, 4),
                })  # fmt: skip
            return run

        with training_threads(self._settings.threads) as threads:
            sizes = window_sizes(self._settings.windows, len(train))
            smallest = newest(train, sizes[0], context.seed)
            runs = [
                (sizes[0], attempt(smallest, options, context.seed))
                for options in variants(_for_size(StaticOptions(), sizes[0]), metric)
            ]
            best = max(runs, key=lambda pair: pair[1].score)
            for size in sizes[1:]:
                options = _for_size(best[1].options, size)
                run = attempt(newest(train, size, context.seed), options, context.seed)
                if run.score > best[1].score:
                    best = (size, run)
            size, run = best
            rows = newest(train, size, context.seed)
            others = range(context.seed + 1, context.seed + self._seeds)
            scores = [run.score, *(attempt(rows, run.options, s).score for s in others)]
            scored = StaticClassifier(run.model).probabilities([row.text for row in valid])
            held_out = HeldOut(tuple(row.id for row in valid), scored)
            known = [row for row in valid if row.target in index] if self._settings.refit else []
            final = run.model
            if known:
                final = attempt([*rows, *known], run.options, context.seed, run.best_epoch).model
        seconds = time.monotonic() - began
        chosen = {
            "rung": "static",
            "base": self._settings.base,
            "rows": size,
            "refit_new_rows": len(known),
            **asdict(run.options),
            "epochs_run": run.epochs,
            "best_epoch": run.best_epoch,
            "validation": {"metric": metric, "score": run.score, "rows": len(valid)},
            "seed_scores": scores,
            "tried": tried,
            "seconds": seconds,
            "threads": threads,
            "truncated_rows": 0,
        }
        return replace(run, model=final), chosen, held_out


def window_sizes(windows: Sequence[int | str], rows: int) -> list[int]:
    """Different numbers of newest rows to try, smallest first."""
    return sorted({min(rows, w) if isinstance(w, int) else rows for w in windows})


def _for_size(options: Any, rows: int) -> Any:  # noqa: ANN401 - StaticOptions, not imported here
    return replace(options, patience=2 if rows > 10_000 else 5)


def _numbered(
    rows: Sequence[Row], index: Mapping[str, int], pieces: WordPieces
) -> tuple[Bags, Ints]:
    bags = pieces.ids([row.text for row in rows])
    targets = [index.get(row.target, -1) if row.target is not None else -1 for row in rows]
    return bags, np.array(targets, np.int64)
