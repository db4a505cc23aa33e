"""A task folder from one's own material: a folder of documents and a file of pairs."""

from __future__ import annotations

import csv
import gzip
import io
import json
import shutil
from pathlib import Path
from typing import Any, NamedTuple

from whichlever.closed import looks_closed
from whichlever.data.read import read_dataset
from whichlever.data.rows import Dataset
from whichlever.documents.folder import Folder, read_folder
from whichlever.errors import DataError, InputError
from whichlever.task import Task

ENDINGS = (".jsonl", ".jsonl.gz", ".csv", ".csv.gz")
MOST_BYTES = 512 * 2**20
GROUPS = ("group", "site", "customer", "client", "service", "project")
"""Columns that say where a pair comes from, in this order; the test is then about others."""

LEAST_GROUPS, LEAST_ROWS = 12, 40

LOOKED_AT, HEAD = 200, 4 * 2**20
"""Rows in which columns are looked for, and bytes at the file's beginning."""


class Made(NamedTuple):
    """How many pairs and answers, whether these are a closed set, and which documents."""

    pairs: int
    answers: int
    closed: bool
    group: str | None
    documents: int
    left_out: tuple[tuple[str, str], ...]


def write_own(folder: Path, documents: Path | None, pairs: Path) -> Made:
    """Write task, README, pairs and documents.

    Parameters
    ----------
    folder
        An empty folder, or none yet.
    documents
        A folder of text and markdown files; links, hidden files and others are left out.
    pairs
        JSON lines or CSV with ``input`` and ``output``, and where it is known ``id`` and one of
        `GROUPS`.

    Raises
    ------
    InputError
        The file is of another kind, or too large, or has no such columns.
    DataError
        A row cannot be read, or there are too few.
    TaskError
        There is no such folder of documents.
    """
    ending = next((e for e in sorted(ENDINGS, key=len)[::-1] if pairs.name.endswith(e)), None)
    if ending is None or not pairs.is_file():
        raise InputError(f"{pairs}: give a file of pairs that ends with {', '.join(ENDINGS)}")
    if pairs.stat().st_size > MOST_BYTES:
        raise InputError(f"{pairs}: larger than {MOST_BYTES // 2**20} MiB")
    columns = _columns(pairs)
    missing = [name for name in ("input", "output") if name not in columns]
    if missing:
        raise InputError(
            f"{pairs}: no column {missing[0]!r}; a pair has input and output (columns there: "
            f"{', '.join(sorted(columns)[:10]) or 'none'})"
        )
    found = Folder({}, ()) if documents is None else read_folder(documents, texts=True)
    (folder / "data").mkdir(parents=True)
    rows = f"data/pairs{ending}"
    shutil.copyfile(pairs, folder / rows)
    ident = "id" if "id" in columns else None
    group = next((name for name in GROUPS if name in columns), None)
    dataset = _read(folder, rows, ident, group)
    if group is not None and len({row.group for row in dataset.rows}) < LEAST_GROUPS:
        group = None
    targets = [row.target or "" for row in dataset.rows]
    closed = looks_closed(targets)
    kept = _write_documents(folder, found)
    made = Made(len(targets), len(set(targets)), closed, group, kept, found.left_out)
    (folder / "task.yaml").write_text(_task(rows, ident, made), encoding="utf-8")
    (folder / "README.md").write_text(_readme(rows, made), encoding="utf-8")
    return made


def _read(folder: Path, rows: str, ident: str | None, group: str | None) -> Dataset:
    """The pairs as a comparison will read them."""
    data: dict[str, Any] = {"rows": rows, "input": "input", "target": "output"}
    data |= {k: v for k, v in (("id", ident), ("group", group)) if v is not None}
    known = {"version": 1, "task": "copilot", "kind": "generate", "data": data}
    text = json.dumps({**known, "answers": "open"})  # whether they are is seen afterwards
    dataset = read_dataset(Task.parse(text, folder=folder))
    if len(dataset.rows) < LEAST_ROWS:
        raise DataError(
            f"{len(dataset.rows)} pairs; at least {LEAST_ROWS} are needed to train, choose and test"
        )
    return dataset


def _columns(path: Path) -> set[str]:
    """The columns that the first rows have."""
    try:
        with path.open("rb") as raw, gzip.GzipFile(fileobj=raw) as opened:
            head = opened.read(HEAD) if path.name.endswith(".gz") else raw.read(HEAD)
        text = head.decode("utf-8-sig", "replace")
        if ".csv" in path.name:
            found = set(next(csv.reader(io.StringIO(text)), []))
        else:
            lines = text.splitlines() if len(head) < HEAD else text.splitlines()[:-1]
            rows = [json.loads(line) for line in lines[:LOOKED_AT] if line.strip()]
            found = {name for row in rows if isinstance(row, dict) for name in row}
    except (OSError, EOFError, ValueError, RecursionError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read as pairs ({error})") from None
    return found


def _write_documents(folder: Path, found: Folder) -> int:
    kept = {name: d.text for name, d in found.documents.items() if d.text is not None}
    for name, text in kept.items():
        path = folder / "documents" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
    return len(kept)


def _task(rows: str, ident: str | None, made: Made) -> str:
    columns = [f"  rows: {rows}"]
    columns += [] if ident is None else [f"  id: {ident}"]
    columns += ["  input: input", "  target: output"]
    by = "random"
    if made.group is not None:
        columns.append(f"  group: {made.group}   # the test is about others than were trained on")
        by = "group"
    columns.append(f"  split: {{by: {by}, valid: 0.15, calibrate: 0.15, test: 0.25}}")
    answers = f"answers: {'closed' if made.closed else 'open'}   # {made.answers} different ones"
    reads = "documents: documents\n" if made.documents else ""
    ask = "  prompt: {model: smollm2-135m-instruct, shots: 4, minutes: 2}\n"
    rag = "{model: smollm2-135m-instruct, minutes: 2}" if made.documents else "{vote_only: true}"
    levers = (
        ("  linear: {minutes: 2}\n" if made.closed else "")
        + f"{ask}  rag: {rag}\n  finetune:\n"
        + f"    rungs: [{'static, ' if made.closed else ''}decoder]\n"
    )
    head = "# Made by whichlever init --pack copilot from your own pairs"
    return (
        f"{head}{' and documents' if made.documents else ''}; change what is not so.\n"
        f"version: 1\ntask: copilot\nkind: generate\nabout: Answer as our people do.\n\n"
        "data:\n" + "\n".join(columns) + f"\n\n{answers}\n{reads}\n"
        "constraints:\n  calls_per_month: 100_000\n  data_may_leave: false\n"
        "  knowledge_changes: monthly\n\n"
        f"goal:\n  metric: {'exact_match' if made.closed else 'token_f1'}\n  margin: 0.02\n\n"
        f"levers:\n{levers}    decoder: {{epochs: 3, minutes: 20}}\n"
    )


def _readme(rows: str, made: Made) -> str:
    cited = ""
    if made.documents:
        cited = """
`whichlever serve model.wl --key team.pub --documents documents` cites every answer from the
documents as they are at the time. Where an answer has a value that changes, such as a price, write
a slot in its place before training (`A crown costs {fee for a crown}.`): the served answer then has
the value of the line or table row that names it, and says which.
"""
    left = "".join(f"- {name}: {why}\n" for name, why in made.left_out[:50])
    left = f"\nDocuments that were left out:\n\n{left}" if left else ""
    what = "a closed set of answers" if made.closed else "open answers"
    return f"""# A co-pilot from your own pairs

{made.pairs:,} pairs (`{rows}`), {made.answers:,} different answers, taken for {what};
{made.documents} documents.

    whichlever compare task.yaml -o run                          every lever on the same test rows
    whichlever pack run --lever finetune-decoder -o model.wl     or the lever that the verdict pulls
    whichlever serve model.wl --allow-unsigned                   OpenAI's chat on loopback
{cited}{left}"""
