"""The settings of the rung ``decoder`` and of distillation."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from whichlever.settings_base import Model


class DecoderSettings(Model):
    """Adapters on a causal language model, trained within a budget."""

    base: str = Field(
        default="smollm2-135m-instruct",
        min_length=1,
        description="Weights by name, a .gguf file, or a Hugging Face folder (model.safetensors, "
        "config.json, tokenizer.json).",
    )
    rank: int = Field(default=16, ge=1, le=512)
    layers: int | None = Field(
        default=None,
        ge=1,
        description="Uppermost layers that get adapters; left out: the upper third. What lies "
        "below them is worked out once and kept.",
    )
    epochs: float = Field(default=4.0, gt=0)
    learning_rate: float = Field(default=1e-3, gt=0, description="The peak.")
    batch_rows: int = Field(default=8, ge=1, description="Rows between two steps of the weights.")
    batch_tokens: int = Field(
        default=1024, ge=16, description="Most tokens at once; a step gathers several such parts."
    )
    max_tokens: int = Field(default=512, ge=16, le=32_768, description="Longest input and answer.")
    checkpointing: bool = Field(
        default=False, description="Less memory for about a third more time; for large bases."
    )
    patience: int = Field(
        default=2, ge=1, description="Checks without a better validation loss that end training."
    )
    minutes: float = Field(default=30.0, gt=0, description="Training time budget.")


class DistillSettings(Model):
    """A small model that learns what another lever says."""

    teacher: str = Field(min_length=1, description="A lever's id, such as finetune-encoder.")
    student: Literal["static"] = "static"
    rows: str | None = Field(
        default=None,
        description="A file of rows without a label, which the teacher labels; left out, it labels "
        "the training rows alone.",
    )
    max_rows: int | None = Field(default=None, ge=1, description="Most rows that it labels.")
