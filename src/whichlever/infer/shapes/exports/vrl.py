"""Shapes as a program in Vector's VRL: one attempt a shape, best supported first."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from whichlever.fields.schema import Schema
from whichlever.infer.shapes.exports.expressions import RUST, expression, refuses_nothing
from whichlever.infer.shapes.exports.fields import Captured, captured
from whichlever.infer.shapes.known import Known
from whichlever.infer.shapes.shape import Skeleton

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
HEADER = """\
# Made by whichlever logs export: compiled shapes as Vector Remap Language.
# Reads .message; on a match it sets the fields and .whichlever.shape, else it leaves the event be.
line = to_string(.message) ?? ""
known = false
"""


def program(shapes: Sequence[Known], schema: Schema) -> str:
    """Write the program of some shapes."""
    return HEADER + "".join(_attempt(known, schema) for known in shapes)


def _attempt(known: Known, schema: Schema) -> str:
    skeleton = known.skeleton
    regex = expression(skeleton, RUST, lambda index, inside: f"(?P<f{index}>{inside})")
    lines = [
        "if !known {",
        f"  m, err = parse_regex(line, r'\\A{regex}\\z')",
        "  if err == null {",
    ]
    for index in range(len(skeleton.named)):
        lines.append(f"    f{index} = string!(m.f{index})")
    checks = [f"!match(f{index}, r'\\A-{{1,3}}\\z')" for index in _refusing(skeleton)]
    lines.append(f"    if {' && '.join(checks) or 'true'} {{")
    for one in captured(skeleton, schema):
        lines += [f"      {statement}" for statement in _assign(one)]
    lines.append(f'      .whichlever.shape = "{known.name}"')
    lines += ["      known = true", "    }", "  }", "}"]
    return "\n".join(lines) + "\n"


def _refusing(skeleton: Skeleton) -> Iterator[int]:
    for index, one in enumerate(skeleton.named):
        part = skeleton.parts[one.first]
        if one.first == one.last and not isinstance(part, str) and refuses_nothing(part):
            yield index


def _assign(one: Captured) -> list[str]:
    target = path(one.name)
    if len(one.captures) == 1:
        return [f"{target} = {_value(one, f'f{one.captures[0]}')}"]
    values = ", ".join(_value(one, f"f{index}") for index in one.captures)
    made = [f"{target} = unique([{values}])"]
    return [*made, f"if length({target}) == 1 {{ {target} = {target}[0] }}"]


def path(name: str) -> str:
    """Write a field's path: ``.source.ip``, ``."@timestamp"``."""
    return "".join(
        f".{piece}" if _PLAIN.fullmatch(piece) else f".{json.dumps(piece)}"
        for piece in name.split(".")
    )


def _value(one: Captured, text: str) -> str:
    kind = one.rule.normalise
    if kind == "timestamp":
        return _timestamp(one, text)
    made = {
        "int": f"to_int({text}) ?? {text}",
        "number": f"to_int({text}) ?? to_float({text}) ?? {text}",
        "lower": f"downcase({text})",
        "upper": f"upcase({text})",
        "mac": _mac(text),
        "whitespace": f"strip_whitespace(replace({text}, r'\\s+', \" \"))",
        "percent": f"decode_percent({text})",
    }
    return made.get(kind, text)


def _mac(text: str) -> str:
    bare = f"replace(upcase({text}), r'[^0-9A-F]', \"\")"
    pairs = f"replace({bare}, r'(..)', \"$1-\")"
    return f"replace({pairs}, r'-\\z', \"\")"


def _timestamp(one: Captured, text: str) -> str:
    found = one.format
    if found is None:
        return text
    if found.pattern == "epoch_ms":
        return f'from_unix_timestamp(to_int({text}) ?? 0, unit: "milliseconds") ?? {text}'
    if found.pattern == "epoch":
        whole = f"to_int(round((to_float({text}) ?? 0.0) * 1000.0))"
        return f'from_unix_timestamp({whole}, unit: "milliseconds") ?? {text}'
    pattern = found.chrono()
    if found.pattern.endswith(("Z", " UTC", " GMT")):
        pattern = re.sub("( ?)(?:Z|UTC|GMT)$", r"\1", pattern)
        size = 1 if found.pattern.endswith("Z") else 3
        text_said = f"slice({text}, 0, -{size}) ?? {text}"
        return f'parse_timestamp(({text_said}) + "+0000", "{pattern}%z") ?? {text}'
    said = text
    if found.year is not None:
        said, pattern = f'{said} + " {found.year}"', f"{pattern} %Y"
    if found.zone:
        if not re.fullmatch(r"[+-]\d{2}:\d{2}|UTC", found.zone):
            zone = json.dumps(found.zone)
            return f'parse_timestamp({said}, "{pattern}", timezone: {zone}) ?? {text}'
        offset = "+0000" if found.zone == "UTC" else found.zone.replace(":", "")
        said, pattern = f'{said} + " {offset}"', f"{pattern} %z"
    return f'parse_timestamp({said}, "{pattern}") ?? {text}'
