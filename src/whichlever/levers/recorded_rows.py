"""Recorded rows in our own words, one a line: an id, a prediction, and what it used."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from whichlever.errors import DataError
from whichlever.levers.recorded_raw import Raw
from whichlever.llm.reply import one_line
from whichlever.predict import Usage
from whichlever.taskfile import nearest

CHARS_PER_TOKEN = 4
"""English prose in the tokenizers of 2023–2026; marked as an estimate wherever it is used."""

KEYS = (
    "id", "prediction", "tokens_in", "tokens_cached", "tokens_out", "chars_in", "chars_out",
    "seconds", "error", "model", "simulated",
)  # fmt: skip


def read_row(record: Mapping[str, Any], where: str) -> Raw:
    """One recorded row.

    Raises
    ------
    DataError
        One line: the file, the line, and what is wrong with it.
    """
    id_ = _id(record, where)
    numbers = {
        key: _number(record.get(key), key, where)
        for key in ("tokens_in", "tokens_cached", "tokens_out", "chars_in", "chars_out", "seconds")
    }
    tokens = {side: numbers[f"tokens_{side}"] for side in ("in", "out")}
    estimated = False
    for side in tokens:
        chars = numbers[f"chars_{side}"]
        if tokens[side] is None and chars is not None:
            tokens[side] = math.ceil(chars / CHARS_PER_TOKEN)
            estimated = True
    usage = Usage(
        tokens_in=_whole(tokens["in"]),
        tokens_cached=_whole(numbers["tokens_cached"]),
        tokens_out=_whole(tokens["out"]),
        seconds=numbers["seconds"],
        bytes_out=None,  # what left some other machine, some other day, is not known
        estimated=estimated,
    )
    prediction = record.get("prediction")
    if isinstance(prediction, dict):  # the fields of a line
        prediction = json.dumps(prediction, ensure_ascii=False)
    if isinstance(prediction, bool) or not isinstance(prediction, str | int | None):
        raise DataError(f"{where}: prediction is one label as text, an object of fields, or null")
    error, model = record.get("error"), record.get("model")
    return Raw(
        ids=(id_,),
        said=None if prediction is None else str(prediction),
        error=None if error is None or error == "" else one_line(str(error)),
        usage=usage,
        where=where,
        model=model if isinstance(model, str) and model else None,
    )


def _id(record: Mapping[str, Any], where: str) -> str:
    for key in record:
        if key not in KEYS:
            raise DataError(f"{where}: unknown key {key!r}{nearest(key, KEYS)}")
    id_ = record.get("id")
    if isinstance(id_, bool) or not isinstance(id_, str | int) or id_ == "":
        raise DataError(f"{where}: id is missing; it names the test row that was answered")
    if "prediction" not in record and record.get("error") is None:
        raise DataError(f"{where}: prediction is missing; write null with an error where it failed")
    return str(id_)


def _whole(number: float | None) -> int | None:
    return None if number is None else int(number)


def _number(value: Any, key: str, where: str) -> float | None:  # noqa: ANN401 - any JSON value
    """A count or a time; csv writes numbers as text and unknown as nothing."""
    if value is None or value == "":
        return None
    try:
        number = float(value) if not isinstance(value, bool) else math.nan
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not (math.isfinite(number) and 0 <= number < 2**53):
        raise DataError(f"{where}: {key} is {repr(value)[:40]}; write a number from 0 up, or null")
    return number
