"""The base of every record that is written to RUN as JSON."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """A frozen record that round-trips through JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null")
