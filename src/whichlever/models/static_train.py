"""Train a static classifier: token vectors, pair vectors and a linear head, all learned."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from whichlever.infer.static import Floats, StaticModel, with_pairs
from whichlever.infer.static_words import Bags, Ints, WordPieces
from whichlever.models.goal import goal_score
from whichlever.progress import Step

if TYPE_CHECKING:
    import torch

FOLD_UP_TO = 64
"""Classes up to which token tables hold logits; beyond, embeddings and a head are smaller."""

MAX_BUCKETS = 2**17


@dataclass(frozen=True)
class StaticOptions:
    """How a static classifier is trained.

    Attributes
    ----------
    pairs
        Learn hashed pairs of neighbouring tokens too, as fastText does (Joulin et al. 2017).
    balance
        Class weights are (rows of the class) ** -balance, scaled to a mean of 1 over rows; 0 is
        none, 1 is fully balanced.
    power
        Sums are divided by tokens ** power; 1 is a mean, 0.5 lets long texts say more.
    dropout
        Share of units left out of a text at each step.
    rate
        Adam's learning rate, decaying linearly to a tenth over ``epochs``.
    epochs, patience
        Passes at most, and passes without a better validation score before stopping.
    batch
        Rows a step at most; a fortieth of the rows where that is less, and never under 16.
    """

    pairs: bool = True
    balance: float = 0.0
    power: float = 0.5
    dropout: float = 0.3
    rate: float = 1e-2
    epochs: int = 20
    patience: int = 4
    batch: int = 2048


@dataclass(frozen=True)
class StaticRun:
    """A trained model and how its training went; ``score`` is on validation rows."""

    model: StaticModel
    options: StaticOptions
    score: float
    epochs: int
    best_epoch: int


def train_static(
    train: Bags,
    targets: Ints,
    valid: Bags,
    valid_targets: Ints,
    classes: int,
    *,
    vectors: Floats,
    pieces: WordPieces,
    options: StaticOptions,
    seed: int,
    metric: str = "macro_f1",
    step: Step | None = None,
    passes: int | None = None,
) -> StaticRun:
    """Train, stopping early on validation rows, and fold for prediction.

    Parameters
    ----------
    train, valid : Bags
        Token ids, from `WordPieces.ids`.
    targets, valid_targets : int arrays, shape (n,)
        Class of each text; -1 in ``valid_targets`` is a label outside the classes.
    vectors : float32 array, shape (vocabulary, d)
        Where token vectors start: those distilled from an encoder. Tokens that no training row
        has keep theirs.
    metric
        ``macro_f1`` or ``accuracy``: what early stopping watches.
    step
        Advanced by 1 per pass.
    passes
        Stop after exactly so many passes and keep the last, whatever validation rows say: for a
        refit on rows that include them.

    Returns
    -------
    StaticRun
        The passes' best model. The same seed, rows and thread count give the same model.
    """
    import torch

    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    vocabulary = len(vectors)
    buckets = _buckets(train) if options.pairs else 0
    inputs, valid_inputs = train, valid
    if buckets:
        inputs = with_pairs(train, vocabulary, buckets)
        valid_inputs = with_pairs(valid, vocabulary, buckets)
    used = np.unique(inputs.units)
    scaled = vectors * _scale(train, vectors, options.power)
    # Row 0 is for what training never saw: its vector is used as it is and not trained.
    start = np.zeros((len(used) + 1, vectors.shape[1]), np.float32)
    in_vocabulary = used < vocabulary
    start[1:][in_vocabulary] = scaled[used[in_vocabulary]]
    table = torch.from_numpy(start).requires_grad_()
    head = torch.zeros(vectors.shape[1], classes, requires_grad=True)
    counts = np.bincount(targets, minlength=classes)
    prior = np.log((counts + 0.5) / (counts.sum() + 0.5 * classes)).astype(np.float32)
    bias = torch.from_numpy(prior).requires_grad_()
    weights = _class_weights(counts, options.balance)
    batch = max(16, min(options.batch, len(targets) // 40))
    steps = math.ceil(len(targets) / batch) * options.epochs
    optimizer = torch.optim.Adam([table, head, bias], lr=options.rate, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda s: 1 - 0.9 * min(1, s / steps))
    local = Bags(1 + np.searchsorted(used, inputs.units), inputs.starts)
    tokens = np.diff(train.starts)
    folded = _Folder(vectors=scaled, used=used, buckets=buckets, options=options, pieces=pieces)
    validation = _Validation.of(valid_inputs, np.diff(valid.starts), used, scaled, options.power)

    best: tuple[float, int, list[torch.Tensor]] | None = None
    epoch = 0
    for epoch in range(1, (passes or options.epochs) + 1):
        order = rng.permutation(len(targets))
        for begin in range(0, len(order), batch):
            rows = order[begin : begin + batch]
            pooled = _pooled(table, local, rows, tokens, options, rng)
            loss = torch.nn.functional.cross_entropy(
                pooled @ head + bias, torch.from_numpy(targets[rows]), weight=weights
            )
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
        now = [p.detach() for p in (table, head, bias)]
        score = goal_score(validation.logits(now).argmax(axis=1), valid_targets, metric)
        if step is not None:
            step.advance()
        if best is None or passes or score > best[0] + 1e-9:
            best = (score, epoch, [p.clone() for p in now])
        elif epoch - best[1] >= options.patience:
            break
    assert best is not None
    return StaticRun(folded(best[2]), options, best[0], epoch, best[1])


@dataclass(frozen=True)
class _Folder:
    """From trained parameters to the tables that predict."""

    vectors: Floats
    used: Ints
    buckets: int
    options: StaticOptions
    pieces: WordPieces

    def table(self, trained: Floats) -> Floats:
        """Every unit's vector: trained where training had it, else as distilled (pairs: zero)."""
        vocabulary, width = self.vectors.shape
        full = np.zeros((vocabulary + self.buckets, width), np.float32)
        full[:vocabulary] = self.vectors
        full[self.used] = trained[1:]
        return full

    def __call__(self, parameters: Sequence[torch.Tensor]) -> StaticModel:
        trained, head, bias = (p.numpy() for p in parameters)
        table: Floats = self.table(trained)
        folds = head.shape[1] <= FOLD_UP_TO
        if folds:
            table = table @ head
        vocabulary = len(self.vectors)
        return StaticModel(
            tokens=np.ascontiguousarray(table[:vocabulary]),
            pairs=np.ascontiguousarray(table[vocabulary:]) if self.buckets else None,
            head=None if folds else np.ascontiguousarray(head),
            bias=bias.copy(),
            power=self.options.power,
            tokenizer=self.pieces.json,
        )


def _pooled(
    table: torch.Tensor,
    bags: Bags,
    rows: Ints,
    tokens: Ints,
    options: StaticOptions,
    rng: np.random.Generator,
) -> torch.Tensor:
    import torch

    lengths = bags.starts[rows + 1] - bags.starts[rows]
    ends = np.cumsum(lengths)
    within = np.arange(ends[-1]) - np.repeat(ends - lengths, lengths)
    units = bags.units[np.repeat(bags.starts[rows], lengths) + within]
    if options.dropout:
        keep = rng.random(len(units), dtype=np.float32) >= options.dropout
        owner = np.repeat(np.arange(len(rows)), lengths)[keep]
        units = units[keep]
        lengths = np.bincount(owner, minlength=len(rows))
        ends = np.cumsum(lengths)
    sums = torch.nn.functional.embedding_bag(
        torch.from_numpy(units), table, torch.from_numpy(ends - lengths), mode="sum"
    )
    scale = np.maximum(tokens[rows], 1) ** -options.power / (1 - options.dropout)
    return sums * torch.from_numpy(scale.astype(np.float32))[:, None]


@dataclass(frozen=True)
class _Validation:
    """Validation rows in the trained table's numbering, with the rows that training never saw.

    ``frozen`` holds the vectors of tokens that only validation rows have: they stay as distilled,
    and follow the trained rows. A pair that training never saw is row 0, which is zero.
    """

    local: Bags
    frozen: Floats
    scale: Floats

    @classmethod
    def of(
        cls, inputs: Bags, tokens: Ints, used: Ints, vectors: Floats, power: float
    ) -> _Validation:
        place = np.searchsorted(used, inputs.units)
        known = used[np.minimum(place, len(used) - 1)] == inputs.units
        only_here = np.unique(inputs.units[~known & (inputs.units < len(vectors))])
        frozen_place = np.searchsorted(only_here, inputs.units)
        is_token = inputs.units < len(vectors)
        local = np.where(
            known, 1 + place, np.where(is_token, 1 + len(used) + frozen_place, 0)
        ).astype(np.int64)
        scale = (np.maximum(tokens, 1) ** -power).astype(np.float32)[:, None]
        return cls(Bags(local, inputs.starts), vectors[only_here], scale)

    def logits(self, parameters: Sequence[torch.Tensor]) -> Floats:
        import torch

        trained, head, bias = parameters
        table = torch.cat((trained, torch.from_numpy(self.frozen)))
        table[0] = 0
        sums = torch.nn.functional.embedding_bag(
            torch.from_numpy(self.local.units),
            table,
            torch.from_numpy(self.local.starts[:-1]),
            mode="sum",
        )
        logits: Floats = ((sums * torch.from_numpy(self.scale)) @ head + bias).numpy()
        return logits


def _buckets(bags: Bags) -> int:
    """A power of two of at least twice the different pairs, at most `MAX_BUCKETS`."""
    if len(bags.units) < 2:
        return 0
    different = len(np.unique(bags.units[:-1] * (1 << 32) + bags.units[1:]))
    return min(MAX_BUCKETS, 1 << max(8, (2 * different - 1).bit_length()))


def _scale(bags: Bags, vectors: Floats, power: float) -> float:
    """Bring pooled texts to a mean square of one per dimension, from up to 2,000 of them."""
    step = max(1, (len(bags) + 1999) // 2000)
    squares = []
    for i in range(0, len(bags), step):
        ids = bags.units[bags.starts[i] : bags.starts[i + 1]]
        if len(ids):
            squares.append(np.square(vectors[ids].sum(axis=0) / len(ids) ** power).mean())
    mean = float(np.mean(squares)) if squares else 1.0
    return 1 / math.sqrt(max(mean, 1e-12))


def _class_weights(counts: npt.NDArray[np.int64], balance: float) -> torch.Tensor | None:
    import torch

    if balance == 0:
        return None
    raw = np.where(counts > 0, np.maximum(counts, 1.0) ** -balance, 0.0)
    return torch.from_numpy((raw * counts.sum() / (raw * counts).sum()).astype(np.float32))


def variants(options: StaticOptions, metric: str) -> tuple[StaticOptions, ...]:
    """What is tried on validation rows: with and without pairs, and balanced where F1 counts."""
    balances = (0.0, 0.5) if metric == "macro_f1" else (0.0,)
    return tuple(
        replace(options, pairs=pairs, balance=balance)
        for pairs in (False, True)
        for balance in balances
    )
