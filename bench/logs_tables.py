"""What bench/logs.py measured, gathered into docs/results/logs.json and the page's tables."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from whichlever.models.tagger.episodes import family_of

ROOT = Path(__file__).resolve().parent.parent
PARTS = ROOT / "bench" / "results" / "logs"
DEV = frozenset(
    {
        "apache", "cisco", "envoyproxy", "f5", "forcepoint", "fortinet", "ibmmq", "iis", "imperva",
        "istio", "mongodb", "mysql", "panw", "pensando", "prisma", "qnap", "redis", "santa",
        "squid", "stan", "thycotic",
    }
)  # fmt: skip
"""Vendors whose sources were looked at while features and settings were chosen."""
OUT = ROOT / "docs" / "results" / "logs.json"
PAGE = ROOT / "docs" / "results" / "logs.md"
RESAMPLES = 1000

Record = dict[str, Any]


def score(records: Sequence[Record], unit: Callable[[Record], object]) -> dict[str, Any]:
    """Micro-F1 and whole lines, each with a 95 % bootstrap interval over units."""
    groups: dict[object, list[Record]] = defaultdict(list)
    for one in records:
        groups[unit(one)].append(one)
    sums = np.array(
        [
            [sum(o[k] for o in own) for k in ("hit", "said", "true", "exact")] + [len(own)]
            for own in groups.values()
        ],
        float,
    )
    rng = np.random.default_rng(0)
    drawn = rng.integers(len(sums), size=(RESAMPLES, len(sums)))
    totals = sums[drawn].sum(1)

    def both(t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return 2 * t[..., 0] / np.maximum(t[..., 1] + t[..., 2], 1), t[..., 3] / t[..., 4]

    values, spread = both(sums.sum(0)), both(totals)
    found: dict[str, Any] = {"lines": len(records), "units": len(groups)}
    for name, value, many in zip(("f1", "line"), values, spread, strict=True):
        low, high = np.quantile(many, [0.025, 0.975])
        found[name] = {"value": float(value), "low": float(low), "high": float(high)}
    return found


def macro(records: Sequence[Record]) -> dict[str, float]:
    """Mean over sources of each source's own micro-F1 and whole lines."""
    groups: dict[str, list[Record]] = defaultdict(list)
    for one in records:
        groups[one["source"]].append(one)
    f1 = [
        2 * sum(o["hit"] for o in own) / max(1, sum(o["said"] + o["true"] for o in own))
        for own in groups.values()
    ]
    line = [sum(o["exact"] for o in own) / len(own) for own in groups.values()]
    return {"f1": float(np.mean(f1)), "line": float(np.mean(line))}


def calibration(records: Sequence[Record]) -> dict[str, Any]:
    """Expected calibration error in ten bins, and what answering only sure lines gives."""
    sure = np.array([o["confidence"] for o in records])
    right = np.array([o["exact"] for o in records], float)
    bins = np.minimum((sure * 10).astype(int), 9)
    error = sum(
        abs(sure[bins == b].mean() - right[bins == b].mean()) * (bins == b).mean()
        for b in range(10)
        if (bins == b).any()
    )
    order = np.argsort(-sure)
    kept = {
        str(share): float(right[order[: max(1, int(len(order) * share))]].mean())
        for share in (0.25, 0.5, 0.75, 1.0)
    }
    return {"ece": float(error), "line_of_surest": kept}


def load(pattern: str) -> tuple[list[Record], list[dict[str, Any]]]:
    """Read the parts."""
    records: list[Record] = []
    facts = []
    for path in sorted(PARTS.glob(pattern)):
        part = json.loads(path.read_text())
        records += part["records"]
        facts.append({"part": path.stem, **part["facts"]})
    return records, facts


def _role(record: Record) -> str:
    return "dev" if family_of(record["source"]) in DEV else "test"


def summary(records: list[Record], unit: Callable[[Record], object]) -> dict[str, Any]:
    """Every method, on all sources, on those looked at, and on those read once."""
    found: dict[str, Any] = {}
    for method in sorted({o["method"] for o in records}):
        own = [o for o in records if o["method"] == method]
        found[method] = {
            role: {**score(some, unit), "macro": macro(some)}
            for role in ("all", "dev", "test")
            if (some := [o for o in own if role in ("all", _role(o))])
        }
        if all("confidence" in o for o in own):
            found[method]["calibration"] = calibration(own)
    return found


def by_source(records: Sequence[Record]) -> dict[str, dict[str, float]]:
    """Each source's figures of one method."""
    found = {}
    for source in sorted({o["source"] for o in records}):
        own = [o for o in records if o["source"] == source]
        found[source] = {**macro(own), "lines": len(own)}
    return found


def gather() -> None:
    """Write the JSON and fill the page."""
    result: dict[str, Any] = {}
    for name, pattern in (("ecs", "ecs-[0-9]"), ("json", "ecs_json-[0-9]")):
        shapes, facts = load(f"shapes-{pattern}.json")
        if shapes:
            result[f"shapes_{name}"] = {
                "facts": facts,
                "methods": summary(shapes, lambda o: (o["source"], o["shape"])),
                "by_source": by_source([o for o in shapes if o["method"] == "tagger"]),
            }
        few, facts = load(f"sources-{pattern}.json")
        if few:
            sizes = sorted({o["few"] for o in few})
            result[f"sources_{name}"] = {
                "facts": facts,
                "methods": {
                    str(n): summary([o for o in few if o["few"] == n], lambda o: o["source"])
                    for n in sizes
                },
                "by_source": by_source(
                    [o for o in few if o["method"] == "tagger" and o["few"] == 20]
                ),
            }
    if (PARTS / "speed.json").exists():
        result["speed"] = json.loads((PARTS / "speed.json").read_text())
    OUT.write_text(json.dumps(result, indent=1) + "\n")
    from results import fill

    fill()


def _cell(found: dict[str, Any] | None) -> str:
    if found is None:
        return "–"
    return f"{found['value']:.3f} [{found['low']:.3f}, {found['high']:.3f}]"


def method_table(methods: dict[str, Any], role: str = "all") -> str:
    """One line per method."""
    lines = [
        "| method | micro-F1 [95 %] | whole line [95 %] | mean over sources: F1, line | lines |",
        "|---|---|---|---|---|",
    ]
    for method, found in sorted(
        methods.items(), key=lambda item: -item[1].get(role, {"f1": {"value": 0}})["f1"]["value"]
    ):
        own = found.get(role)
        if own is not None:
            lines.append(
                f"| {method} | {_cell(own['f1'])} | {_cell(own['line'])} | "
                f"{own['macro']['f1']:.3f}, {own['macro']['line']:.3f} | {own['lines']:,} |"
            )
    return "\n".join(lines)


def few_table(sizes: dict[str, Any], role: str = "all") -> str:
    """One line per method and number of labelled lines."""
    lines = [
        "| labelled lines | method | micro-F1 [95 %] | whole line [95 %] | mean over sources: F1, "
        "line | sources |",
        "|---|---|---|---|---|---|",
    ]
    for size, methods in sorted(sizes.items(), key=lambda item: int(item[0])):
        for method, found in sorted(methods.items()):
            own = found.get(role)
            if own is not None:
                lines.append(
                    f"| {size} | {method} | {_cell(own['f1'])} | {_cell(own['line'])} | "
                    f"{own['macro']['f1']:.3f}, {own['macro']['line']:.3f} | {own['units']} |"
                )
    return "\n".join(lines)


def trust_table(result: dict[str, Any]) -> str:
    """How far confidences can be believed."""
    lines = [
        "| lines | calibration error | whole line right: surest 25 % | 50 % | 75 % | all |",
        "|---|---|---|---|---|---|",
    ]
    rows = {"unseen shapes": result.get("shapes_ecs", {}).get("methods", {})}
    for size, methods in result.get("sources_ecs", {}).get("methods", {}).items():
        rows[f"new source, {size} labelled lines"] = methods
    for name, methods in rows.items():
        found = methods.get("tagger", {}).get("calibration")
        if found:
            cells = " | ".join(f"{v:.3f}" for v in found["line_of_surest"].values())
            lines.append(f"| {name} | {found['ece']:.3f} | {cells} |")
    return "\n".join(lines)


def source_table(found: dict[str, dict[str, float]]) -> str:
    """One line per source, worst first."""
    lines = ["| source | F1 | whole line | lines |", "|---|---|---|---|"]
    for source, own in sorted(found.items(), key=lambda item: item[1]["f1"]):
        lines.append(f"| {source} | {own['f1']:.3f} | {own['line']:.2f} | {own['lines']:,} |")
    return "\n".join(lines)


def blocks(path: Path = OUT) -> dict[str, str]:
    """The tables of docs/results/logs.md, for bench/results.py."""
    if not path.exists():
        return {}
    result = json.loads(path.read_text())
    made: dict[str, str] = {}
    for name in ("ecs", "json"):
        if found := result.get(f"shapes_{name}"):
            made[f"logs-shapes-{name}"] = method_table(found["methods"])
            made[f"logs-shapes-{name}-test"] = method_table(found["methods"], "test")
        if found := result.get(f"sources_{name}"):
            made[f"logs-few-{name}"] = few_table(found["methods"])
            made[f"logs-few-{name}-test"] = few_table(found["methods"], "test")
    if "shapes_ecs" in result:
        made["logs-by-source"] = source_table(result["shapes_ecs"]["by_source"])
        made["logs-trust"] = trust_table(result)
    if speed := result.get("speed"):
        made["logs-speed"] = "\n".join(
            ["| what | measured |", "|---|---|"]
            + [f"| {key.replace('_', ' ')} | {value:,} |" for key, value in speed.items()]
        )
    return made
