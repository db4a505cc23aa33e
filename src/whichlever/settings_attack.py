"""The settings of the attack station, as the task file's ``attack:`` holds them."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from whichlever.settings_base import Choices, Model


class AttackSettings(Model):
    """Text that an attacker controls, tried on every lever: where it goes and what it may cost."""

    controls: list[Annotated[str, Field(min_length=1)]] = Field(
        default_factory=list,
        description="Columns or JSON pointers that an attacker writes, the first one that a record "
        "has; left out: the end of the text.",
    )
    place: Literal["behind", "before", "inside"] = Field(
        default="behind",
        description="Where in what is there: behind it, before it, or in its middle.",
    )
    protect: Choices[str] | None = Field(
        default=None,
        description="Labels that should not be turned; left out: autoclose.protect, else those "
        "whose mistakes cost most.",
    )
    into: str | None = Field(
        default=None,
        min_length=1,
        description="The label that an attacker wants; left out: autoclose.label, else the one "
        "that the dearest mistake says.",
    )
    strings: str | None = Field(
        default=None,
        min_length=1,
        description="A file of strings to try besides the house's own: jsonl (attack, family), "
        "plain or .gz, or a text file with one in each line.",
    )
    rows: int = Field(default=100, ge=1, description="Protected test rows attacked, at most.")
    questions: int = Field(
        default=300, ge=1, le=100_000, description="Questions a row with given strings."
    )
    search: int = Field(
        default=300, ge=0, le=100_000, description="Questions a row in each search; 0: none."
    )
    chars: int = Field(
        default=400, ge=10, le=100_000, description="Characters added to a row, at most."
    )
    minutes: float = Field(
        default=5.0, gt=0, description="Time a lever, estimated; over it, fewer rows or questions."
    )
    leaks: int = Field(
        default=6,
        ge=0,
        description="Strings that ask prompt and rag for their instructions; 0: none.",
    )
    at_most: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="The largest flip rate that would do; the verdict says whether it is kept.",
    )

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if self.into is not None and self.into in (self.protect or ()):
            raise ValueError(f"label {self.into!r} cannot be protected and wanted at once")
        return self
