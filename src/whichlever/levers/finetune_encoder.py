"""Fine-tuning at the rung ``encoder``: every weight of a MiniLM-class encoder."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from whichlever.errors import DataError, MissingExtraError
from whichlever.infer.encoder import EncoderPredictor
from whichlever.infer.encoder_text import EncoderText
from whichlever.levers.base import Context, Fit
from whichlever.levers.finetune_base import base_files, base_fingerprint, base_weights, check_base
from whichlever.levers.held_out import HeldOut
from whichlever.models.encoder_plan import keep_plan
from whichlever.models.static_distill import write_aside
from whichlever.models.threads import core_count, training_threads
from whichlever.models.window import newest
from whichlever.predict import Row
from whichlever.task import FinetuneSettings, Task

ONNX, WEIGHTS, TOKENIZER, FACTS, PLAN, THREADS = (
    "encoder.onnx", "encoder.safetensors", "tokenizer.json", "encoder.json", "plan.json",
    "threads.json",
)  # fmt: skip

MOST_VALID = 2_000
"""Validation rows scored at each check, at most: a fixed random draw of more."""

RATE, LORA_RATE = 2e-4, 2e-3
"""Peak learning rates; adapters start from nothing and want a higher one."""

ONNX_CHECKED = 64
"""Validation rows on which the ONNX file must answer as torch does."""


class FinetuneEncoder:
    """Fine-tunes the whole encoder within a time budget, and answers through onnxruntime."""

    id = "finetune-encoder"

    def __init__(self, settings: FinetuneSettings) -> None:
        self._settings = settings
        self._seeds = settings.seeds or 1
        self._rate = settings.learning_rate or (RATE if settings.lora is None else LORA_RATE)

    def settings(self) -> Mapping[str, Any]:
        """What its results depend on beside the data."""
        s = self._settings
        return {
            "base": s.base, "weights": base_fingerprint(s.base), "seeds": self._seeds,
            "max_rows": s.max_rows, "max_tokens": s.max_tokens,
            "epochs": s.epochs, "learning_rate": self._rate, "minutes": s.minutes,
            "refit": s.refit, "method": 3, **({"lora": s.lora} if s.lora is not None else {}),
            **({"frozen_layers": s.frozen_layers} if s.frozen_layers else {}),
        }  # fmt: skip

    @property
    def files(self) -> tuple[str, ...]:
        """The base's files, where it is a folder."""
        return base_files(self._settings.base)

    def check(self, task: Task) -> None:
        """Raise early what `fit` would raise late: a missing package, or no such base."""
        more = ("onnx", "onnxscript", "onnxruntime")
        check_base(self._settings.base, task, *more, *(("peft",) if self._settings.lora else ()))

    def estimate_seconds(self, train: int, valid: int) -> float | None:
        """About how long `fit` will take, in seconds: at most its budget; measured when it starts.

        Assumes 40 rows a second in training (short rows, two cores).
        """
        rows = min(train, self._settings.max_rows or train)
        each = rows * self._settings.epochs / 40
        return min(self._settings.minutes * 60, each * self._seeds) + 30

    def fit(self, train: Sequence[Row], valid: Sequence[Row], context: Context) -> Fit:
        """Train on the newest rows, keeping the weights that are best on validation rows.

        A fit that was completed in ``context.folder`` is read back instead; one that was killed
        before starts again from the encoder, by the plan that it had written there.

        With more ``seeds`` each has its share of the budget, the others train by the first's
        plan, and their validation scores are kept in ``chosen["seed_scores"]``; the first seed's
        model answers.

        Raises
        ------
        DataError
            There is no row to learn from, or none to choose on.
        MissingExtraError
            torch or onnxruntime is not installed.
        CheckFailed
            The exported model does not answer as the trained one.
        """
        folder = context.folder
        if not (folder / FACTS).exists():
            chosen = self._train(train, valid, context)
            write_aside(folder / FACTS, json.dumps(chosen).encode())  # last: the fit is done
        chosen = json.loads((folder / FACTS).read_bytes())
        return Fit(
            predictor=EncoderPredictor(
                folder / ONNX,
                (folder / TOKENIZER).read_text(encoding="utf-8"),
                context.labels,
                chosen["max_tokens"],
                self._settings.threads or core_count(),
            ),
            what=_what(chosen),
            chosen=chosen,
            rows_seen=chosen["rows"] + chosen["refit_new_rows"],
            seeds=len(chosen["seed_scores"]),
            held_out=HeldOut.load(folder),
        )

    def _train(
        self, train: Sequence[Row], valid: Sequence[Row], context: Context
    ) -> dict[str, Any]:
        try:
            import torch
            import transformers  # noqa: F401 - asked for here so that the message names the extra
        except ImportError:
            raise MissingExtraError("fine-tuning", "train") from None
        from whichlever.models.encoder import EncoderOptions, EncoderRun, Refit, train_encoder
        from whichlever.models.encoder_onnx import export

        began = time.monotonic()
        settings, metric = self._settings, context.task.goal.metric
        index = {label: i for i, label in enumerate(context.labels)}
        train = newest([r for r in train if r.target in index], settings.max_rows, context.seed)
        if not train or not valid:
            raise DataError(
                f"{self.id}: needs labelled training and validation rows "
                f"({len(train)} and {len(valid)} given); give split: larger shares"
            )
        if len(valid) > MOST_VALID:
            drawn = np.random.default_rng(context.seed).permutation(len(valid))[:MOST_VALID]
            valid = [valid[i] for i in sorted(drawn.tolist())]
        base = base_weights(settings.base, context.task).path
        tokenizer = (base / "tokenizer.json").read_text(encoding="utf-8")
        window = min(settings.max_tokens, _positions(base))
        text = EncoderText(tokenizer, window)
        inputs, valid_inputs = (text.encode([r.text for r in part]) for part in (train, valid))
        targets, valid_targets = (
            np.array([index.get(r.target or "", -1) for r in part], np.int64)
            for part in (train, valid)
        )
        options = EncoderOptions(
            epochs=settings.epochs,
            rate=self._rate,
            lora=settings.lora,
            frozen=settings.frozen_layers,
            balance=0.5 if metric == "macro_f1" else 0.0,
            seconds=settings.minutes * 60 / self._seeds,
        )
        refit, replayed = None, range(0)
        if settings.refit:
            known = np.flatnonzero(valid_targets >= 0)
            replayed = range(max(0, len(train) - len(known)), len(train))
            refit = Refit(
                [*(inputs.ids[i] for i in replayed), *(valid_inputs.ids[i] for i in known)],
                np.concatenate((targets[replayed.start :], valid_targets[known])),
            )

        def trained(seed: int, record: Path) -> EncoderRun:
            more = f" (seed {seed})" if self._seeds > 1 else ""
            return train_encoder(
                base, inputs.ids, targets, valid_inputs.ids, valid_targets, len(context.labels),
                options=options, seed=seed, metric=metric, progress=context.progress,
                name=f"{self.id}: train{more}", record=record, refit=refit,
            )  # fmt: skip

        with training_threads(_threads(context.folder, settings.threads)) as threads:
            run = trained(context.seed, context.folder / PLAN)
            scores = [run.score]
            for seed in range(context.seed + 1, context.seed + self._seeds):
                record = context.folder / f"plan-{seed}.json"
                if not record.exists():
                    keep_plan(record, replace(run.plan, stop_at=None))
                scores.append(trained(seed, record).score)
            with context.progress.step(f"{self.id}: ONNX export", seconds=15):
                worst = export(run.net, valid_inputs.ids[:ONNX_CHECKED], context.folder / ONNX)
        from safetensors.torch import save
        from scipy.special import softmax

        state = {k: v.contiguous() for k, v in run.net.state_dict().items()}
        write_aside(context.folder / WEIGHTS, save(state, metadata={"format": "pt"}))
        write_aside(context.folder / TOKENIZER, tokenizer.encode())
        HeldOut(tuple(r.id for r in valid), softmax(run.valid_logits, axis=1)).save(context.folder)
        return {
            "rung": "encoder",
            "base": settings.base,
            "rows": run.plan.rows,
            **asdict(options),
            "max_tokens": window,
            "epochs_planned": run.plan.epochs,
            "epochs_run": run.epochs,
            "best_epoch": run.best_epoch,
            "validation": {"metric": metric, "score": run.score, "rows": len(valid)},
            "checks": run.scores,
            "estimate_seconds": run.plan.seconds,
            "asked_seconds": run.plan.asked_seconds,
            "shrunk": run.plan.shrunk,
            "cut_by_time": run.cut_by_time,
            "refit_rows": run.refitted,
            "refit_new_rows": 0 if refit is None else len(refit.rows) - len(replayed),
            "over_budget_seconds": max(0.0, run.seconds - options.seconds),
            "seed_scores": scores,
            "rows_given": len(train),
            "training_seconds": run.seconds,
            "seconds": time.monotonic() - began,
            "rows_per_second": run.rows_per_second,
            "threads": threads,
            "torch": torch.__version__,
            "truncated_rows": inputs.truncated,
            "truncated_valid_rows": valid_inputs.truncated,
            "truncation": "longer texts keep their first three quarters of the window and their "
            "end, in training and in prediction",
            "onnx_difference": worst,
        }


OFFSET_POSITIONS = ("roberta", "camembert", "mpnet", "longformer")
"""Families that number positions from one after their padding token's id."""


def _positions(base: Path) -> int:
    """Tokens the encoder can read at most."""
    config = json.loads((base / "config.json").read_text(encoding="utf-8"))
    most = int(config.get("max_position_embeddings", 512))
    if any(family in config.get("model_type", "") for family in OFFSET_POSITIONS):
        most -= int(config.get("pad_token_id", 1)) + 1
    return most


def _threads(folder: Path, asked: int | None) -> int:
    """Threads to train with: written down, since another number sums in another order."""
    file = folder / THREADS
    if not file.exists():
        write_aside(file, json.dumps(asked or core_count()).encode())
    return int(json.loads(file.read_bytes()))


def _what(chosen: Mapping[str, Any]) -> str:
    """The scope of every claim: what was trained, and what of the texts it read."""
    how = "every weight" if chosen.get("lora") is None else f"LoRA, rank {chosen['lora']}"
    if frozen := chosen.get("frozen"):
        how += f", the lowest {frozen} layers as they were"
    parts = [f"fine-tuning {chosen['base']} ({how})"]
    longer = [
        f"{_percent(cut / rows)} of {name} rows"
        for name, cut, rows in (
            ("training", chosen["truncated_rows"], chosen["rows_given"]),
            ("validation", chosen["truncated_valid_rows"], chosen["validation"]["rows"]),
        )
        if cut
    ]
    reading = f"reading at most {chosen['max_tokens']} tokens"
    if longer:
        reading += f" ({' and '.join(longer)} are longer: head and tail kept)"
    parts.append(reading)
    if chosen["cut_by_time"]:
        parts.append("stopped before its planned end at twice its time budget")
    return ", ".join(parts)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.01 else f"{100 * share:.1g} %"
