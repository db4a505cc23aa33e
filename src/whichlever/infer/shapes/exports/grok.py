"""Shapes as grok: a file of patterns, and a Logstash filter that makes the fields of them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from whichlever.fields.schema import Schema
from whichlever.infer.shapes.exports.expressions import GROK, expression
from whichlever.infer.shapes.exports.fields import Captured, captured
from whichlever.infer.shapes.known import Known

PATTERNS_HEADER = "# Made by whichlever logs export: one pattern a compiled shape.\n"


class Patterns:
    """Named patterns; an expression that stands in many places is written once."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._shapes: list[tuple[str, str]] = []

    def of(self, inside: str) -> str:
        """Return the name of an expression's pattern."""
        return self._names.setdefault(inside, f"WLV{len(self._names)}")

    def add(self, known: Known) -> None:
        """Enter a shape; capture ``n`` of it is called ``wl_<shape>_<n>``."""
        text = expression(
            known.skeleton,
            GROK,
            lambda index, inside: f"%{{{self.of(inside)}:{capture(known, index)}}}",
        )
        self._shapes.append((pattern_name(known), f"\\A{text}\\Z"))

    def file(self) -> str:
        """Write the file, parts before what is made of them."""
        parts = [f"{name} {inside}\n" for inside, name in self._names.items()]
        return PATTERNS_HEADER + "".join(parts) + "".join(f"{n} {t}\n" for n, t in self._shapes)


def pattern_name(known: Known) -> str:
    """Return the name of a shape's pattern."""
    return f"WHICHLEVER_{known.name}"


def capture(known: Known, index: int) -> str:
    """Return the name of one capture of a shape: plain letters, for every grok."""
    return f"wl_{known.name}_{index}"


def logstash(shapes: Sequence[Known], schema: Schema) -> str:
    """Write a Logstash filter; pattern files are looked for in ``patterns`` beside it."""
    matches = ",\n".join(f'        "%{{{pattern_name(known)}}}"' for known in shapes)
    blocks = [
        "# Made by whichlever logs export: compiled shapes for Logstash.\n"
        "filter {\n"
        "  grok {\n"
        '    patterns_dir => ["./patterns"]\n'
        "    match => {\n"
        f'      "message" => [\n{matches}\n      ]\n'
        "    }\n"
        "    break_on_match => true\n"
        "  }\n"
    ]
    blocks += [_fields(known, schema) for known in shapes]
    return "".join(blocks) + "}\n"


def _fields(known: Known, schema: Schema) -> str:
    """Fields of one shape: copied from its captures, converted, the captures removed."""
    if not known.skeleton.named:
        return ""
    fields = captured(known.skeleton, schema)
    first = f"[{capture(known, 0)}]"
    out = [f"  if {first} {{\n"]
    for one in fields:
        out += [f"    {step}\n" for step in _steps(one, known)]
    gone = ", ".join(f'"{capture(known, i)}"' for i in range(len(known.skeleton.named)))
    out.append(f'    mutate {{ add_field => {{ "[whichlever][shape]" => "{known.name}" }} }}\n')
    out.append(f"    mutate {{ remove_field => [{gone}] }}\n  }}\n")
    return "".join(out)


def reference(name: str) -> str:
    """Write a Logstash field reference: ``[source][ip]``."""
    return "".join(f"[{piece}]" for piece in name.split("."))


def _steps(one: Captured, known: Known) -> list[str]:
    target = reference(one.name)
    source = capture(known, one.captures[0])
    if one.rule.normalise == "timestamp" and one.format is not None:
        return [_date(one, source, target)]
    steps = [f'mutate {{ copy => {{ "{source}" => "{target}" }} }}']
    for index in one.captures[1:]:
        steps.append(f'mutate {{ merge => {{ "{target}" => "{capture(known, index)}" }} }}')
    change = {
        "int": f'convert => {{ "{target}" => "integer" }}',
        "number": f'convert => {{ "{target}" => "float" }}',
        "lower": f'lowercase => ["{target}"]',
        "upper": f'uppercase => ["{target}"]',
        "whitespace": f'gsub => ["{target}", "\\s+", " "]',
    }.get(one.rule.normalise)
    if one.rule.normalise == "mac":
        steps.append(f'mutate {{ uppercase => ["{target}"] }}')
        change = f'gsub => ["{target}", "[:.]", "-"]'
    if change:
        steps.append(f"mutate {{ {change} }}")
    return steps


def _date(one: Captured, source: str, target: str) -> str:
    assert one.format is not None
    pattern = one.format.joda()
    # A day of the month may be padded with a blank: both are tried.
    patterns = [pattern] + ([pattern.replace("MMM d", "MMM  d")] if "MMM d" in pattern else [])
    shown = ", ".join(f'"{p}"' for p in patterns)
    zone = ""
    if one.format.zone:
        name = "Etc/UTC" if one.format.zone == "UTC" else one.format.zone
        zone = f' timezone => "{name}"'
    return f'date {{ match => ["{source}", {shown}]{zone} target => "{target}" }}'


SAFE = re.compile(r"[^A-Za-z0-9.-]+")
