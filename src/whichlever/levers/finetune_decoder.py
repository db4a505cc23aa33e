"""Fine-tuning at the rung ``decoder``: low-rank adapters on a causal language model."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from whichlever.errors import DataError, InputError
from whichlever.levers.base import Context, Fit
from whichlever.levers.decoder_base import (
    check_decoder,
    decoder_files,
    decoder_fingerprint,
    decoder_folder,
)
from whichlever.levers.held_out import HeldOut
from whichlever.models.static_distill import write_aside
from whichlever.models.threads import core_count, training_threads
from whichlever.predict import Prediction, Row, Usage
from whichlever.settings_decoder import DecoderSettings
from whichlever.task import FinetuneSettings, Task

ADAPTERS, FACTS, THREADS = "adapters.safetensors", "decoder.json", "threads.json"

MOST_VALID = 400
"""Validation rows scored at each check, at most: a fixed random draw of more."""

METHOD = 3


class FinetuneDecoder:
    """Trains adapters within a time budget; answers one of a closed set, or in words of its own.

    Parameters
    ----------
    settings
        ``decoder`` says how.
    """

    id = "finetune-decoder"

    def __init__(self, settings: FinetuneSettings) -> None:
        self._settings, self._threads = settings.decoder, settings.threads
        self._refit = settings.refit

    def settings(self) -> Mapping[str, Any]:
        """What its results depend on beside the data."""
        known = self._settings.model_dump(mode="json", exclude={"checkpointing", "device"})
        if known["precision"] is None:
            del known["precision"]
        weights = decoder_fingerprint(self._settings.base)
        return {**known, "weights": weights, "refit": self._refit, "method": METHOD}

    @property
    def files(self) -> tuple[str, ...]:
        """The base's files, where it is a path."""
        return decoder_files(self._settings.base)

    def check(self, task: Task) -> None:
        """Raise early what `fit` would raise late: a missing package, or no such base."""
        check_decoder(self._settings.base, task)

    def estimate_seconds(self, train: int, valid: int) -> float | None:
        """At most the budget; about three short rows a second (135 M weights, one core)."""
        s = self._settings
        return min(s.minutes * 60, (train * s.epochs + valid) / 3) + 30

    def fit(self, train: Sequence[Row], valid: Sequence[Row], context: Context) -> Fit:
        """Train on the rows, keeping the adapters that are best on validation rows.

        A fit that was completed in ``context.folder`` is read back; one that was killed goes on
        from its last state.

        Raises
        ------
        DataError
            There is no row to learn from, or none to choose on.
        MissingExtraError, WeightsError
            A package is missing, or the base is.
        """
        check_decoder(self._settings.base, context.task)
        if not (context.folder / FACTS).exists():
            chosen = self._train(train, valid, context)
            write_aside(context.folder / FACTS, json.dumps(chosen).encode())  # last: it is done
        chosen = json.loads((context.folder / FACTS).read_bytes())
        return Fit(
            predictor=DecoderPredictor.load(context.folder, context.task, context.labels),
            what=_what(chosen, len(context.labels)),
            chosen=chosen,
            rows_seen=chosen["rows"] + chosen["refit_new_rows"],
            held_out=HeldOut.load(context.folder),
        )

    def _train(
        self, train: Sequence[Row], valid: Sequence[Row], context: Context
    ) -> dict[str, Any]:
        import torch

        from whichlever.infer.decoder_tree import AnswerTree
        from whichlever.models.decoder import DecoderOptions, Rows, train_decoder
        from whichlever.models.decoder_base import load_base, unpacked
        from whichlever.models.decoder_memory import needed
        from whichlever.models.decoder_merge import save_adapters
        from whichlever.models.decoder_net import CutDecoder, laid_out, with_tree

        began, s, labels = time.monotonic(), self._settings, context.labels
        known = {label: i for i, label in enumerate(labels)}
        train = [r for r in train if r.target and (not known or r.target in known)]
        if not train or not valid:
            raise DataError(
                f"{self.id}: needs training and validation rows with answers ({len(train)} and "
                f"{len(valid)} given); give split: larger shares"
            )
        if len(valid) > MOST_VALID:
            drawn = np.random.default_rng(context.seed).permutation(len(valid))[:MOST_VALID]
            valid = [valid[i] for i in sorted(drawn.tolist())]
        with context.progress.step(f"{self.id}: read the base", seconds=5):
            folder, _ = decoder_folder(s.base, context.task, unpacked)
            device, precision = _place(s)
            model = load_base(folder, precision, device)
        layers = s.layers or max(1, len(model.model.layers) // 2)
        memory = needed(
            json.loads((folder / "config.json").read_bytes()),
            layers=layers, rank=s.rank,
            precision=precision, batch_tokens=s.batch_tokens, checkpointing=s.checkpointing,
        )  # fmt: skip
        with context.progress.step(f"{self.id}: memory") as bar:
            bar.note(f"about {memory.total / 1e9:.1f} GB on {device}, {precision}")
        unbounded = read_text(folder, 1 << 20, 0)
        room = max(len(unbounded.answer(r.target or "")) for r in (*train, *valid))
        text = read_text(folder, s.max_tokens, room)
        net = CutDecoder(model, layers, s.rank, context.seed, checkpointing=s.checkpointing)
        asked, checked = ([text.question(row.text) for row in part] for part in (train, valid))
        spoken = [
            laid_out(q.ids, text.answer(r.target or "")) for q, r in zip(asked, train, strict=True)
        ]
        if labels:
            tree = AnswerTree.of([text.answer(label) for label in labels])
            laid, judged = (
                [
                    with_tree(q.ids, tree, known.get(r.target or "", -1))
                    for q, r in zip(questions, part, strict=True)
                ]
                for questions, part in ((asked, train), (checked, valid))
            )
            rows = Rows(laid, judged, tree, spoken)
        else:
            judged = [
                laid_out(q.ids, text.answer(r.target or ""))
                for q, r in zip(checked, valid, strict=True)
            ]
            rows = Rows(spoken, judged)
        options = DecoderOptions(
            epochs=s.epochs, rate=s.learning_rate, batch_rows=s.batch_rows,
            batch_tokens=s.batch_tokens, patience=s.patience, seconds=s.minutes * 60,
            refit=self._refit,
        )  # fmt: skip
        with training_threads(_threads(context.folder, self._threads)) as threads:
            run = train_decoder(
                net, rows, options=options, seed=context.seed, progress=context.progress,
                folder=context.folder, name=self.id,
            )  # fmt: skip
        save_adapters(context.folder / ADAPTERS, run.adapters)
        if run.scores is not None:
            ids = tuple(row.id for row in valid)
            HeldOut(ids, np.exp(run.scores)).save(context.folder)
        epoch, loss, right = run.checks[run.best]
        return {
            "rung": "decoder",
            "base": s.base,
            "rank": s.rank,
            "precision": precision,
            "memory_estimate": memory.total,
            "device": device,
            "layers": net.layers,
            "all_layers": net.layers + net.cut,
            "rows": run.plan.rows,
            **asdict(options),
            "max_tokens": s.max_tokens,
            "room": room,
            "validation": {
                "metric": "accuracy" if labels else "loss",
                "score": right if labels else loss,
                "loss": loss,
                "rows": len(valid),
            },
            "best_epoch": epoch,
            "refit_rows": run.refitted,
            "refit_new_rows": len(valid) if run.refitted else 0,
            "checks": run.checks,
            "curve": [round(value, 5) for value in run.curve],
            "estimate_seconds": run.plan.seconds,
            "asked_seconds": run.plan.asked_seconds,
            "shrunk": run.plan.shrunk,
            "cut_by_time": run.cut_by_time,
            "training_seconds": run.seconds,
            "seconds": time.monotonic() - began,
            "tokens_per_second": run.tokens_per_second,
            "threads": threads,
            "torch": torch.__version__,
            "truncated_rows": sum(q.full > text.most for q in asked),
            "truncation": "longer inputs keep their first three quarters of the window and their "
            "end, in training and in prediction",
        }


class DecoderPredictor:
    """Answers rows with a trained decoder; of a closed set it gives every answer's probability."""

    def __init__(self, answering: Any, labels: Sequence[str]) -> None:  # noqa: ANN401 - needs torch
        self._answering, self._labels = answering, tuple(labels)

    @classmethod
    def load(cls, folder: Path, task: Task, labels: Sequence[str]) -> DecoderPredictor:
        """The predictor of a fit's folder.

        Raises
        ------
        WeightsError
            The base is not on this machine.
        RunError
            The adapters are damaged, or are of another base.
        """
        from whichlever.models.decoder_answers import Answering
        from whichlever.models.decoder_base import unpacked
        from whichlever.models.decoder_merge import merged_model

        chosen = json.loads((folder / FACTS).read_bytes())
        base, _ = decoder_folder(chosen["base"], task, unpacked)
        model = merged_model(
            base, folder / ADAPTERS, chosen["layers"], chosen["rank"],
            chosen.get("precision", "fp32"), _device(chosen.get("device", "cpu")),
        )  # fmt: skip
        text = read_text(base, chosen["max_tokens"], chosen["room"])
        return cls(Answering(model, text, labels, room=2 * chosen["room"]), labels)

    def predict(self, rows: Sequence[Row]) -> list[Prediction]:
        """Answer each row; where an input was longer than the window, ``error`` says so."""
        if not rows:
            return []
        began = time.perf_counter()
        questions = [self._answering.text.question(row.text) for row in rows]
        scores: Sequence[Any] = [None] * len(rows)
        if self._labels:
            scores = self._answering.choose(questions)
            said = [self._labels[int(own.argmax())] for own in scores]
        else:
            said = self._answering.say(questions)
        usage = Usage(seconds=(time.perf_counter() - began) / len(rows))
        most = self._answering.text.most
        return [
            Prediction(row.id, answer, own, error=_note(q.full, most), usage=usage)
            for row, q, answer, own in zip(rows, questions, said, scores, strict=True)
        ]

    @property
    def labels(self) -> tuple[str, ...]:
        """The closed set it chooses from; empty where answers are open."""
        return self._labels

    def say(self, rows: Sequence[Row]) -> list[str]:
        """What it writes where nothing holds it to a set of answers."""
        found: list[str] = self._answering.say(
            [self._answering.text.question(row.text) for row in rows]
        )
        return found

    def surprise(self, rows: Sequence[Row]) -> list[float]:
        """Nats a token, on average, of each row's own target, whatever the answer would be."""
        questions = [self._answering.text.question(row.text) for row in rows]
        found = self._answering.surprise(questions, [row.target or "" for row in rows])
        return [float(value) for value in found]


def _place(settings: DecoderSettings) -> tuple[str, Any]:
    """Device and precision, what was left out filled in.

    Raises
    ------
    InputError
        A GPU is asked for and torch sees none.
    """
    device = _device(settings.device)
    if settings.device == "cuda" and device == "cpu":
        raise InputError(
            "levers.finetune.decoder.device: cuda, and torch sees no GPU; say auto or cpu, or "
            "install a torch build for your driver"
        )
    return device, settings.precision or ("fp32" if device == "cpu" else "bf16")


def _device(asked: str) -> str:
    """Where a model goes: a GPU only where one is seen."""
    import torch

    return "cuda" if asked != "cpu" and torch.cuda.is_available() else "cpu"


def read_text(folder: Path, window: int, room: int) -> Any:  # noqa: ANN401 - of models
    """How a base's texts are read: its tokenizer and its marks."""
    from tokenizers import Tokenizer

    from whichlever.infer.decoder_text import DecoderText, Marks
    from whichlever.models.decoder_base import end_of_text

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    return DecoderText(tokenizer, Marks.of(tokenizer, end_of_text(folder, tokenizer)), window, room)


def _threads(folder: Path, asked: int | None) -> int:
    """Threads to train with: written down, since another number sums in another order."""
    file = folder / THREADS
    if not file.exists():
        write_aside(file, json.dumps(asked or core_count()).encode())
    return int(json.loads(file.read_bytes()))


def _note(full: int, most: int) -> str | None:
    return f"read {most} of {full} tokens (head and tail)" if full > most else None


def _what(chosen: Mapping[str, Any], answers: int) -> str:
    """The scope of every claim: what was trained, and how it answers."""
    cut = f"rank {chosen['rank']}, upper {chosen['layers']} of {chosen['all_layers']} layers"
    how = f"choosing among {answers} answers" if answers else "writing freely"
    longer = ""
    if chosen["truncated_rows"]:
        longer = f"; {chosen['truncated_rows']} longer training inputs lost their middle"
    return f"fine-tuning {chosen['base']} (LoRA, {cut}), {how}{longer}"
