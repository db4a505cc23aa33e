"""Task files as text: safe YAML, and one clear line for the first thing that is wrong."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError

from whichlever.errors import TaskError

MAX_TASK_BYTES = 1_000_000
"""A task file is written by hand; anything larger is not one."""

TaskText = tuple[dict[str, Any], yaml.Node]
"""The values of a task file, and the nodes that know their lines."""


def read_text(path: Path) -> str:
    """The text of a task file.

    Raises
    ------
    TaskError
        It is not there, too large, or not UTF-8.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_TASK_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise TaskError(
            f"{path}: cannot be read ({reason}); make one with: whichlever init --pack triage DIR"
        ) from error
    if len(content) > MAX_TASK_BYTES:
        raise TaskError(f"{path}: larger than {MAX_TASK_BYTES} bytes; is this a task file?")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TaskError(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8") from error


def parse_yaml(text: str, name: str) -> TaskText:
    """The mapping that ``text`` holds; ``name`` is what errors call it.

    Raises
    ------
    TaskError
        Not YAML, nested too deeply, or not a mapping; aliases, tags and repeated keys are refused.
    """
    _refuse_control_characters(text, name)
    loader = _TaskLoader(text)
    try:
        node = loader.get_single_node()
        values = loader.construct_document(node) if node is not None else None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}:" if mark else ""
        said = (getattr(error, "context", None), getattr(error, "problem", None))
        problem = ", ".join(part for part in said if part) or "not valid YAML"
        raise TaskError(f"{name}:{where} {problem}") from error
    except RecursionError as error:
        raise TaskError(f"{name}: nested too deeply; a task needs four levels") from error
    except ValueError as error:  # a number of thousands of digits
        raise TaskError(f"{name}: {error}") from error
    finally:
        loader.dispose()
    if node is None or not isinstance(values, dict):
        raise TaskError(f"{name}: a task is a mapping of keys to values (task: ..., data: ...)")
    return values, node


def nearest(name: str, known: Iterable[str], shown: int = 12) -> str:
    """What to add to "unknown ``name``": the nearest known name, else the first few of them."""
    names = [str(k) for k in known]
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if not close:
        folded = {k.casefold(): k for k in names}
        close = difflib.get_close_matches(name.casefold(), list(folded), n=1, cutoff=0.5)
        close = [folded[c] for c in close]
    if close:
        return f"; did you mean {close[0]!r}?"
    more = ", ..." if len(names) > shown else ""
    return f" (known: {', '.join(sorted(names)[:shown])}{more})" if names else ""


def first_problem(model: type[BaseModel], error: ValidationError, read: TaskText) -> str:
    """One line for the first thing wrong, unknown keys first, with the nearest right key."""
    problems = sorted(error.errors(), key=lambda p: p["type"] != "extra_forbidden")
    problem = problems[0]
    values, node = read
    loc = _written(values, problem["loc"], missing=problem["type"] == "missing")
    where = ".".join(loc)
    line = f"line {_line(node, loc)}: "
    if problem["type"] == "extra_forbidden":
        fields = _fields_at(model, [str(part) for part in problem["loc"][:-1]])
        return f"{line}unknown key {where!r}{nearest(loc[-1], fields)}"
    if problem["type"] == "missing":
        return f"{line}{where} is missing"
    # A value that fits no side of a union has one problem per side, at the same place.
    said = [
        _plain_words(p["msg"])
        for p in problems
        if p["loc"][: len(loc)] == problem["loc"][: len(loc)]
    ]
    message = ", or ".join(dict.fromkeys(said)) if loc else said[0]
    return f"{line}{where}: {message}" if where else f"{message}"


def _refuse_control_characters(text: str, name: str) -> None:
    """YAML holds none; say where the first one stands."""
    found = yaml.reader.Reader.NON_PRINTABLE.search(text)
    if found:
        line = text.count("\n", 0, found.start()) + 1
        raise TaskError(
            f"{name}: line {line}: the character U+{ord(found.group()):04X} cannot stand in YAML; "
            "remove it"
        )


class _TaskLoader(yaml.SafeLoader):
    """Safe YAML without aliases (bombs), tags, repeated keys, or ``no`` read as false."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        mark: Any = event.start_mark
        if isinstance(event, yaml.AliasEvent):
            raise yaml.composer.ComposerError(
                None, None, "aliases are not allowed; write the value out", mark
            )
        if getattr(event, "tag", None):
            raise yaml.composer.ComposerError(
                None, None, f"tags ({event.tag}) are not allowed", mark
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """A mapping whose keys are the very words that were written (``007``, ``no``, ``1.0``)."""
        values: dict[Any, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(
                    None, None, "a key is a single word", key.start_mark
                )
            if key.value in values:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} stands twice", key.start_mark
                )
            values[key.value] = self.construct_object(value, deep=True)
        return values


# YAML 1.2 booleans only: a label called "no" or "off" stays a word. Dates stay text, and so do
# numbers that would not print the same again (007, 0x10, 12:30).
_TaskLoader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern)
        for tag, pattern in resolvers
        if tag.rpartition(":")[2] not in ("timestamp", "bool", "int", "float", "merge", "value")
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_TaskLoader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
_TaskLoader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"^[-+]?(?:0|[1-9][0-9_]*)$"), list("-+0123456789")
)
_TaskLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(
        r"^(?:[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
    ),
    list("-+0123456789."),
)


def _written(values: Any, loc: Sequence[str | int], *, missing: bool) -> list[str]:  # noqa: ANN401
    """The part of an error's location that stands in the file, without pydantic's union tags."""
    written: list[str] = []
    for i, part in enumerate(loc):
        inside = (isinstance(values, dict) and part in values) or (
            isinstance(values, list) and isinstance(part, int) and part < len(values)
        )
        if not inside:
            if missing and i == len(loc) - 1:
                written.append(str(part))
            break
        written.append(str(part))
        values = values[part]
    return written


def _line(node: yaml.Node, loc: Sequence[str]) -> int:
    """The line (from 1) on which the deepest part of ``loc`` that is written begins."""
    line = node.start_mark.line
    for part in loc:
        if isinstance(node, yaml.MappingNode):
            pairs = {key.value: (key, value) for key, value in node.value}
            if part not in pairs:
                break
            line, node = pairs[part][0].start_mark.line, pairs[part][1]
        elif isinstance(node, yaml.SequenceNode) and part.isdigit():
            node = node.value[int(part)]
            line = node.start_mark.line
        else:
            break
    return int(line) + 1


def _fields_at(model: type[BaseModel], loc: Sequence[str]) -> list[str]:
    """The field names of the model found by walking ``loc`` from ``model``."""
    current: Any = model
    for part in loc:
        current = _step(current, part)
    inner = _model_in(current)
    return list(inner.model_fields) if inner else []


def _step(annotation: Any, part: str) -> Any:  # noqa: ANN401 - typing constructs
    model = annotation if isinstance(annotation, type) else None
    if model is not None and issubclass(model, BaseModel):
        field = model.model_fields.get(part)
        return field.annotation if field else None
    if get_origin(annotation) in (dict, list):
        return get_args(annotation)[-1]  # any key of a mapping leads to its values
    for side in get_args(annotation):
        found = _step(side, part)
        if found is not None:
            return found
    return None


def _model_in(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401 - a typing construct
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in get_args(annotation):
        found = _model_in(part)
        if found is not None:
            return found
    return None


def _plain_words(message: str) -> str:
    message = message.removeprefix("Value error, ").replace("Input should be", "should be")
    return re.sub(
        r"a valid dictionary( or (instance of|object to extract fields from) ?\w*)?",
        "a mapping (key: value)",
        message,
    )
