"""The network: an encoder, the mean of its last hidden states, a linear head."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoConfig, AutoModel
from transformers.utils import logging

ATTENTION_DROPOUTS = ("attention_probs_dropout_prob", "attention_dropout")
"""Names that encoders have for it: BERT's and its kin's, DistilBERT's and ModernBERT's."""


class Classifier(nn.Module):  # type: ignore[misc]  # torch is not typed here
    """Text ids to logits.

    Parameters
    ----------
    folder : Path
        A Hugging Face folder with safetensors weights.
    classes : int
    lora : int, optional
        Rank of low-rank adapters on every linear layer, which alone are trained with the head
        (Hu et al. 2021); None trains every weight. `merge` folds them in.
    frozen : int
        So many of the lowest layers keep their weights, and the embeddings with them: no gradient
        is computed for them (Lee, Tang and Lin 2019, "What would Elsa do?").
    """

    def __init__(
        self, folder: Path, classes: int, lora: int | None = None, frozen: int = 0
    ) -> None:
        super().__init__()
        logging.disable_progress_bar()
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        # Dropout inside attention would cost the fused attention kernel; the other dropouts stay.
        for name in ATTENTION_DROPOUTS:
            if hasattr(config, name):
                setattr(config, name, 0.0)
        self.body = _encoder(folder, config)
        if lora is not None:
            self.body = _adapted(self.body, lora)
        if frozen:
            for name, parameter in self.body.named_parameters():
                if _layer(name) <= frozen:
                    parameter.requires_grad_(False)
        self.dropout = nn.Dropout(0.1)
        self.head = nn.Linear(self.body.config.hidden_size, classes)
        nn.init.normal_(self.head.weight, std=0.02)
        nn.init.zeros_(self.head.bias)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Logits, shape (rows, classes), of ids and mask, both (rows, tokens)."""
        logits: torch.Tensor = self.head(self.dropout(self.pooled(input_ids, attention_mask)))
        return logits

    def pooled(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """The mean of each row's last hidden states, shape (rows, hidden)."""
        hidden = self.body(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        mask = attention_mask.to(hidden.dtype)[:, :, None]
        mean: torch.Tensor = (hidden * mask).sum(dim=1) / mask.sum(dim=1)
        return mean

    def merge(self) -> None:
        """Fold adapters, where there are any, into the weights that they adapt."""
        merge = getattr(self.body, "merge_and_unload", None)
        if merge is not None:
            self.body = merge()

    def groups(self, rate: float, layer_decay: float, weight_decay: float) -> list[dict[str, Any]]:
        """Optimizer groups: lower layers learn more slowly, biases and norms do not decay.

        Layer i of L learns at ``rate * layer_decay ** (L - i)``, embeddings as layer 0, the head
        at five times ``rate`` since it starts from nothing (Howard and Ruder 2018, section 3.2).
        """
        layers = self.body.config.num_hidden_layers
        grouped: dict[tuple[float, float], list[nn.Parameter]] = {}
        for name, parameter in self.named_parameters():
            if not parameter.requires_grad:
                continue
            if name.startswith("head"):
                own = 5 * rate
            else:
                own = rate * layer_decay ** (layers - _layer(name))
            decay = weight_decay if parameter.ndim > 1 else 0.0
            grouped.setdefault((own, decay), []).append(parameter)
        return [
            {"params": params, "lr": lr, "weight_decay": wd} for (lr, wd), params in grouped.items()
        ]


def _layer(name: str) -> int:
    """The layer that a parameter belongs to by its name, counted from 1; 0 for embeddings."""
    return next((int(part) + 1 for part in name.split(".") if part.isdigit()), 0)


def _adapted(body: nn.Module, rank: int) -> nn.Module:
    """The encoder with its weights frozen and adapters of a rank on every linear layer."""
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        r=rank, lora_alpha=2 * rank, target_modules="all-linear", lora_dropout=0.0, bias="none"
    )
    with warnings.catch_warnings():
        # peft asks for an attribute by the name that transformers 5 is about to drop.
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
        return get_peft_model(body, config)


def _encoder(folder: Path, config: Any) -> nn.Module:  # noqa: ANN401 - a transformers config
    """Load an encoder with fused attention where its architecture has it."""
    given = {
        "config": config,
        "use_safetensors": True,
        "local_files_only": True,
        "trust_remote_code": False,
        "dtype": torch.float32,
    }
    try:
        return AutoModel.from_pretrained(folder, attn_implementation="sdpa", **given)
    except ValueError:  # says that the architecture lacks it
        return AutoModel.from_pretrained(folder, attn_implementation="eager", **given)
