"""The folder that ``whichlever init --pack triage DIR`` makes.

Texts stand in ``files/``; alerts, truth and recorded answers are simulated on the spot from a
seed.
"""

from __future__ import annotations

import json
from collections import Counter
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from whichlever.data.simulate import write_jsonl
from whichlever.packs.triage.causes import LABELS
from whichlever.packs.triage.frontier import recorded
from whichlever.packs.triage.simulate import bayes_score, label_error_rate, simulate
from whichlever.packs.triage.template.formats import FORMATS, Format, in_format, write_rows

ROWS = 4000
NEWEST = 0.25
"""The share that the template's split keeps for the test."""
GROUP = """\
  group: incident     # alerts of one incident are alike: intervals and tests count incidents
"""
INCIDENT = """\
  incident: incident       # the true incident, known here, so that grouping can be scored
"""


def write_template(folder: Path, seed: int = 0, rows: int = ROWS, format: str = "native") -> None:
    """Write task, README, runbooks, simulated alerts, their truth and recorded answers.

    The same seed writes the same bytes. ``format`` is native, or one of `formats.FORMATS`.
    """
    other = FORMATS.get(format)
    drawn = simulate(rows, seed)
    truth = [item.truth() for item in drawn]
    newest = [line["id"] for line in truth[-int(rows * NEWEST) :]]
    best = bayes_score(truth, newest)
    counts = Counter(item.row["label"] for item in drawn)
    facts = {
        "simulated": True,
        "seed": seed,
        "rows": rows,
        "labels": {label: counts[label] for label in LABELS},
        "label_error_rate": round(label_error_rate(), 4),
        "best_possible": {
            "on": f"the newest {len(newest)} rows",
            "accuracy": round(best.accuracy, 3),
            "macro_f1": round(best.macro_f1, 3),
            "macro_f1_on_the_labels_drawn": round(best.realised or 0.0, 3),
        },
    }
    words = {
        "@ROWS@": str(rows),
        "@SEED@": str(seed),
        "@NEWEST@": str(len(newest)),
        "@BAYES_F1@": f"{best.macro_f1:.3f}",
        "@BAYES_REALISED@": f"{best.realised or 0.0:.3f}",
        "@BAYES_ACCURACY@": f"{best.accuracy:.3f}",
        "@ERRORS@": f"{label_error_rate():.1%}",
        "@COUNTS@": ", ".join(f"{counts[label]} {label}" for label in LABELS),
        # Other products' records have no place for the company's own incident numbers.
        "@GROUP@\n": GROUP if other is None else "",
        "@INCIDENT@\n": INCIDENT if other is None else "",
    }
    _copy(files(__name__) / "files", folder, words, other)
    if other is None:
        write_jsonl(folder / "data" / "alerts.jsonl.gz", (item.row for item in drawn))
    else:
        write_rows(folder, other, (item.row for item in drawn))
    write_jsonl(folder / "data" / "truth.jsonl", truth)
    write_jsonl(folder / "recorded" / "simulated-frontier.jsonl", recorded(drawn, seed))
    text = json.dumps(facts, indent=2, sort_keys=True) + "\n"
    (folder / "data" / "simulated.json").write_text(text, encoding="utf-8")


def _copy(source: Traversable, target: Path, words: dict[str, str], format: Format | None) -> None:
    """Copy the texts, with the figures of this simulation put in their places."""
    target.mkdir(parents=True, exist_ok=True)
    for item in source.iterdir():
        if item.is_dir():
            _copy(item, target / item.name, words, format)
        else:
            text = item.read_text(encoding="utf-8")
            text = text if format is None else in_format(item.name, text, format)
            for mark, word in words.items():
                text = text.replace(mark, word)
            (target / item.name).write_text(text, encoding="utf-8", newline="\n")
