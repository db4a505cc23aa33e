"""A task's ``data:`` and ``change:``: where rows are, what columns mean, how they are split."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from whichlever.settings_base import Model

Column = Annotated[str, Field(min_length=1)]
Share = float | int
"""A share of the rows (0 < x < 1) or a number of rows (a whole number ≥ 1); 0 is none."""


class Split(Model):
    """How rows get their role: train fits, valid chooses, calibrate sets thresholds, test is
    read once.
    """

    by: Literal["random", "group", "time", "given", "shape", "open_set"] = Field(
        default="random",
        description="shape: lines of one shape (equal but for their values) stay on one side; "
        "open_set: kind verify, where it is the default: impostors of test rows are never seen.",
    )
    column: str | None = Field(
        default=None, description="With by: given, the column that holds each row's role."
    )
    valid: Share = 0.15
    calibrate: Share = 0.15
    test: Share = 0.25
    seed: int = 0

    @field_validator("valid", "calibrate", "test")
    @classmethod
    def _share(cls, value: Share) -> Share:
        whole = float(value).is_integer()
        if value < 0 or (value >= 1 and not whole):
            raise ValueError("a share is between 0 and 1, or a whole number of rows")
        return int(value) if whole else value

    @model_validator(mode="after")
    def _sum(self) -> Self:
        shares = [s for s in (self.valid, self.calibrate, self.test) if isinstance(s, float)]
        if sum(shares) >= 1:
            raise ValueError("valid + calibrate + test leave no row to train on")
        if self.column is not None and self.by != "given":
            raise ValueError("column goes with by: given")
        return self


class Data(Model):
    """Where the rows are and what their columns mean."""

    rows: str | None = Field(default=None, description="One file with every row.")
    train: str | None = Field(default=None, description="Training rows, where given apart.")
    valid: str | None = None
    calibrate: str | None = None
    test: str | None = Field(default=None, description="Test rows, where given apart.")
    id: str | None = Field(default=None, description="Column of row ids; else file and line.")
    input: Column | Annotated[list[Column], Field(min_length=1)] | None = Field(
        default=None, description="A column, or JSON pointers rendered in order."
    )
    match: str | None = Field(
        default=None,
        description="Column that describes the input, such as the rule that fired: only which of "
        "its words are found in the input is read, which means the same under any rule.",
    )
    target: Column = Field(
        default="label",
        description="With kind: extract, fields; with generate, output; with verify, genuine.",
    )
    target_map: dict[str, str] = Field(
        default_factory=dict,
        description="From values of the target column (an analyst's verdict, a workflow status) "
        "to labels; a row with any other value has no label, and is counted.",
    )
    group: str | None = None
    source: str | None = Field(
        default=None,
        description="Column that says where the row comes from (extract: what wrote the line); "
        "the audit asks whether rows of one label tell it.",
    )
    file: str | None = Field(
        default=None, description="extract: column with the file a line came from; only reported."
    )
    identity: str | None = Field(
        default=None, description="verify: column with the person whose name the text bears."
    )
    author: str | None = Field(
        default=None, description="verify: column with the person who really wrote it."
    )
    time: str | None = None
    document: str | None = Field(
        default=None,
        description="Column with the name of the document (inside documents:) that holds the "
        "row's answer; only the oracle row is told it.",
    )
    split: Split = Split()
    max_chars: int = Field(default=100_000, ge=100, description="Longer inputs are refused.")
    unseen_labels: Literal["refuse", "count_wrong"] = Field(
        default="refuse", description="Test labels that no training row has."
    )

    @field_validator("target_map", mode="before")
    @classmethod
    def _words(cls, value: Any) -> Any:  # noqa: ANN401 - whatever YAML held
        """Accept labels that YAML read as numbers or truth values."""
        if not isinstance(value, dict):
            return value
        plain = str | bool | int | float
        return {k: as_word(v) if isinstance(v, plain) else v for k, v in value.items()}

    @model_validator(mode="after")
    def _files(self) -> Self:
        if (self.rows is None) == (self.train is None):
            raise ValueError("give either rows: (one file) or train: and test: (files apart)")
        if self.rows is not None and (self.test or self.valid or self.calibrate):
            raise ValueError("rows: holds every role; test:, valid:, calibrate: go with train:")
        if self.train is not None and self.test is None:
            raise ValueError("train: needs test: beside it")
        if self.split.by == "group" and self.group is None:
            raise ValueError("split by: group needs group: (the column)")
        if self.split.by == "time" and self.time is None:
            raise ValueError("split by: time needs time: (the column)")
        if self.split.by == "given" and self.rows is not None and self.split.column is None:
            raise ValueError("split by: given needs column: (the column that holds the role)")
        return self


class Change(Model):
    """What changed in the world after the levers were fitted."""

    documents: str | None = Field(
        default=None, description="The folder of documents as it is after the change."
    )
    rows: str = Field(description="Rows from after the change, with the truth as it is then.")
    was: Column = Field(description="Column of these rows with the label as it was before.")
    max_rows: int = Field(
        default=100, ge=2, description="Most rows that a lever with a budget answers, each twice."
    )


def as_word(value: Any) -> str:  # noqa: ANN401 - any YAML scalar
    """A label as text; booleans and numbers as JSON writes them, as the rows are read too."""
    if value is None or isinstance(value, bool | int | float):
        return json.dumps(value)
    return str(value)
