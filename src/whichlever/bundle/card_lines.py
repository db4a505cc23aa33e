"""The card's part about fields of lines: shapes apart, sources apart, and made-up values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from whichlever.bundle.markdown import escaped, figure, table

SOURCES_SHOWN = 40


def by_slice(summary: Mapping[str, Any]) -> list[str]:
    """Scores by shape and by source; nothing where the task is one of labels."""
    lines = summary.get("lines")
    if not isinstance(lines, dict):
        return []
    slices = [s for s in lines.get("slices") or () if isinstance(s, dict)]
    out = ["## By shape and source", ""]
    for by, head, most in (("shape", "shapes", 2), ("source", "source", SOURCES_SHOWN)):
        rows = [
            [
                escaped(s.get("name")),
                figure(s.get("rows")),
                figure(s.get("micro_f1")),
                figure(s.get("line_exact")),
            ]
            for s in slices
            if s.get("by") == by
        ]
        if rows:
            out += [*table((head, "test lines", "micro-F1", "whole lines right"), rows[:most]), ""]
        if len(rows) > most:
            out += [f"{len(rows) - most} more in evidence/measures.json.", ""]
    made = (summary.get("metrics") or {}).get("invented")
    out.append(
        f"- Values made up (that stand nowhere in their line): {figure(lines.get('made_up'))}, "
        f"a share of {figure(made)}."
    )
    return [*out, ""]
