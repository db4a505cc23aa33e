"""A causal language model cut in two: what lies below the adapters is worked out once.

Adapters stand in the upper layers only. Below them nothing is trained, so the lower layers' output
for a row never changes: it is kept, and the backward pass stops at the cut. Scores over the
vocabulary are made where a token is to be said, and nowhere else.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from whichlever.infer.decoder_tree import AnswerTree, Bools, Ints

ALPHA = 2
"""LoRA's scale is this over 1: alpha is the rank times it (Hu et al. 2022, section 4.1)."""


@dataclass(frozen=True)
class Laid:
    """A row as the layers read it: n token ids, and where it is no plain text, how they stand.

    ``said`` are the places whose next token is to be learned, ``next_ids`` those tokens;
    ``answer`` is the place of the row's own answer in a closed set, −1 is none of it.
    """

    ids: Ints
    said: Ints
    next_ids: Ints
    positions: Ints | None = None
    sees: Bools | None = None
    answer: int = -1

    def __len__(self) -> int:
        return len(self.ids)


def laid_out(question: Ints, answer: Ints) -> Laid:
    """A question with its answer, only the answer's tokens to be learned (prompt masking)."""
    ids = np.concatenate([question, answer[:-1]])
    return Laid(ids, np.arange(len(question) - 1, len(ids)), answer)


def with_tree(question: Ints, tree: AnswerTree, answer: int = -1) -> Laid:
    """A question with all answers behind it; ``said`` are the partings."""
    ids, positions, sees = tree.after(question)
    said = np.array([len(question) + node for node, _ in tree.partings], np.int64)
    said[[i for i, (node, _) in enumerate(tree.partings) if node < 0]] = len(question) - 1
    return Laid(ids, said, np.empty(0, np.int64), positions, sees, answer)


class CutDecoder:
    """A model with adapters above a cut.

    Parameters
    ----------
    model
        A transformers causal language model, frozen.
    layers
        Uppermost layers that get adapters; all of them at most.
    rank
        Of the adapters; 0 makes none.
    seed
        Of their first values.
    checkpointing
        Work the upper layers out again in the backward pass instead of keeping them.
    """

    def __init__(
        self,
        model: Any,  # noqa: ANN401 - a transformers model
        layers: int,
        rank: int,
        seed: int = 0,
        *,
        checkpointing: bool = False,
    ) -> None:
        stack = model.model
        self.layers = min(layers, len(stack.layers))
        self.cut = len(stack.layers) - self.layers
        self.model = _adapted(model, self.cut, rank, seed) if rank else model
        self.lower, self.upper = _part(stack, 0, self.cut), _part(stack, self.cut, None)
        self.head = model.get_output_embeddings()
        self.device = self.head.weight.device
        if checkpointing:
            # transformers renames it in 5.x; either name does the same.
            name = "activation_checkpointing_enable"
            enable = getattr(self.upper, name, self.upper.gradient_checkpointing_enable)
            enable({"use_reentrant": False})
            self.upper.train()

    def parameters(self) -> dict[str, Any]:
        """The adapters' weights by name."""
        named = self.model.named_parameters()
        return {name: value for name, value in named if value.requires_grad}

    def below(self, rows: Sequence[Laid]) -> list[torch.Tensor]:
        """What the lower layers make of rows, each of shape (its tokens, width), in main memory."""
        ids = _padded([torch.from_numpy(row.ids) for row in rows]).to(self.device)
        with torch.no_grad():
            out = self._run(self.lower, self.lower.embed_tokens(ids), rows).cpu()
        return [out[i, : len(row)].clone() for i, row in enumerate(rows)]

    def above(self, below: Sequence[torch.Tensor], rows: Sequence[Laid]) -> list[torch.Tensor]:
        """The last hidden states at each row's ``said``, each of shape (places, width)."""
        out = self._run(self.upper, _padded(list(below)).to(self.device), rows)
        return [out[i, torch.from_numpy(row.said)] for i, row in enumerate(rows)]

    def loss(self, below: Sequence[torch.Tensor], rows: Sequence[Laid]) -> torch.Tensor:
        """Summed negative log-likelihood of the tokens to be learned, in nats."""
        hidden = torch.cat(self.above(below, rows))
        targets = torch.from_numpy(np.concatenate([row.next_ids for row in rows])).to(self.device)
        return functional.cross_entropy(self.head(hidden).float(), targets, reduction="sum")

    def log_shares(
        self, below: Sequence[torch.Tensor], rows: Sequence[Laid], tree: AnswerTree
    ) -> torch.Tensor:
        """Log-probability of each answer of a tree, shape (rows, answers)."""
        hidden = torch.stack(self.above(below, rows))
        parts = [
            functional.linear(hidden[:, i], self.head.weight[torch.from_numpy(tokens)]).float()
            for i, (_, tokens) in enumerate(tree.partings)
        ]
        steps = torch.cat([functional.log_softmax(part, dim=-1) for part in parts], dim=1)
        found: torch.Tensor = steps @ torch.from_numpy(tree.ways).to(steps).T
        return found

    def choice_loss(
        self, below: Sequence[torch.Tensor], rows: Sequence[Laid], tree: AnswerTree
    ) -> torch.Tensor:
        """Summed negative log-probability of each row's own answer (`Laid.answer`), in nats."""
        own = torch.tensor([row.answer for row in rows], device=self.device)
        return functional.nll_loss(self.log_shares(below, rows, tree), own, reduction="sum")

    def choose(
        self, below: Sequence[torch.Tensor], rows: Sequence[Laid], tree: AnswerTree
    ) -> np.ndarray[Any, np.dtype[np.float32]]:
        """Log-probability of each answer of a tree as an array, shape (rows, answers)."""
        with torch.no_grad():
            return np.asarray(self.log_shares(below, rows, tree).cpu().numpy(), np.float32)

    def _run(self, part: Any, inputs: torch.Tensor, rows: Sequence[Laid]) -> torch.Tensor:  # noqa: ANN401
        mask = positions = None
        if any(row.sees is not None for row in rows):
            long = inputs.shape[1]
            seen = np.broadcast_to(np.eye(long, dtype=bool), (len(rows), long, long)).copy()
            placed = np.zeros((len(rows), long), np.int64)
            for i, row in enumerate(rows):
                assert row.sees is not None
                assert row.positions is not None
                seen[i, : len(row), : len(row)] = row.sees
                placed[i, : len(row)] = row.positions
            mask = torch.from_numpy(seen)[:, None].to(self.device)
            positions = torch.from_numpy(placed).to(self.device)
        # Padding stands behind, where a causal mask hides it from every token that counts.
        found: torch.Tensor = part(
            inputs_embeds=inputs, attention_mask=mask, position_ids=positions, use_cache=False
        ).last_hidden_state
        return found


def _padded(parts: list[torch.Tensor]) -> torch.Tensor:
    found: torch.Tensor = torch.nn.utils.rnn.pad_sequence(parts, batch_first=True)
    return found


def _part(stack: Any, start: int, stop: int | None) -> Any:  # noqa: ANN401 - a transformers model
    """Some layers of a stack as a model of their own, which shares their weights."""
    part = copy.copy(stack)
    part._modules = dict(stack._modules)
    part.config = copy.copy(stack.config)
    part.layers = torch.nn.ModuleList(list(stack.layers)[start:stop])
    part.config.num_hidden_layers = len(part.layers)
    if stop is not None:
        part.norm = torch.nn.Identity()
    return part


def _adapted(model: Any, cut: int, rank: int, seed: int) -> Any:  # noqa: ANN401
    from peft import LoraConfig, get_peft_model

    layer = model.model.layers[0]
    names = sorted(
        {n.rsplit(".", 1)[-1] for n, m in layer.named_modules() if isinstance(m, torch.nn.Linear)}
    )
    config = LoraConfig(
        r=rank, lora_alpha=ALPHA * rank, lora_dropout=0.0, target_modules=names,
        layers_to_transform=list(range(cut, len(model.model.layers))), layers_pattern="layers",
        bias="none", task_type="CAUSAL_LM",
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        # peft asks transformers by a name that transformers is about to drop.
        warnings.simplefilter("ignore", FutureWarning)
        torch.manual_seed(seed)
        return get_peft_model(model, config)
