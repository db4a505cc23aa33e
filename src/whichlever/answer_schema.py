"""The JSON schema that answers of `kind: generate` are to satisfy, and whether one does."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from referencing import Registry, Resource
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from whichlever.errors import TaskError
from whichlever.task import Task

MOST_SCHEMA, MOST_ANSWER = 2**20, 2**20
"""Bytes of a schema's file, and characters of an answer; a longer answer is not valid."""


class AnswerSchema:
    """Tells whether an answer is JSON and fits.

    Parameters
    ----------
    document
        A JSON schema (draft 2020-12). References go within it: nothing is fetched.

    Raises
    ------
    TaskError
        It is no JSON schema, or refers to another document.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = dict(document)
        away = _reference_away(self.document)
        if away is not None:
            raise TaskError(
                f"answer_schema refers to {away[:80]!r}; nothing is fetched, so put it under $defs"
            )
        try:
            Draft202012Validator.check_schema(self.document)
        except SchemaError as error:
            place = "/".join(str(step) for step in error.absolute_path)
            raise TaskError(
                f"answer_schema is no JSON schema: {error.message[:200]} (at /{place})"
            ) from None
        _refuse_dead_ends(self.document)
        self._validator = Draft202012Validator(self.document, registry=Registry())

    @classmethod
    def of(cls, task: Task) -> AnswerSchema | None:
        """The task's schema; None where it has none.

        Raises
        ------
        TaskError
            As above, or its file cannot be read.
        """
        given = task.answer_schema
        if given is None:
            return None
        return cls(given if isinstance(given, Mapping) else _read(task.path(given)))

    def fits(self, answer: str | None) -> bool:
        """Whether the answer is JSON that satisfies the schema."""
        if answer is None or len(answer) > MOST_ANSWER:
            return False
        try:
            value = json.loads(answer)
            return bool(self._validator.is_valid(value))
        except (ValueError, RecursionError):
            return False


def _read(path: Path) -> Mapping[str, Any]:
    try:
        if path.stat().st_size > MOST_SCHEMA:
            raise TaskError(f"answer_schema: {path.name} is larger than {MOST_SCHEMA:,} bytes")
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise TaskError(f"answer_schema: {path} cannot be read ({error})") from None
    except (yaml.YAMLError, RecursionError):
        raise TaskError(f"answer_schema: {path.name} is neither JSON nor YAML") from None
    if not isinstance(found, Mapping):
        raise TaskError(f"answer_schema: {path.name} holds no object; a JSON schema is one")
    return found


def _refuse_dead_ends(document: Mapping[str, Any]) -> None:
    """Refuse now what would only be met with the first answer that leads there."""
    root = Resource.from_contents(document, default_specification=DRAFT202012)
    resolver = Registry[Any]().with_resource("", root).resolver()
    for key, said in _texts(document):
        try:
            if key == "$ref":
                resolver.lookup(said)
            elif key == "pattern":
                re.compile(said)
        except Unresolvable:
            raise TaskError(f"answer_schema refers to {said[:80]!r}, which is not in it") from None
        except re.error as error:
            raise TaskError(f"answer_schema: pattern {said[:80]!r}: {error}") from None


def _reference_away(document: Mapping[str, Any]) -> str | None:
    """The first reference to another document."""
    for key, said in _texts(document):
        if key in ("$ref", "$dynamicRef") and not said.startswith("#"):
            return said
    return None


def _texts(value: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - JSON
    """Every member that is a text, at any depth, by its name."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Mapping):
            yield from ((key, said) for key, said in one.items() if isinstance(said, str))
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
