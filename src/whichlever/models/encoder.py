"""Full fine-tune of an encoder with a classification head, within a time budget."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from whichlever.infer.encoder_text import Ints, by_length, padded, training_batches
from whichlever.models.encoder_head import MOST_ROWS, start_head
from whichlever.models.encoder_net import Classifier
from whichlever.models.encoder_plan import Plan, keep_plan, kept_plan, plan
from whichlever.models.goal import goal_score
from whichlever.progress import Progress

CHECK_TOKENS = 8192
"""Tokens in one batch when validation rows are scored."""

PROBE_STEPS = 5

OVERRUN = 2.0
"""Times its budget that training may take before it is stopped: what was planned is trained."""


@dataclass(frozen=True)
class EncoderOptions:
    """How an encoder is trained.

    Attributes
    ----------
    epochs
        Passes over the rows; need not be whole.
    rate
        AdamW's peak learning rate: reached after ``warmup`` of the steps, then falling linearly
        to 0.
    layer_decay
        Each layer learns at this times the rate of the one above it.
    batch
        Rows per step on average.
    smoothing
        Label smoothing.
    balance
        Class weights are (rows of the class) ** -balance with a mean of 1 over rows.
    patience
        Validation checks without a better score before stopping.
    seconds
        Time budget that training is planned for.
    refit_rate
        The refit's peak learning rate as a share of ``rate``.
    lora
        Rank of low-rank adapters to train instead of every weight; None trains every weight.
    frozen
        So many of the lowest layers keep their weights, and the embeddings with them.
    """

    epochs: float = 4.0
    rate: float = 1e-4
    layer_decay: float = 0.9
    batch: int = 16
    smoothing: float = 0.0
    balance: float = 0.0
    warmup: float = 0.06
    weight_decay: float = 0.01
    clip: float = 1.0
    patience: int = 2
    seconds: float = 1800.0
    refit_rate: float = 0.15
    lora: int | None = None
    frozen: int = 0


@dataclass
class EncoderRun:
    """A trained encoder, with the weights of its best check, and how its training went.

    ``valid_logits`` are those weights' logits of the validation rows; where ``refitted`` is not 0,
    ``net`` has learned from that many rows since, validation rows among them.
    """

    net: Classifier
    valid_logits: np.ndarray[Any, np.dtype[np.float32]]
    score: float
    best_epoch: float
    epochs: float
    seconds: float
    rows_per_second: float
    plan: Plan
    cut_by_time: bool
    scores: list[tuple[float, float]] = field(default_factory=list)
    refitted: int = 0


@dataclass(frozen=True)
class Refit:
    """Rows to go on with once the best weights are known: token ids and their classes."""

    rows: Sequence[Ints]
    targets: Ints


def train_encoder(
    folder: Path,
    train: Sequence[Ints],
    targets: Ints,
    valid: Sequence[Ints],
    valid_targets: Ints,
    classes: int,
    *,
    options: EncoderOptions,
    seed: int,
    metric: str,
    progress: Progress,
    name: str = "encoder",
    record: Path | None = None,
    refit: Refit | None = None,
) -> EncoderRun:
    """Train every weight, stopping early on validation rows.

    A few steps are timed first (and undone), an estimate is given, and epochs, then the oldest
    rows, are dropped until it fits the budget. That plan is written to ``record`` before the
    first step, and a later start with the same ``record`` trains by it, whatever its clock says.
    Should the machine slow down later, training overruns its budget, and stops at `OVERRUN` times
    it: at a step that is written down first, where a later start stops too.

    Parameters
    ----------
    folder : Path
        A Hugging Face folder with safetensors weights.
    train, valid : sequences of int arrays
        Token ids per text, from `EncoderText.encode`; ``train`` oldest first.
    targets, valid_targets : int arrays, shape (n,)
        Class of each text; -1 in ``valid_targets`` is a label outside the classes.
    metric
        ``macro_f1`` or ``accuracy``.
    record : Path, optional
        File that keeps the plan; belongs to these rows, options and seed alone.
    refit
        Rows of one more pass at a low rate from the best weights, usually the validation rows
        and as many of the newest training rows: labelling practice drifts, and what has chosen
        may teach.

    Returns
    -------
    EncoderRun
        With the same seed, rows, plan and thread count, the same weights.
    """
    torch.manual_seed(seed)
    net = Classifier(folder, classes, options.lora, options.frozen)
    lengths = np.fromiter((len(ids) for ids in train), np.int64, len(train))
    planned = None if record is None else kept_plan(record)
    if planned is None:
        speed, check_seconds = _probe(net, train, valid, options)
        # The probe reads its rows forward only: a third of a training step.
        around = min(len(train), MOST_ROWS) * float(lengths.mean()) / speed / 3
        if refit is not None:
            around += sum(map(len, refit.rows)) / speed
        planned = plan(
            len(train), options.epochs, float(lengths.mean()), speed, check_seconds,
            options.seconds, around,
        )  # fmt: skip
        if record is not None:
            keep_plan(record, planned)
    more = 0 if refit is None else len(refit.rows)
    total = planned.rows * planned.epochs + more
    with progress.step(name, total=total, seconds=planned.seconds) as bar:
        if planned.shrunk:
            bar.note(planned.shrunk)
        trainer = _Trainer(net, planned, options, metric, np.random.default_rng(seed), record)
        return trainer.run(
            train[len(train) - planned.rows :], targets[len(targets) - planned.rows :],
            lengths[len(lengths) - planned.rows :], valid, valid_targets, bar, refit,
        )  # fmt: skip


class _Trainer:
    """One training run; its state is the network, the optimizer and the clock."""

    def __init__(
        self, net: Classifier, planned: Plan, options: EncoderOptions, metric: str,
        rng: np.random.Generator, record: Path | None,
    ) -> None:  # fmt: skip
        self.net, self.plan, self.options, self.metric, self.rng, self.record = (
            net, planned, options, metric, rng, record,
        )  # fmt: skip
        groups = net.groups(options.rate, options.layer_decay, options.weight_decay)
        self.peaks = [group["lr"] for group in groups]
        self.optimizer = torch.optim.AdamW(groups, fused=True)
        self.best: dict[str, torch.Tensor] | None = None
        self.best_logits = np.zeros((0, 0), np.float32)
        self.scores: list[tuple[float, float]] = []

    def run(
        self, train: Sequence[Ints], targets: Ints, lengths: Ints, valid: Sequence[Ints],
        valid_targets: Ints, bar: Any,  # noqa: ANN401 - progress.Step
        refit: Refit | None = None,
    ) -> EncoderRun:  # fmt: skip
        options = self.options
        classes = self.net.head.out_features
        weight = class_weights(np.bincount(targets, minlength=classes), options.balance)
        start_head(self.net, train, targets, weight, self.rng)
        total = max(1, round(self.plan.rows * self.plan.epochs))
        next_check = min(total, len(train))
        began = time.monotonic()
        done, steps, training_seconds, cut, stop = 0, 0, 0.0, False, False
        while not stop:
            for rows in training_batches(lengths, options.batch, self.rng):
                step_began = time.monotonic()
                share = min(1.0, done / total)
                texts = [train[i] for i in rows.tolist()]
                self._step(texts, targets[rows], weight, share, options.warmup)
                done += len(rows)
                steps += 1
                training_seconds += time.monotonic() - step_began
                bar.advance(len(rows))
                cut = done < total and self._cut(steps, time.monotonic() - began, bar)
                if done < next_check and not cut:
                    continue
                stop = self._check(done / len(train), valid, valid_targets, bar) or cut
                if stop or done >= total:
                    stop = True
                    break
                next_check = min(total, next_check + len(train))
        assert self.best is not None
        self.net.load_state_dict(self.best)
        if refit is not None:
            self._refit(refit, weight, bar)
        self.net.merge()
        self.net.eval()
        best = max(self.scores, key=lambda pair: pair[1])
        return EncoderRun(
            net=self.net,
            valid_logits=self.best_logits,
            refitted=0 if refit is None else len(refit.rows),
            score=best[1],
            best_epoch=best[0],
            epochs=done / len(train),
            seconds=time.monotonic() - began,
            rows_per_second=done / max(training_seconds, 1e-9),
            plan=self.plan,
            cut_by_time=cut,
            scores=self.scores,
        )

    def _refit(self, refit: Refit, weight: torch.Tensor | None, bar: Any) -> None:  # noqa: ANN401
        """One pass from the best weights at a low rate that falls linearly to 0."""
        options = self.options
        rate = options.rate * options.refit_rate
        groups = self.net.groups(rate, options.layer_decay, options.weight_decay)
        self.peaks = [group["lr"] for group in groups]
        self.optimizer = torch.optim.AdamW(groups, fused=True)
        lengths = np.fromiter((len(ids) for ids in refit.rows), np.int64, len(refit.rows))
        done = 0
        for rows in training_batches(lengths, options.batch, self.rng):
            share = done / len(lengths)
            texts = [refit.rows[i] for i in rows.tolist()]
            self._step(texts, refit.targets[rows], weight, share, warmup=0.0)
            done += len(rows)
            bar.advance(len(rows))

    def _cut(self, steps: int, seconds: float, bar: Any) -> bool:  # noqa: ANN401 - progress.Step
        """Whether time ends training here: where it was recorded, else on `OVERRUN`."""
        if self.plan.stop_at is not None:
            return steps >= self.plan.stop_at
        if seconds < OVERRUN * self.options.seconds:
            return False
        self.plan = replace(self.plan, stop_at=steps)
        if self.record is not None:
            keep_plan(self.record, self.plan)
        bar.note(f"stopped after {OVERRUN:g} times its budget: this machine became slower")
        return True

    def _step(
        self, rows: list[Ints], targets: Ints, weight: torch.Tensor | None, share: float,
        warmup: float,
    ) -> None:  # fmt: skip
        options = self.options
        warm = min(1.0, (share + 1e-9) / warmup) if warmup else 1.0
        factor = min(warm, max(0.0, (1 - share) / (1 - warmup)))
        for group, peak in zip(self.optimizer.param_groups, self.peaks, strict=True):
            group["lr"] = peak * factor
        self.net.train()
        loss = batch_loss(self.net, rows, targets, weight, options)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), options.clip)
        self.optimizer.step()

    def _check(
        self, epoch: float, valid: Sequence[Ints], targets: Ints, bar: Any  # noqa: ANN401
    ) -> bool:  # fmt: skip
        """Score validation rows and keep the best weights; True where patience has run out."""
        logits = net_logits(self.net, valid)
        score = goal_score(logits.argmax(axis=1), targets, self.metric)
        bar.note(f"epoch {epoch:.2f}: validation {self.metric} {score:.3f}")
        if not self.scores or score > max(s for _, s in self.scores):
            self.best = {k: v.detach().clone() for k, v in self.net.state_dict().items()}
            self.best_logits = logits
        self.scores.append((epoch, score))
        values = [s for _, s in self.scores]
        return len(values) - 1 - values.index(max(values)) >= self.options.patience


def batch_loss(
    net: Classifier, rows: list[Ints], targets: Ints, weight: torch.Tensor | None,
    options: EncoderOptions,
) -> torch.Tensor:  # fmt: skip
    """Cross-entropy summed over a batch, over the *mean* batch size, so that rows weigh alike."""
    ids, mask = (torch.from_numpy(a) for a in padded(rows))
    loss: torch.Tensor = torch.nn.functional.cross_entropy(
        net(ids, mask), torch.from_numpy(targets), weight=weight,
        label_smoothing=options.smoothing, reduction="sum",
    )  # fmt: skip
    return loss / options.batch


def net_logits(net: Classifier, texts: Sequence[Ints]) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Logits of texts by torch, shape (n, classes)."""
    net.eval()
    out = np.zeros((len(texts), net.head.out_features), np.float32)
    lengths = np.fromiter((len(ids) for ids in texts), np.int64, len(texts))
    with torch.inference_mode():
        for rows in by_length(lengths, CHECK_TOKENS):
            ids, mask = padded([texts[i] for i in rows.tolist()])
            out[rows] = net(torch.from_numpy(ids), torch.from_numpy(mask)).numpy()
    return out


def class_weights(counts: Ints, balance: float) -> torch.Tensor | None:
    """Weight per class, (rows of the class) ** -balance, scaled to a mean of 1 over rows."""
    if balance == 0:
        return None
    raw = np.where(counts > 0, np.maximum(counts, 1.0) ** -balance, 0.0)
    return torch.from_numpy((raw * counts.sum() / (raw * counts).sum()).astype(np.float32))


def _probe(
    net: Classifier, train: Sequence[Ints], valid: Sequence[Ints], options: EncoderOptions
) -> tuple[float, float]:
    """Tokens per second of training, and seconds of one validation check; changes no weight."""
    lengths = np.fromiter((len(ids) for ids in train), np.int64, len(train))
    batches = training_batches(lengths, options.batch, np.random.default_rng(0))
    state = torch.get_rng_state()
    net.train()
    tokens, seconds = 0, 0.0
    # The first step is dearer (memory, kernels): it is left out where there are others.
    for i, rows in enumerate(batches[: PROBE_STEPS + 1]):
        began = time.monotonic()
        targets = np.zeros(len(rows), np.int64)
        batch_loss(net, [train[j] for j in rows.tolist()], targets, None, options).backward()
        if i == 1:
            tokens, seconds = 0, 0.0
        tokens += int(lengths[rows].sum())
        seconds += time.monotonic() - began
    net.zero_grad(set_to_none=True)
    speed = tokens / max(seconds, 1e-9)
    sample = valid[:: max(1, math.ceil(len(valid) / 64))]
    began = time.monotonic()
    net_logits(net, sample)
    check = (time.monotonic() - began) * len(valid) / len(sample)
    torch.set_rng_state(state)
    return speed, check
