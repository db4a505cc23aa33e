"""The settings of the rung ``decoder`` and of distillation."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from whichlever.settings_base import Choices, Model

Student = Literal["static", "linear", "encoder", "decoder"]


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
        description="Uppermost layers that get adapters; left out: the upper half. What lies "
        "below them is worked out once and kept.",
    )
    epochs: float = Field(default=4.0, gt=0)
    learning_rate: float = Field(default=2e-3, gt=0, description="The peak.")
    batch_rows: int = Field(default=8, ge=1, description="Rows between two steps of the weights.")
    batch_tokens: int = Field(
        default=1024, ge=16, description="Most tokens at once; a step gathers several such parts."
    )
    max_tokens: int = Field(default=512, ge=16, le=32_768, description="Longest input and answer.")
    device: Literal["auto", "cpu", "cuda"] = Field(
        default="auto", description="auto: a GPU where torch sees one."
    )
    precision: Literal["fp32", "bf16", "nf4"] | None = Field(
        default=None,
        description="Of the frozen weights: 32 bits, 16, or 4 (QLoRA; needs the extra gpu). Left "
        "out: 32 on the processor, 16 on a GPU.",
    )
    checkpointing: bool = Field(
        default=False, description="Less memory for about a third more time; for large bases."
    )
    patience: int = Field(
        default=2, ge=1, description="Checks without a better validation loss that end training."
    )
    minutes: float = Field(default=30.0, gt=0, description="Training time budget.")


class LogSettings(Model):
    """A log of an API's answers, as what a model said before."""

    path: str = Field(min_length=1)
    input: str = Field(
        default="{input}",
        max_length=20_000,
        description="What the user's last message looks like, {input} where the row's text stands; "
        "left out, the text between whichlever's own marks, else the whole message.",
    )
    model: str | None = Field(
        default=None, description="Whose answers are meant, where there are several models'."
    )
    price_as: str | None = Field(
        default=None, description="Model name in the price table; left out, as the log names it."
    )

    @field_validator("input")
    @classmethod
    def _one_place(cls, value: str) -> str:
        if value.count("{input}") != 1:
            raise ValueError("say {input} once, where the row's text stands")
        return value


class DistillSettings(Model):
    """A small model that learns what another lever, or a log, says."""

    teacher: str | None = Field(
        default=None, min_length=1, description="A lever's id, such as finetune-encoder."
    )
    logs: str | LogSettings | None = Field(
        default=None,
        description="Instead of a lever: a file of requests with their answers, as kept.",
    )
    student: Student | Choices[Student] = Field(
        default="static", description="Rungs that learn from it; decoder: kind generate."
    )
    rows: str | None = Field(
        default=None,
        description="A file of rows without a label, which the teacher labels; left out, it labels "
        "the training rows alone.",
    )
    max_rows: int | None = Field(default=None, ge=1, description="Most rows that it labels.")
    dollars: float | None = Field(
        default=None,
        gt=0,
        description="Most that labelling may cost: a hard bound, beside what the teacher's own "
        "measuring costs; left out, the teacher's own budget holds once more.",
    )
    ask: Literal["active", "random"] = Field(
        default="active",
        description="Where not every row can be asked about: which ones. active: in rounds, those "
        "that a model of the answers so far is least sure of, and that are unlike each other.",
    )
    labelled: Literal["teacher", "true", "both"] = Field(
        default="teacher",
        description="What training rows teach: what the teacher says of them, their own labels "
        "(the teacher is not asked), or both.",
    )
    draws: int = Field(
        default=4,
        ge=1,
        le=64,
        description="Times that a row stands in the lesson, labels drawn from the teacher's "
        "probabilities; 1 is its best guess alone.",
    )

    @property
    def students(self) -> tuple[Student, ...]:
        """The rungs, however they were written."""
        return (self.student,) if isinstance(self.student, str) else tuple(self.student)

    @property
    def log(self) -> LogSettings | None:
        """The log, however it was written."""
        return LogSettings(path=self.logs) if isinstance(self.logs, str) else self.logs

    @model_validator(mode="after")
    def _one_teacher(self) -> Self:
        if (self.teacher is None) == (self.logs is None):
            raise ValueError("give either teacher: (a lever's id) or logs: (a file)")
        return self
