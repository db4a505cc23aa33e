"""The same simulated company in another product's format: what changes in the folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from whichlever.data.simulate import write_jsonl
from whichlever.packs.triage.as_elastic import as_elastic
from whichlever.packs.triage.as_ocsf import as_ocsf

NATIVE_TASK = """\
pack: triage@1        # reads Wazuh, Suricata and plain JSON, and renders them as short, steady text
"""
NATIVE_DATA = """\
  rows: data/alerts.jsonl.gz
  id: id
  target: label       # what an analyst wrote down; about @ERRORS@ of it is wrong, as in life
"""
NATIVE_FILE = "| `data/alerts.jsonl.gz` | @ROWS@ alerts over six months as Wazuh and Suricata write"
NATIVE_PLACE = " them, under `alert`, with the analyst's `label` beside"


@dataclass(frozen=True)
class Format:
    """One format: its file, how a row is written, and its part of task.yaml and README."""

    file: str
    convert: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    reads: str
    place: str
    target: str


FORMATS = {
    "ecs": Format(
        file="data/alerts.ndjson.gz",
        convert=as_elastic,
        reads="reads Elastic detection alerts, and renders them as short, steady text",
        place=" as Elastic Security holds them, one search hit a line, with the analyst's workflow",
        target="""\
  target: verdict     # closing reason, else tags, else status; about @ERRORS@ of it is wrong
  target_map:         # what these say → a label; anything else is a row without a label
    true_positive: critical
    Further Investigation Required: investigate
    false_positive: noise
""",
    ),
    "ocsf": Format(
        file="data/findings.jsonl.gz",
        convert=as_ocsf,
        reads="reads OCSF findings, and renders them as short, steady text",
        place=" as OCSF Detection Findings, with the analyst's `verdict` inside",
        target="""\
  target: verdict     # the finding's verdict; about @ERRORS@ of it is wrong, as in life
  target_map:         # what it says → a label; anything else is a row without a label
    True Positive: critical
    Suspicious: investigate
    False Positive: noise
""",
    ),
}


def in_format(name: str, text: str, format: Format) -> str:
    """A template's text with what this format changes; ValueError where it cannot be found."""
    if name == "task.yaml":
        head = f"pack: triage@2        # {format.reads}\n"
        text = _swap(text, NATIVE_TASK, head)
        data = f"  rows: {format.file}\n  id: id\n{format.target}"
        return _swap(text, NATIVE_DATA, data)
    if name == "README.md":
        text = _swap(text, NATIVE_FILE, f"| `{format.file}` | @ROWS@ alerts over six months")
        return _swap(text, NATIVE_PLACE, format.place)
    return text


def write_rows(folder: Path, format: Format, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write the simulated rows in the format."""
    write_jsonl(folder / format.file, (format.convert(row) for row in rows))


def _swap(text: str, old: str, new: str) -> str:
    if text.count(old) != 1:
        raise ValueError(f"the template does not hold {old.splitlines()[0]!r} once")
    return text.replace(old, new)
