"""The settings of each lever, as the task file's ``levers:`` holds them."""

from __future__ import annotations

import difflib
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from whichlever.settings_base import Choices, Model, Window, different
from whichlever.settings_decoder import DecoderSettings, DistillSettings

RUNGS = ("static", "encoder", "tagger", "decoder", "style")


class LinearSettings(Model):
    """TF-IDF + linear model; every list is searched on validation rows.

    Windows are searched only where every training row has a time.
    """

    windows: Choices[Window] = Field(
        default=[1000, 5000, 20_000, "all"],
        description="Newest training rows to try, where rows have times; without times a smaller "
        "window is only fewer rows, so the largest alone is used, a random draw.",
    )
    c: Choices[Annotated[float, Field(gt=0)]] = Field(default=[0.1, 0.3, 1.0, 3.0, 10.0])
    families: Choices[Literal["svm", "logistic"]] = Field(
        default=["svm", "logistic"], description="svm always runs; logistic where it fits."
    )
    chars: bool = Field(default=True, description="Try character n-grams too.")
    decay: bool = Field(
        default=True, description="Where rows have times, try a window whose edge is soft."
    )
    max_features: int = Field(default=300_000, ge=1000)
    minutes: float = Field(default=6.0, gt=0, description="Budget of search and fit, estimated.")
    refit: bool = Field(default=True, description="Fit the chosen settings on train + valid.")


class _LLMSettings(Model):
    model: str = "smollm2-135m-instruct"
    minutes: float = Field(default=10.0, gt=0, description="Time budget for its answers.")
    dollars: float | None = Field(default=None, ge=0, description="Money budget for its answers.")
    max_rows: int | None = Field(default=None, ge=1)
    timeout_seconds: float = Field(default=60.0, gt=0)
    retries: int = Field(default=3, ge=0)
    parallel: int = Field(default=4, ge=1, description="Requests under way at once (remote).")


class PromptSettings(_LLMSettings):
    """Prompting: the most shots to try; 0 is zero-shot only."""

    shots: int = Field(default=4, ge=0)
    rotations: int = Field(default=2, ge=1, description="Option orders averaged per answer.")


class JudgeSettings(_LLMSettings):
    """A language model that says which texts are right, and what people say of its judgement."""

    rubric: str = Field(default="", description="What is right, in your words.")
    human: str | None = Field(
        default=None,
        description="Answers that people judged: rows with id, answer and right; whichlever judge "
        "writes a sheet for them.",
    )
    max_rows: int | None = Field(default=200, ge=1, description="Test rows whose answers it sees.")


class RagSettings(_LLMSettings):
    """Retrieval: k passages or labelled rows in the prompt, and a nearest-neighbour vote."""

    k: int = Field(default=5, ge=1)
    vote_k: Choices[Annotated[int, Field(ge=1)]] = Field(default=[1, 3, 5, 10, 20])
    vote_only: bool = Field(default=False, description="Only the nearest-neighbour vote.")
    retrieve: Literal["both", "rows", "documents"] = Field(
        default="both",
        description="What a prompt may get: labelled rows, pieces of documents, or both.",
    )
    match: bool = Field(
        default=False,
        description="Also read documents without a language model: the label that the retrieved "
        "sentence names.",
    )
    oracle: bool = Field(
        default=True,
        description="Where data.document is given, also measure with the right document handed "
        "over.",
    )


class FinetuneSettings(Model):
    """Fine-tuning: which rungs, from which base, within which budget."""

    rungs: Choices[Literal["static", "encoder", "tagger", "decoder", "style"]] = Field(
        default=["static", "encoder"],
        description="tagger: kind extract, decoder: kind generate, style: kind verify, where they "
        "are the defaults.",
    )
    base: str = Field(
        default="all-minilm-l6-v2",
        min_length=1,
        description="An encoder: a weights name, or a folder (from the task's own) with "
        "model.safetensors, config.json and tokenizer.json.",
    )
    max_rows: int | None = Field(default=20_000, ge=1, description="Encoder: newest rows used.")
    max_tokens: int = Field(default=160, ge=8, le=8192, description="Encoder: longest input.")
    epochs: float = Field(default=4.0, gt=0)
    learning_rate: float | None = Field(
        default=None,
        gt=0,
        description="Encoder: peak learning rate; 2e-4 unless given, 2e-3 with lora.",
    )
    lora: int | None = Field(
        default=None,
        ge=1,
        le=512,
        description="Encoder: train low-rank adapters of this rank instead of every weight.",
    )
    frozen_layers: int = Field(
        default=0,
        ge=0,
        le=256,
        description="Encoder: so many of the lowest layers stay as they are, and train faster.",
    )
    minutes: float = Field(default=30.0, gt=0, description="Encoder: training time budget.")
    refit: bool = Field(
        default=True,
        description="Once everything is chosen, learn from the validation rows too.",
    )
    joined: bool = Field(
        default=True,
        description="Also join the rungs with the linear floor, weighted on validation rows.",
    )
    windows: Choices[Window] = Field(
        default=[20_000, "all"], description="Static: newest rows to try."
    )
    seeds: int | None = Field(
        default=None,
        ge=1,
        le=10,
        description="Trainings that differ in their seed alone; the first is measured, the "
        "others' validation scores say how much luck there is. Unless given: static 3, encoder 1.",
    )
    threads: int | None = Field(default=None, ge=1)
    decoder: DecoderSettings = DecoderSettings()


class HybridSettings(Model):
    """An owned lever answers, and hands what it is unsure of to another lever or a person."""

    first: str | None = Field(
        default=None,
        description="Lever id that answers first: linear, rag-vote, finetune-RUNG; left out: the "
        "best of linear and finetune on calibration rows.",
    )
    then: str = Field(
        default="best",
        min_length=1,
        description="Who gets the rest: person, a lever id (rag, rag-vote, prompt, "
        "recorded-NAME, ...), or best: whichever does most good on calibration rows.",
    )
    budget_share: float | None = Field(
        default=None, gt=0, le=1, description="Most rows to hand over, as a share of all."
    )
    review_accuracy: float = Field(
        default=1.0, gt=0, le=1, description="How often a person is right: assumed, not measured."
    )


class RecordedAnswers(Model):
    """Answers that some other system already gave to the test rows."""

    path: str
    price_as: str | None = None
    what: str | None = Field(default=None, description="How they were made, e.g. zero-shot.")
    model: str | None = Field(
        default=None,
        description="Whose answers are meant, where the file holds several models' (a chat log, "
        "promptfoo results).",
    )


def _paths_too(schema: dict[str, Any]) -> None:
    """Say in the JSON Schema that a recorded lever may be a bare path."""
    by_name = schema["patternProperties"]
    schema["additionalProperties"] = False
    for pattern, answers in by_name.items():
        by_name[pattern] = {"anyOf": [{"type": "string"}, answers]}


class Levers(Model):
    """Which levers to measure; the two floors always run."""

    linear: LinearSettings = LinearSettings()
    prompt: PromptSettings | None = None
    rag: RagSettings | None = None
    finetune: FinetuneSettings | None = None
    hybrid: HybridSettings | None = None
    distill: DistillSettings | None = None
    recorded: dict[Annotated[str, Field(pattern=r"^[\w.+@ -]{1,80}$")], RecordedAnswers] = Field(
        default_factory=dict, json_schema_extra=_paths_too
    )

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, value: Any) -> Any:  # noqa: ANN401 - whatever YAML held
        """Take a lever without settings (``rag:``) as that lever with its defaults."""
        if not isinstance(value, dict):
            return value
        return {k: {} if v is None else v for k, v in value.items()}

    @field_validator("recorded", mode="before")
    @classmethod
    def _short_recorded(cls, value: Any) -> Any:  # noqa: ANN401 - whatever YAML held
        """Accept ``{gpt-4: answers.jsonl, price_as: gpt-4-turbo}`` beside the long form."""
        if not isinstance(value, dict):
            return value
        about = [k for k in RecordedAnswers.model_fields if k != "path"]
        shared = {k: value[k] for k in about if isinstance(value.get(k), str)}
        named = {k: v for k, v in value.items() if k not in shared}
        for name, answers in named.items():
            close = difflib.get_close_matches(str(name), about, n=1, cutoff=0.75)
            if close and isinstance(answers, str):
                raise ValueError(f"unknown key {name!r}; did you mean {close[0]!r}?")
        return {k: ({"path": v, **shared} if isinstance(v, str) else v) for k, v in named.items()}


class CurveSettings(Model):
    """Learning curves: levers that learn from rows, fitted on nested parts of the labelled rows.

    Every point is one more fit; the point with all rows is the lever's own step.
    """

    fractions: Choices[Annotated[float, Field(gt=0, le=1)]] = Field(
        default=[0.125, 0.25, 0.5, 1.0],
        description="Shares of the labelled rows (train + valid); all of them is always a point.",
    )
    orders: Choices[Literal["newest", "random", "oldest"]] = Field(
        default=["newest", "random"],
        description="Which rows a share is; newest and oldest where rows have times.",
    )
    levers: Choices[str] | None = Field(
        default=None,
        description="Lever ids; left out: linear, rag-vote, finetune-static and -tagger where they "
        "run.",
    )
    draws: int = Field(default=3, ge=1, le=20, description="Random nested draws.")
    delays: Annotated[list[Annotated[float, Field(gt=0)]], AfterValidator(different)] = Field(
        default=[7, 30, 90],
        description="Days that labels come late, where rows have times; [] measures none.",
    )
    minutes: float = Field(
        default=20.0, gt=0, description="Budget for the fits of all points; the rest is left out."
    )


class AutocloseSettings(Model):
    """Closing rows of one label without a person, under a promise about the protected labels."""

    label: str = Field(min_length=1, description="The label that is closed, e.g. noise.")
    protect: Choices[str] = Field(description="Labels whose rows should not be closed.")
    at_most: float = Field(
        default=0.01, gt=0, le=0.5, description="Largest share of protected rows closed."
    )
    confidence: float = Field(
        default=0.95, ge=0.8, lt=1, description="Of the high-confidence promise."
    )
    review: float = Field(
        default=0.05, ge=0, le=1, description="Share of closed rows that a person sees again."
    )
    scope: Literal["deployment", "each_group", "new_groups"] | None = Field(
        default=None,
        description="What is promised: deployment (rows like the calibration rows, all groups "
        "together), each_group (each group that was calibrated on), new_groups (groups never "
        "seen); left out: new_groups where the task names groups, else deployment.",
    )

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if self.label in self.protect:
            raise ValueError(f"label {self.label!r} cannot be closed and protected at once")
        return self


class WorkloadSettings(Model):
    """The desk that alerts go to: what a day brings, and who looks at it."""

    urgent: Choices[str] = Field(description="Labels that must be looked at soon.")
    quiet: Choices[str] = Field(description="Labels that may be closed without a look.")
    alerts_per_day: float | None = Field(
        default=None, gt=0, description="Left out: constraints.calls_per_month / 30.4."
    )
    minutes_per_alert: float = Field(default=6.0, gt=0, le=1440, description="One look, by one.")
    analysts: int = Field(default=4, ge=1, le=10_000, description="At work at the same time.")
    shift_hours: float = Field(
        default=8.0, gt=0, le=24, description="Hours of each day that they are; 24 is always."
    )
    mix: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(
        default_factory=dict,
        description="Each label's real share of the alerts; left out: that of the test rows.",
    )
    entity: list[Annotated[str, Field(min_length=1)]] = Field(
        default_factory=list,
        description="Columns or JSON pointers (host, user, address) that link alerts of one "
        "incident; left out: what the pack finds.",
    )
    incident: str | None = Field(
        default=None, description="Column of the true incident, where known: grouping is scored."
    )
    window_minutes: float = Field(
        default=60.0, gt=0, description="How far apart two linked alerts may lie."
    )

    @model_validator(mode="after")
    def _apart(self) -> Self:
        both = sorted(set(self.urgent) & set(self.quiet))
        if both:
            raise ValueError(f"{both[0]!r} is both urgent and quiet")
        total = sum(self.mix.values())
        if self.mix and abs(total - 1) > 1e-6:
            raise ValueError(f"mix: the shares add up to {total:g}, not 1")
        if self.mix and not any(self.mix.get(label) for label in self.urgent):
            raise ValueError("mix: the urgent labels have no share")
        return self


class NoiseSettings(Model):
    """Labels that are probably wrong: how they are looked for."""

    folds: int = Field(default=5, ge=2, le=20, description="Models that judge rows unseen.")
    by_group: bool = Field(
        default=False,
        description="Rows of one group are judged by models that saw none of it: right where whole "
        "groups may be labelled wrong alike, harder where they are not.",
    )
    max_rows: int | None = Field(default=None, ge=50, description="Newest rows to judge.")
    minutes: float = Field(
        default=10.0, gt=0, description="Budget, estimated; over it, only the newest rows."
    )
    test: bool = Field(
        default=False, description="Judge test labels too; models never learn from test rows."
    )
    check: bool = Field(
        default=True,
        description="Plant wrong labels among yours and count how many are found, which doubles "
        "the time.",
    )
    planted: float = Field(default=0.05, gt=0, le=0.3, description="Share planted by check.")
    effect: Literal["none", "valid", "test"] = Field(
        default="valid",
        description="compare: the linear lever without the suspects, and with the suggested "
        "labels: not measured, on validation rows, or once more on test rows.",
    )


Normaliser = Literal[
    "none", "lower", "upper", "int", "number", "timestamp", "mac", "whitespace", "percent", "json"
]
"""The only ways in which an extracted value may differ from the text it is copied from."""


class FieldSettings(Model):
    """One named field of an extract task; what is left out is inferred from the training rows."""

    normalise: Normaliser | None = Field(
        default=None, description="How the value is made from its text."
    )
    tz: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9_+:/-]{1,60}$",
        description="Zone of timestamps that name none: UTC, +02:00 or Europe/Vienna.",
    )
    year: int | None = Field(
        default=None, ge=1970, le=2100, description="Year of timestamps that have none."
    )
