"""Template mining on Loghub's ten systems: ours from at most 32 labelled lines, beside drain3.

    python bench/loghub.py [--data ../shared/data/logs/loghub2k] [--labels 32] [--seeds 5]

Scored as the public evaluators do (whichlever.measure.templates). The labelled lines are chosen in
two ways: `chosen`, by choose_lines, which sees the 2,000 lines and no label; and `random`, over
several seeds. drain3 runs on the same lines with its defaults, and with the masks of its own
example configuration. Writes docs/results/loghub.json and the tables of docs/results/loghub.md.
Needs: pip install 'whichlever[bench]'
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from drain3 import TemplateMiner
from drain3.masking import MaskingInstruction
from drain3.template_miner_config import TemplateMinerConfig

from whichlever.infer.templates import choose_lines, mine_templates
from whichlever.measure.templates import TemplateScores, score_templates

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data" / "logs" / "loghub2k"
PAGE = ROOT / "docs" / "results" / "loghub.md"
FIGURES = PAGE.with_suffix(".json")
# The priors' constants were set by hand while looking at the errors of these five.
TUNED_ON = ("Apache", "BGL", "Hadoop", "Proxifier", "Spark")
# drain3's examples/drain3.ini
MASKS = (
    (r"((?<=[^A-Za-z0-9])|^)(([0-9a-f]{2,}:){3,}([0-9a-f]{2,}))((?=[^A-Za-z0-9])|$)", "ID"),
    (r"((?<=[^A-Za-z0-9])|^)(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})((?=[^A-Za-z0-9])|$)", "IP"),
    (r"((?<=[^A-Za-z0-9])|^)([0-9a-f]{6,} ?){3,}((?=[^A-Za-z0-9])|$)", "SEQ"),
    (r"((?<=[^A-Za-z0-9])|^)([0-9A-F]{4} ?){4,}((?=[^A-Za-z0-9])|$)", "SEQ"),
    (r"((?<=[^A-Za-z0-9])|^)(0x[a-f0-9A-F]+)((?=[^A-Za-z0-9])|$)", "HEX"),
    (r"((?<=[^A-Za-z0-9])|^)([\-\+]?\d+)((?=[^A-Za-z0-9])|$)", "NUM"),
    (r"(?<=executed cmd )(\".+?\")", "CMD"),
)


def drain(lines: Sequence[str], *, masked: bool) -> list[str]:
    config = TemplateMinerConfig()
    config.profiling_enabled = False
    if masked:
        config.mask_prefix, config.mask_suffix = "<:", ":>"
        config.masking_instructions = [MaskingInstruction(p, n) for p, n in MASKS]
    miner = TemplateMiner(config=config)
    clusters = [miner.add_log_message(line)["cluster_id"] for line in lines]
    final = {
        c.cluster_id: re.sub(r"<:\w+:>", "<*>", c.get_template()) for c in miner.drain.clusters
    }
    return [final[cluster] for cluster in clusters]


def ours(lines: Sequence[str], true: Sequence[str], labelled: Sequence[int]) -> list[str]:
    mined = mine_templates(lines, [(lines[i], true[i]) for i in labelled])
    return [mined.template_of(line) for line in lines]


def measure(answer: Callable[[], list[str]], true: Sequence[str]) -> dict[str, float]:
    started = time.perf_counter()
    predicted = answer()
    seconds = time.perf_counter() - started
    scores: TemplateScores = score_templates(true, predicted)
    found = {name: round(getattr(scores, name), 4) for name in ("ga", "pa", "fga", "fta")}
    return found | {"templates": len(set(predicted)), "seconds": round(seconds, 2)}


def system(path: Path, labels: int, seeds: int) -> dict[str, object]:
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        rows = [json.loads(line) for line in stream]
    lines, true = [r["content"] for r in rows], [r["template"] for r in rows]
    chosen = choose_lines(lines, labels)
    draws = [random.Random(seed).sample(range(len(lines)), labels) for seed in range(seeds)]
    return {
        "system": path.name.removesuffix(".jsonl.gz"),
        "templates": len(set(true)),
        "labelled": len(chosen),
        "chosen": measure(lambda: ours(lines, true, chosen), true),
        "random": [measure(lambda d=d: ours(lines, true, d), true) for d in draws],
        "unlabelled": measure(lambda: ours(lines, true, []), true),
        "drain3": measure(lambda: drain(lines, masked=False), true),
        "drain3_masked": measure(lambda: drain(lines, masked=True), true),
    }


WAYS = {
    "chosen": "ours, labelled lines chosen",
    "random": "ours, labelled lines at random",
    "unlabelled": "ours, no label",
    "drain3": "drain3, defaults",
    "drain3_masked": "drain3, its example's masks",
}
SCORES = ("ga", "pa", "fga", "fta")


def mean(found: Sequence[dict], way: str, score: str) -> float:
    values = []
    for row in found:
        draws = row[way] if isinstance(row[way], list) else [row[way]]
        values.append(statistics.mean(d[score] for d in draws))
    return statistics.mean(values)


def tables(found: Sequence[dict]) -> str:
    seen = [r for r in found if r["system"] in TUNED_ON]
    unseen = [r for r in found if r["system"] not in TUNED_ON]
    out = ["| | systems | GA | PA | FGA | FTA |", "|---|---|---|---|---|---|"]
    for way, words in WAYS.items():
        for name, rows in (("all", found), ("not tuned on", unseen), ("tuned on", seen)):
            if rows:
                cells = " | ".join(f"{mean(rows, way, score):.3f}" for score in SCORES)
                out.append(f"| {words} | {name} ({len(rows)}) | {cells} |")
    out += ["", "| system | templates | labelled | GA | PA | FGA | FTA | FTA at random "
            "(lowest–highest) | drain3 GA | drain3 PA | drain3 FTA |",
            "|---|---|---|---|---|---|---|---|---|---|---|"]  # fmt: skip
    for row in found:
        drawn = sorted(d["fta"] for d in row["random"])
        peer = max((row["drain3"], row["drain3_masked"]), key=lambda d: d["pa"])
        cells = " | ".join(f"{row['chosen'][score]:.3f}" for score in SCORES)
        star = "" if row["system"] in TUNED_ON else " (not tuned on)"
        out.append(
            f"| {row['system']}{star} | {row['templates']} | {row['labelled']} | {cells} | "
            f"{drawn[0]:.3f}–{drawn[-1]:.3f} | {peer['ga']:.3f} | {peer['pa']:.3f} "
            f"| {peer['fta']:.3f} |"
        )
    return "\n".join(out) + "\n"


def fill(text: str, block: str) -> str:
    pattern = r"(<!-- figures: loghub -->\n).*?(<!-- end -->)"
    return re.sub(pattern, lambda m: m[1] + block + m[2], text, flags=re.DOTALL)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--labels", type=int, default=32)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--print-only", action="store_true", help="leave docs/results alone")
    args = parser.parse_args()
    found = []
    for path in sorted(args.data.glob("*.jsonl.gz")):
        found.append(system(path, args.labels, args.seeds))
        print(json.dumps(found[-1]), flush=True)
    print(tables(found))
    if not args.print_only:
        FIGURES.write_text(json.dumps({"labels": args.labels, "systems": found}, indent=1) + "\n")
        if PAGE.exists():
            PAGE.write_text(fill(PAGE.read_text(), tables(found)))


if __name__ == "__main__":
    main()
