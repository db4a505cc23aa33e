"""Mail files to rows that a task reads: one line a mail, near-duplicates tied."""

from __future__ import annotations

import datetime
import gzip
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from whichlever.data.duplicates import exact_keys, near_pairs
from whichlever.mail.mailbox import raw_mails
from whichlever.mail.parse import read_message
from whichlever.packs.phishing.render import render_message
from whichlever.progress import Progress
from whichlever.run import written_aside


def collect_rows(
    given: Sequence[tuple[Path, str]], out: Path, progress: Progress
) -> dict[str, Any]:
    """Write the mails of (path, label) as rows.

    Returns
    -------
    dict
        ``mails`` (label and source → count), ``threads`` (groups of near-duplicates), ``skipped``
        (what could not be read, one line each).

    Raises
    ------
    DataError
        A path is not there.
    """
    rows: list[dict[str, Any]] = []
    texts: list[str] = []
    skipped: list[str] = []
    with progress.step("read mail") as bar:
        for path, label in given:
            for where, raw in raw_mails(path):
                bar.advance()
                if not isinstance(raw, bytes):
                    skipped.append(str(raw))
                    continue
                message = read_message(raw)
                when = message.date
                rows.append({
                    "id": where, "eml": raw.decode("utf-8", "surrogateescape"), "label": label,
                    "source": path.name, "time": None if when is None else _iso(when),
                })  # fmt: skip
                texts.append(render_message(message))
    with progress.step("tie near-duplicates"):
        groups = _tied(texts)
    lines = (
        json.dumps(row | {"thread": f"g{group}"}) + "\n"
        for row, group in zip(rows, groups, strict=True)
    )
    with written_aside(out) as aside, aside.open("wb") as file:
        if out.suffix == ".gz":
            with gzip.open(file, "wt") as packed:
                packed.writelines(lines)
        else:
            file.writelines(line.encode() for line in lines)
    counts = Counter(f"{row['label']} {row['source']}" for row in rows)
    return {
        "mails": dict(sorted(counts.items())), "threads": len(set(groups)), "skipped": skipped,
        "out": str(out),
    }  # fmt: skip


def _tied(texts: Sequence[str]) -> list[int]:
    """For each text the first one that it is tied to by exact or near duplicates, of duplicates."""
    keys = exact_keys(texts)
    firsts: dict[int, int] = {}
    for at, key in enumerate(keys):
        firsts.setdefault(key, at)
    once = list(firsts.values())
    parent = {at: at for at in once}

    def root(at: int) -> int:
        while parent[at] != at:
            parent[at] = parent[parent[at]]
            at = parent[at]
        return at

    earlier, later = near_pairs([texts[at] for at in once])
    for a, b in zip(earlier.tolist(), later.tolist(), strict=True):
        low, high = sorted((root(once[a]), root(once[b])))
        parent[high] = low
    return [root(firsts[key]) for key in keys]


def _iso(seconds: float) -> str | None:
    try:
        return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat()
    except (OverflowError, ValueError, OSError):
        return None
