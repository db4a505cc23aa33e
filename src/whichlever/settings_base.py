"""What every part of a task file is made of: strict models, and lists without repeats."""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

T = TypeVar("T")


def different(values: list[T]) -> list[T]:
    """The same values; refuses one that stands there twice."""
    for i, value in enumerate(values):
        if value in values[:i]:
            raise ValueError(f"{value!r} stands there twice; once is enough")
    return values


Choices = Annotated[
    list[T],
    AfterValidator(different),
    Field(min_length=1, json_schema_extra={"uniqueItems": True}),
]
"""At least one, each another: every one of them is tried."""

Window = Annotated[int, Field(ge=1)] | Literal["all"]


class Model(BaseModel):
    """Strict about keys, frozen once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
