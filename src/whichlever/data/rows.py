"""Rows with their roles: what every later step is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from whichlever.fields.schema import Schema
from whichlever.predict import Row

Role = Literal["train", "valid", "calibrate", "test"]
ROLES: tuple[Role, ...] = ("train", "valid", "calibrate", "test")


@dataclass(frozen=True)
class Dataset:
    """Every row read, and the label order of the run.

    ``given`` maps row id to the role that the task's files or column gave it (empty where the
    split decides); ``labels`` is the declared order, else the sorted labels of all rows that are
    not test rows; ``fingerprint`` is the SHA-256 of the rows as read. Where the task has a
    ``workload``, ``entities`` maps row id to who and what the row names, and ``incidents`` to the
    incident it is known to belong to. ``unlabelled`` counts the rows left out because the target's
    value, the key here, means no label by ``data.target_map``.

    For `kind: extract`, ``labels`` are the names to copy out; ``shapes`` maps row id to the shape
    of its line (`line_shape`), ``files`` to the file it came from, where the task names one, and
    ``schema`` is what was learned of the names from rows outside test, once they are split.
    """

    rows: tuple[Row, ...]
    labels: tuple[str, ...]
    given: Mapping[str, Role] = field(default_factory=dict)
    fingerprint: str = ""
    entities: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    incidents: Mapping[str, str] = field(default_factory=dict)
    unlabelled: Mapping[str, int] = field(default_factory=dict)
    shapes: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    schema: Schema | None = None


@dataclass(frozen=True)
class Splits:
    """The rows of each role; ``test`` and ``calibrate`` are each in one random, stratified, frozen
    order.

    A lever that can afford only n test rows answers the first n, and pairs are formed on the
    common prefix.
    """

    train: tuple[Row, ...]
    valid: tuple[Row, ...]
    calibrate: tuple[Row, ...]
    test: tuple[Row, ...]
