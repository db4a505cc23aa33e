"""The task: what goes in, what must come out, and the user's constraints; one YAML file."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    Field,
    PrivateAttr,
    ValidationError,
    field_validator,
    model_validator,
)

from whichlever.errors import TaskError
from whichlever.kinds import FAMILY_RUNGS, foreign, with_defaults
from whichlever.kinds import METRICS as METRICS_OF
from whichlever.settings import (
    RUNGS,
    AutocloseSettings,
    CurveSettings,
    FieldSettings,
    FinetuneSettings,
    HybridSettings,
    JudgeSettings,
    Levers,
    LinearSettings,
    NoiseSettings,
    PromptSettings,
    RagSettings,
    RecordedAnswers,
    WorkloadSettings,
)
from whichlever.settings_attack import AttackSettings
from whichlever.settings_base import Model
from whichlever.settings_decoder import DistillSettings
from whichlever.settings_guard import GuardSettings
from whichlever.task_data import Change, Data, Split, as_word
from whichlever.taskfile import first_problem, nearest, parse_yaml, read_text

__all__ = [
    "LLM",
    "METRICS",
    "RUNGS",
    "AttackSettings",
    "AutocloseSettings",
    "Change",
    "Constraints",
    "CurveSettings",
    "Data",
    "DistillSettings",
    "FieldSettings",
    "FinetuneSettings",
    "Goal",
    "HybridSettings",
    "Levers",
    "LinearSettings",
    "Model",
    "NoiseSettings",
    "OwnPrices",
    "PromptSettings",
    "RagSettings",
    "RecordedAnswers",
    "Split",
    "Task",
    "WorkloadSettings",
]

METRICS = tuple(name for names in METRICS_OF.values() for name in names)


Cost = Annotated[float, Field(ge=0)]
Floor = Annotated[float, Field(ge=0, le=1)]


class Constraints(Model):
    """What must hold whichever lever is pulled."""

    calls_per_month: float = Field(default=1_000_000, gt=0)
    data_may_leave: bool = False
    knowledge_changes: Literal["never", "monthly", "weekly", "daily", "live"] = "monthly"
    task_changes: Literal["rarely", "monthly", "weekly"] = "rarely"
    latency_p95_ms: float | None = Field(default=None, gt=0)
    dollars_per_month: float | None = Field(
        default=None, gt=0, description="Most that a month may cost, everything counted."
    )
    proprietary: bool = Field(default=True, description="Are the patterns in your data your own?")


class Goal(Model):
    """What is to be good, and what difference would not matter."""

    metric: str = "macro_f1"
    margin: float = Field(default=0.02, gt=0, lt=1)
    at_least: dict[str, Floor] = Field(default_factory=dict)

    @field_validator("metric")
    @classmethod
    def _metric(cls, value: str) -> str:
        if value not in METRICS:
            raise ValueError(f"{value!r} is not a metric{nearest(value, METRICS)}")
        return value

    @field_validator("at_least")
    @classmethod
    def _floors(cls, value: dict[str, float]) -> dict[str, float]:
        for key in value:
            metric, dot, label = key.partition(".")
            per_label = metric in ("recall", "precision") and label
            if not per_label and (dot or metric not in METRICS):
                near = nearest(metric, (*METRICS, "recall.LABEL", "precision.LABEL"))
                raise ValueError(f"{key!r} is not a metric{near}")
        return value


class OwnPrices(Model):
    """The user's prices, in dollars."""

    label: float = Field(default=0.40, ge=0, description="One labelled row.")
    core_hour: float = Field(default=0.05, ge=0, description="One core for one hour.")
    engineer_hour: float = Field(default=90.0, ge=0)
    analyst_hour: float = Field(default=60.0, ge=0, description="Whoever a row is handed to.")
    review_minutes: float = Field(default=5.0, gt=0, description="A person's time for one row.")
    mistake_unit: float | None = Field(
        default=None,
        ge=0,
        description="Dollars that one unit of mistakes: is worth; without mistakes:, one error.",
    )
    cores: int = Field(default=2, ge=1, description="Cores of the machine that would be kept on.")
    upkeep_hours: float = Field(default=2.0, ge=0, description="Engineer hours a month, own model.")
    months: float = Field(default=12.0, gt=0, description="What is paid once is spread over these.")
    change_hours: dict[str, float] = Field(
        default_factory=dict,
        description="Engineer hours for one change of the task, by family: "
        "prompt 1, recorded 1, rag 2, linear 2, finetune 4 unless given.",
    )
    relabel: float = Field(
        default=0.1, ge=0, le=1, description="Share of training labels to redo at one change."
    )


class LLM(Model):
    """One OpenAI-compatible server."""

    base_url: str
    model: str
    key_env: str | None = Field(default=None, description="Environment variable with the key.")
    place: Literal["here", "remote"] = "remote"
    price_as: str | None = Field(default=None, description="Model name in the price table.")
    dollars_in: float | None = Field(default=None, ge=0, description="Per million tokens in.")
    dollars_cached: float | None = Field(default=None, ge=0)
    dollars_out: float | None = Field(default=None, ge=0)
    context: int = Field(default=8192, ge=256, description="Window in tokens.")

    @field_validator("base_url")
    @classmethod
    def _url(cls, value: str) -> str:
        try:
            host = urlsplit(value).hostname
        except ValueError:
            host = None
        if not re.match(r"https?://[^\s/]+", value) or not host:
            raise ValueError(f"{value!r} is not a server's address (http://HOST:PORT/v1)")
        return value

    @model_validator(mode="after")
    def _both_prices(self) -> Self:
        if (self.dollars_in is None) != (self.dollars_out is None):
            raise ValueError("dollars_in and dollars_out go together")
        return self


def _labels_too(schema: dict[str, Any]) -> None:
    """Say in the JSON Schema that labels may be a list, and meanings may be left out."""
    schema.pop("additionalProperties", None)
    schema.pop("type", None)
    word: dict[str, Any] = {"type": ["string", "number", "boolean", "null"]}
    schema["anyOf"] = [
        {"type": "object", "additionalProperties": word},
        {"type": "array", "items": word},
    ]


class Task(Model):
    """One task, as its YAML file says it.

    Raises
    ------
    TaskError
        From `load` and `parse`: the file, the key and the nearest right key in one line.
    """

    version: Literal[1] = 1
    task: str = Field(min_length=1, max_length=200)
    pack: str | None = Field(default=None, pattern=r"^[a-z0-9_-]+@\d+$")
    kind: Literal["classify", "extract", "generate", "verify"] = "classify"
    about: str = ""
    data: Data
    labels: dict[str, str] = Field(default_factory=dict, json_schema_extra=_labels_too)
    fields: dict[str, FieldSettings] = Field(
        default_factory=dict,
        description="extract: the names to copy out; left out, those of the training rows.",
    )
    answers: Literal["closed", "open"] | None = Field(
        default=None,
        description="generate: whether every answer is one of a set (closed) or may be any text; "
        "left out, closed where the rows outside test look like it, else refused.",
    )
    answer_schema: str | dict[str, Any] | None = Field(
        default=None,
        description="generate: a JSON schema, or a file of one (JSON or YAML), that answers are "
        "to satisfy; how many do is measured, and servers that can are held to it.",
    )
    judge: JudgeSettings | None = Field(
        default=None,
        description="generate: a language model that says which answers are right; off unless "
        "given, and no part of the verdict.",
    )
    documents: str | None = None
    change: Change | None = None
    constraints: Constraints = Constraints()
    mistakes: dict[str, dict[str, Cost]] = Field(default_factory=dict)
    goal: Goal = Goal()
    prices: OwnPrices = OwnPrices()
    llms: dict[str, LLM] = Field(default_factory=dict)
    levers: Levers = Levers(prompt=PromptSettings(), rag=RagSettings(), finetune=FinetuneSettings())
    curve: CurveSettings | None = Field(
        default=None, description="Learning curves; off unless the key is there."
    )
    autoclose: AutocloseSettings | None = Field(
        default=None, description="Closing rows unseen, under a promise; off unless given."
    )
    workload: WorkloadSettings | None = Field(
        default=None, description="What the levers would mean on shift; off unless it is there."
    )
    noise: NoiseSettings | None = Field(
        default=None, description="Labels that are probably wrong; off unless the key is there."
    )
    attack: AttackSettings | None = Field(
        default=None, description="Text that an attacker controls; off unless the key is there."
    )
    guard: GuardSettings | None = Field(
        default=None,
        description="Levers once more, guarded against added text; off unless the key is there.",
    )

    _folder: Path = PrivateAttr(default_factory=Path)

    @model_validator(mode="before")
    @classmethod
    def _of_kind(cls, value: Any) -> Any:  # noqa: ANN401 - whatever YAML held
        """Fill in what the task's kind takes where nothing is said."""
        return with_defaults(value) if isinstance(value, dict) else value

    @field_validator("curve", "noise", "attack", "guard", mode="before")
    @classmethod
    def _bare_curve(cls, value: Any) -> Any:  # noqa: ANN401 - whatever YAML held
        """Take a bare ``curve:``, ``noise:``, ``attack:`` or ``guard:`` as one with defaults."""
        return {} if value is None else value

    @field_validator("labels", mode="before")
    @classmethod
    def _labels(cls, value: Any) -> Any:  # noqa: ANN401 - whatever YAML held
        """Accept a bare list of labels, and labels that YAML read as numbers."""
        if isinstance(value, list):
            words = [as_word(v) for v in value]
            twice = next((w for i, w in enumerate(words) if w in words[:i]), None)
            if twice is not None:
                raise ValueError(f"the label {twice!r} stands twice")
            value = dict.fromkeys(words, "")
        if isinstance(value, dict):
            value = {as_word(k): "" if v is None else as_word(v) for k, v in value.items()}
            if any(not label.strip() for label in value):
                raise ValueError("a label is empty; give it a name")
        return value

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        given = (self.model_fields_set, self.data.model_fields_set, self.levers.model_fields_set)
        if (said := foreign(self.kind, *given)) is not None:
            raise ValueError(said)
        known = METRICS_OF[self.kind]
        for name in (self.goal.metric, *self.goal.at_least):
            if name in METRICS and name not in known:
                raise ValueError(f"goal: {name} goes with another kind{nearest(name, known)}")
        rungs = self.levers.finetune.rungs if self.levers.finetune is not None else ()
        for rung in rungs:
            if rung not in FAMILY_RUNGS[self.kind]:
                known = FAMILY_RUNGS[self.kind]
                raise ValueError(
                    f"levers.finetune.rungs: {rung} goes with another kind{nearest(rung, known)}"
                )
        if self.data.split.by == "shape" and self.kind != "extract":
            raise ValueError("data.split: by: shape goes with kind: extract")
        if self.data.split.by == "open_set" and self.kind != "verify":
            raise ValueError("data.split: by: open_set goes with kind: verify")
        split = self.data.split
        numbers = any(isinstance(n, int) and n for n in (split.valid, split.calibrate, split.test))
        if split.by == "open_set" and numbers:
            raise ValueError("data.split: by: open_set takes shares: persons are dealt one by one")
        if self.kind == "verify":
            for name in ("identity", "author"):
                if getattr(self.data, name) is None:
                    raise ValueError(f"data.{name} is missing: verify needs the column")
        return self

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.labels:
            if len(self.labels) < 2:
                raise ValueError("labels: a choice needs at least two labels")
            for name in sorted(self.named_labels() - set(self.labels)):
                raise ValueError(f"{name!r} is not one of the labels{nearest(name, self.labels)}")
            for name in self.data.target_map.values():
                if name not in self.labels:
                    near = nearest(name, self.labels)
                    raise ValueError(f"data.target_map: {name!r} is not one of the labels{near}")
            mix = self.workload.mix if self.workload is not None else {}
            for name in sorted(set(self.labels) - set(mix)) if mix else ():
                raise ValueError(f"workload.mix: {name!r} has no share; 0 is one")
        scope = self.autoclose.scope if self.autoclose is not None else None
        if scope in ("each_group", "new_groups") and self.data.group is None:
            raise ValueError(f"autoclose.scope: {scope} needs data.group (the column)")
        if self.data.match is not None and self.pack is not None:
            raise ValueError("data.match goes with plain columns; a pack renders by itself")
        if self.data.input is None and self.pack is None:
            raise ValueError("data.input is missing: name the column (or pack:) that is read")
        if self.change is not None and self.change.documents and self.documents is None:
            raise ValueError("change.documents follow documents:, which is missing")
        return self

    def named_labels(self) -> set[str]:
        """The labels that ``mistakes``, ``goal.at_least`` and what is asked for besides name."""
        named = set(self.mistakes) | {s for row in self.mistakes.values() for s in row}
        named |= {k.split(".", 1)[1] for k in self.goal.at_least if "." in k}
        if self.workload is not None:
            named |= {*self.workload.urgent, *self.workload.quiet, *self.workload.mix}
        if self.attack is not None:
            named |= {
                *(self.attack.protect or ()),
                *([self.attack.into] if self.attack.into else ()),
            }
        if self.guard is not None and self.guard.closes is not None:
            named.add(self.guard.closes)
        return named | (
            {self.autoclose.label, *self.autoclose.protect} if self.autoclose else set()
        )

    @property
    def folder(self) -> Path:
        """The folder that relative paths in the task start from."""
        return self._folder

    def path(self, name: str) -> Path:
        """Where a path named in the task is."""
        return self._folder / name

    @classmethod
    def load(cls, path: str | Path) -> Task:
        """Read a task file; relative paths in it start from its own folder."""
        path = Path(path)
        return cls.parse(read_text(path), folder=path.parent, name=str(path))

    @classmethod
    def parse(cls, text: str, *, folder: str | Path = ".", name: str = "task.yaml") -> Task:
        """Read a task from YAML text; ``name`` is what errors call it."""
        read = parse_yaml(text, name)
        try:
            task = cls.model_validate(read[0])
        except ValidationError as error:
            raise TaskError(f"{name}: {first_problem(cls, error, read)}") from None
        task._folder = Path(folder)
        return task

    @classmethod
    def json_schema(cls) -> str:
        """The JSON Schema of a task file."""
        return json.dumps(cls.model_json_schema(), indent=2, sort_keys=True) + "\n"
