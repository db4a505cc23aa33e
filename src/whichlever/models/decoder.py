"""LoRA training of a decoder within a time budget, which goes on after a kill where it was."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from whichlever.infer.decoder_tree import AnswerTree
from whichlever.models.decoder_net import CutDecoder, Laid
from whichlever.models.decoder_state import State, load_state, save_state
from whichlever.models.encoder_plan import Plan, keep_plan, kept_plan, plan
from whichlever.progress import Progress, Step

KEPT_FLOATS = 300_000_000
"""Numbers of the lower layers' output that are kept (1.2 GB); more rows are worked out anew."""

BUCKET = 8
"""Steps whose rows are drawn together and then sorted by length, so that little is padding."""

SPOKEN = 8
"""One row in so many of a step is also learned word by word, where answers are a closed set."""

SAVE_SECONDS = 45.0
OVERRUN = 2.0
"""Times its budget that training may take before it is stopped."""


@dataclass(frozen=True)
class DecoderOptions:
    """How a decoder is trained.

    Attributes
    ----------
    epochs
        Passes over the rows; need not be whole.
    rate
        AdamW's peak learning rate, reached after ``warmup`` of the steps, then a half cosine to 0.
    batch_rows, batch_tokens
        Rows of a step, and the most tokens of one of its parts (gradients are summed over them).
    patience
        Checks without a lower validation loss before stopping.
    seconds
        Budget that training is planned for.
    refit
        Once the best adapters are known, one pass over validation rows and as many training rows,
        the newest, at ``refit_rate`` of the peak learning rate, falling linearly to 0.
    """

    epochs: float = 4.0
    rate: float = 1e-3
    batch_rows: int = 8
    batch_tokens: int = 1024
    warmup: float = 0.06
    weight_decay: float = 0.0
    clip: float = 1.0
    patience: int = 2
    seconds: float = 1800.0
    refit: bool = True
    refit_rate: float = 0.15


@dataclass(frozen=True)
class Rows:
    """Training and validation rows as they are laid out.

    With ``tree``, the closed set, both are questions with the tree behind them, and what is learned
    is to choose; ``spoken`` are then the training rows with their answers written out, a share of
    which is learned word by word beside, so that the model also says them when nobody holds it to
    the set. Without one, both are questions with their answers.
    """

    train: Sequence[Laid]
    valid: Sequence[Laid]
    tree: AnswerTree | None = None
    spoken: Sequence[Laid] = ()


@dataclass
class DecoderRun:
    """The best adapters found, refitted where asked, and how training went.

    ``curve`` holds a training loss per step, ``checks`` the epoch, the validation loss and, of a
    closed set, accuracy; losses are in nats a row where answers are a closed set, else a token.
    ``scores`` are validation rows' log-probabilities from before the refit, of ``refitted`` rows.
    """

    adapters: dict[str, torch.Tensor]
    plan: Plan
    curve: list[float]
    checks: list[tuple[float, float, float | None]]
    best: int
    seconds: float
    tokens_per_second: float
    cut_by_time: bool = False
    scores: np.ndarray[Any, np.dtype[np.float32]] | None = field(default=None, repr=False)
    refitted: int = 0


def train_decoder(
    net: CutDecoder,
    rows: Rows,
    *,
    options: DecoderOptions,
    seed: int,
    progress: Progress,
    folder: Path,
    name: str = "decoder",
) -> DecoderRun:
    """Train a decoder's adapters, stopping early on validation rows.

    A few rows are timed first, an estimate is given, and epochs, then rows, are dropped until it
    fits the budget; that plan and, every so often, the whole state are written into ``folder``.
    The same call on the same folder goes on from there, along the same loss curve. The net is left
    with its best adapters.
    """
    training = _Training(net, rows, options, seed, folder)
    made = training.plan()
    with progress.step(f"{name}: lower layers, once", seconds=training.below_seconds) as bar:
        training.prepare(bar)
    with progress.step(f"{name}: train", total=training.steps, seconds=made.seconds) as bar:
        if made.shrunk:
            bar.note(made.shrunk)
        return training.run(bar)


class _Training:
    def __init__(
        self, net: CutDecoder, rows: Rows, options: DecoderOptions, seed: int, folder: Path
    ) -> None:
        self.net, self.rows, self.options, self.seed, self.folder = net, rows, options, seed, folder
        self.train, self.steps, self.below_seconds = list(rows.train), 0, 0.0
        self.tokens = sum(map(len, rows.train)) / len(rows.train)
        self._kept: list[torch.Tensor | None] = []
        self._valid: list[torch.Tensor] = []
        self._order: tuple[int, list[np.ndarray[Any, np.dtype[np.int64]]]] | None = None

    def plan(self) -> Plan:
        """What will be trained: as an earlier start wrote it down, or timed and planned now."""
        file = self.folder / "plan.json"
        made = kept_plan(file)
        if made is None:
            made = self._planned()
            keep_plan(file, made)
        self.made = made
        self.train = self.train[-made.rows :]
        self.spoken = list(self.rows.spoken)[-made.rows :]
        self.per_epoch = math.ceil(len(self.train) / self.options.batch_rows)
        self.steps = max(1, round(made.epochs * self.per_epoch))
        return made

    def _planned(self) -> Plan:
        probe = _parts(self.train[:64], range(min(64, len(self.train))), self.options.batch_tokens)
        part = [self.train[i] for i in probe[len(probe) // 2]]
        count = sum(map(len, part))
        self.net.below(part[:1])  # the first call of all is slower than any other
        began = time.perf_counter()
        below = self.net.below(part)
        lower = (time.perf_counter() - began) / count
        timed = []
        for _ in range(2):
            began = time.perf_counter()
            self._loss(below, part).backward()
            timed.append((time.perf_counter() - began) / count)
            for value in self.net.parameters().values():
                value.grad = None
        checked = sum(map(len, self.rows.valid))
        upper = min(timed) * (1.0 if self.rows.tree is None else 1 + 1.5 / SPOKEN)
        kept = self._keeps()
        self.below_seconds = lower * (sum(map(len, self.train)) * kept + checked)
        return plan(
            len(self.train), self.options.epochs, self.tokens,
            train_speed=1 / (upper + (0.0 if kept else lower)),
            check_seconds=checked * upper / 2,
            budget_seconds=self.options.seconds, around_seconds=self.below_seconds,
        )  # fmt: skip

    def _loss(self, below: Sequence[torch.Tensor], laid: Sequence[Laid]) -> torch.Tensor:
        if self.rows.tree is None:
            return self.net.loss(below, laid)
        return self.net.choice_loss(below, laid, self.rows.tree)

    def _keeps(self) -> bool:
        width = int(self.net.head.weight.shape[1])
        return sum(map(len, self.train)) * width <= KEPT_FLOATS

    def prepare(self, bar: Step) -> None:
        """Work the lower layers out for validation rows, and for training rows where they fit."""
        self._valid = self._below(self.rows.valid)
        self._kept = list(self._below(self.train)) if self._keeps() else [None] * len(self.train)
        bar.note(f"{len(self._valid) + (len(self.train) if self._keeps() else 0):,} rows kept")

    def _below(self, rows: Sequence[Laid]) -> list[torch.Tensor]:
        out: list[torch.Tensor | None] = [None] * len(rows)
        for part in _parts(rows, range(len(rows)), 2 * self.options.batch_tokens):
            for i, found in zip(part, self.net.below([rows[i] for i in part]), strict=True):
                out[i] = found
        return [found for found in out if found is not None]

    def run(self, bar: Step) -> DecoderRun:
        """Train by the plan, from the last state that was written down."""
        options = self.options
        weights = self.net.parameters()
        optimizer = torch.optim.AdamW(
            weights.values(), lr=options.rate, weight_decay=options.weight_decay
        )
        state = load_state(self.folder, weights, optimizer) or State()
        bar.advance(state.step)
        began = saved = time.monotonic()
        before, seen = state.seconds, 0
        bad = _worse_since(state)
        while state.step < self.steps and bad < options.patience:
            for group in optimizer.param_groups:
                group["lr"] = options.rate * self._rate(state.step)
            optimizer.zero_grad(set_to_none=True)
            loss, tokens = self._step(state.step)
            torch.nn.utils.clip_grad_norm_(list(weights.values()), options.clip)
            optimizer.step()
            seen += tokens
            state.step += 1
            state.curve.append(loss)
            state.seconds = before + time.monotonic() - began
            late = state.seconds > OVERRUN * options.seconds
            if state.step % self.per_epoch == 0 or state.step == self.steps or late:
                self._check(state, weights)
                bad = _worse_since(state)
                bar.note(_said(state))
            if time.monotonic() - saved > SAVE_SECONDS or state.step % self.per_epoch == 0:
                save_state(self.folder, state, weights, optimizer)
                saved = time.monotonic()
            bar.advance()
            if late:
                break
        spent = max(time.monotonic() - began, 1e-9)
        save_state(self.folder, state, weights, optimizer)
        with torch.no_grad():
            for name, value in weights.items():
                value.copy_(state.best[name])
        scores = None if self.rows.tree is None else self._chosen()
        refitted = self._refit(weights, bar) if options.refit else 0
        return DecoderRun(
            {name: value.detach().clone() for name, value in weights.items()},
            replace(self.made), state.curve, state.checks, _best(state),
            state.seconds, seen / spent, cut_by_time=state.seconds > OVERRUN * options.seconds,
            scores=scores, refitted=refitted,
        )  # fmt: skip

    def _refit(self, weights: dict[str, Any], bar: Step) -> int:
        """Go on with validation rows and as many training rows; how many they are.

        Short beside the training: a kill in it costs the whole of it.
        """
        closed = self.rows.tree is not None
        more = [i for i, row in enumerate(self.rows.valid) if row.answer >= 0 or not closed]
        old = list(range(max(0, len(self.train) - len(more)), len(self.train)))
        pool = [(self.rows.valid[i], self._valid[i]) for i in more]
        for i in old:
            kept = self._kept[i]
            pool.append(
                (self.train[i], self.net.below([self.train[i]])[0] if kept is None else kept)
            )
        bar.note(f"once more, with {len(more)} validation rows")
        order = np.random.default_rng([self.seed, 1 << 20]).permutation(len(pool))
        size = self.options.batch_rows
        steps = [order[i : i + size].tolist() for i in range(0, len(order), size)]
        peak = self.options.refit_rate * self.options.rate
        optimizer = torch.optim.AdamW(weights.values(), lr=peak, weight_decay=0.0)
        for at, chosen in enumerate(steps):
            for group in optimizer.param_groups:
                group["lr"] = peak * (1 - at / len(steps))
            optimizer.zero_grad(set_to_none=True)
            rows = [pool[i][0] for i in chosen]
            units = len(rows) if closed else sum(len(row.said) for row in rows)
            for part in _parts(rows, range(len(rows)), self.options.batch_tokens):
                laid = [rows[i] for i in part]
                below = [pool[chosen[i]][1] for i in part]
                (self._loss(below, laid) / units).backward()
            torch.nn.utils.clip_grad_norm_(list(weights.values()), self.options.clip)
            optimizer.step()
        return len(pool)

    def _rate(self, step: int) -> float:
        warm = max(1, round(self.options.warmup * self.steps))
        if step < warm:
            return (step + 1) / warm
        return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, self.steps - warm)))

    def _step(self, step: int) -> tuple[float, int]:
        """One step's gradients; its loss in nats a token, and the tokens that it read."""
        epoch, at = divmod(step, self.per_epoch)
        if self._order is None or self._order[0] != epoch:
            self._order = epoch, self._drawn(epoch)
        chosen = self._order[1][at].tolist()
        closed = self.rows.tree is not None
        units = len(chosen) if closed else sum(len(self.train[i].said) for i in chosen)
        total, tokens = 0.0, sum(len(self.train[i]) for i in chosen)
        for part in _parts(self.train, chosen, self.options.batch_tokens):
            laid = [self.train[i] for i in part]
            known = [k for i in part if (k := self._kept[i]) is not None]
            below = known if len(known) == len(part) else self.net.below(laid)
            loss = self._loss(below, laid) / units
            loss.backward()
            total += float(loss.detach())
        spoken = [self.spoken[i] for i in chosen[step % SPOKEN :: SPOKEN]] if self.spoken else []
        words = sum(len(row.said) for row in spoken)
        for part in _parts(spoken, range(len(spoken)), self.options.batch_tokens):
            laid = [spoken[i] for i in part]
            (self.net.loss(self.net.below(laid), laid) / words).backward()
        return total, tokens + sum(map(len, spoken))

    def _drawn(self, epoch: int) -> list[np.ndarray[Any, np.dtype[np.int64]]]:
        """Rows of each step of an epoch: alike in length within a step, in random order."""
        rng = np.random.default_rng([self.seed, epoch])
        size, order = self.options.batch_rows, rng.permutation(len(self.train))
        out = []
        for start in range(0, len(order), BUCKET * size):
            drawn = order[start : start + BUCKET * size]
            drawn = drawn[np.argsort([len(self.train[i]) for i in drawn], kind="stable")]
            out += [drawn[i : i + size] for i in range(0, len(drawn), size)]
        return [out[i] for i in rng.permutation(len(out))]

    def _check(self, state: State, weights: dict[str, Any]) -> None:
        epoch = state.step / self.per_epoch
        right: float | None = None
        if self.rows.tree is not None:
            truth = np.array([row.answer for row in self.rows.valid], np.int64)
            scores, truth = self._chosen()[truth >= 0], truth[truth >= 0]
            loss = float(-scores[np.arange(len(truth)), truth].mean())
            right = float((scores.argmax(axis=1) == truth).mean())
        else:
            loss = self._valid_loss()
        state.checks.append((epoch, loss, right))
        if _best(state) == len(state.checks) - 1:
            state.best = {name: v.detach().clone() for name, v in weights.items()}

    def _chosen(self) -> np.ndarray[Any, np.dtype[np.float32]]:
        assert self.rows.tree is not None
        rows, tree = self.rows.valid, self.rows.tree
        out = np.empty((len(rows), len(tree.ways)), np.float32)
        for part in _parts(rows, range(len(rows)), self.options.batch_tokens):
            out[part] = self.net.choose(
                [self._valid[i] for i in part], [rows[i] for i in part], tree
            )
        return out

    def _valid_loss(self) -> float:
        rows, total = self.rows.valid, 0.0
        with torch.no_grad():
            for part in _parts(rows, range(len(rows)), self.options.batch_tokens):
                below, laid = [self._valid[i] for i in part], [rows[i] for i in part]
                total += float(self.net.loss(below, laid))
        return total / sum(len(row.said) for row in rows)


def _parts(rows: Sequence[Laid], chosen: Sequence[int], most: int) -> list[list[int]]:
    """Chosen rows by length, in parts of at most ``most`` tokens, padding among them."""
    out: list[list[int]] = []
    for i in sorted(chosen, key=lambda i: len(rows[i])):
        if out and (len(out[-1]) + 1) * len(rows[i]) <= most:
            out[-1].append(i)
        else:
            out.append([i])
    return out


def _best(state: State) -> int:
    """The best check: most right of a closed set, and of these, or of open answers, least loss.

    Losses rise long before answers get worse, since a model grows too sure; how sure it may be is
    settled afterwards, by calibration.
    """
    merits = [(0.0 if right is None else -right, loss) for _, loss, right in state.checks]
    return merits.index(min(merits))


def _worse_since(state: State) -> int:
    """Checks since the best one."""
    return len(state.checks) - 1 - _best(state) if state.checks else 0


def _said(state: State) -> str:
    epoch, loss, right = state.checks[-1]
    share = "" if right is None else f", exact {right:.3f}"
    return f"epoch {epoch:.2f}: validation loss {loss:.3f}{share}"
