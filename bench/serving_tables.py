"""The tables of docs/results/serving.md, from bench/results/*.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).with_name("results")


def serving_blocks() -> dict[str, str]:
    """Every block by name; one without figures says so."""
    served = _read("serving").get("bundles", {})
    models = _read("serving_models")
    made = {
        "serving-models": _models(models),
        "serving-throughput": _throughput(served),
        "serving-latency": _latency(served),
        "serving-minute": _minute(served),
        "serving-cold": _cold(_read("cold_start")),
        "serving-int8": _int8(models),
        "serving-fuzz": _fuzz(_read("fuzz")),
    }
    return {name: text or "Not measured yet." for name, text in made.items()}


def _read(name: str) -> dict[str, Any]:
    path = HERE / f"{name}.json"
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return found


def _table(columns: list[str], rows: list[list[str]]) -> str:
    if not rows:
        return ""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _range(figure: dict[str, Any], digits: int = 2) -> str:
    return (
        f"**{figure['median']:,.{digits}f}** "
        f"({figure['least']:,.{digits}f} to {figure['most']:,.{digits}f})"
    )


def _models(found: dict[str, Any]) -> str:
    rows = []
    for name, one in found.items():
        score = one["score"]
        rows.append(
            [name, f"{one['megabytes']} MB", f"{one['metric'].replace('_', '-')} "
             f"{score['value']:.3f} [{score['low']:.3f}, {score['high']:.3f}]"]
        )  # fmt: skip
    return _table(["bundle", "signed size", "score on its test rows [95 %]"], rows)


def _throughput(served: dict[str, Any]) -> str:
    rows = []
    for name, one in served.items():
        t = one["throughput"]
        if not t["rows_per_second_served"]["most"]:
            continue  # no batch was answered within a turn: that is no ratio
        rows.append(
            [name, f"{t['rows_per_second_bare']['median']:,.0f}",
             f"{t['rows_per_second_served']['median']:,.0f}", _range(t["ratio_wall"]),
             _range(t["ratio_cpu"]), str(t["wrong_answers"]), f"{one['load_average']:.0f}"]
        )  # fmt: skip
    return _table(
        ["bundle", "bare rows/s", "served rows/s", "ratio, wall", "ratio, CPU", "wrong answers",
         "load average"], rows,
    )  # fmt: skip


def _latency(served: dict[str, Any]) -> str:
    rows = []
    for name, one in served.items():
        t = one["latency"]
        rows.append(
            [name, f"{t['requests_per_second_capacity']['median']:,.0f}",
             _range(t["p50_ms"], 1), _range(t["p99_ms"], 1), f"{t['bound_ms']:.0f}",
             _range(t["healthz_p99_ms"], 1), str(t["failed"])]
        )  # fmt: skip
    return _table(
        ["bundle", "capacity, requests/s", "p50 ms", "p99 ms", "bound", "`/healthz` p99 ms",
         "failed"], rows,
    )  # fmt: skip


def _minute(served: dict[str, Any]) -> str:
    rows = []
    for name, one in served.items():
        m = one["minute"]
        rows.append(
            [name, f"{m['seconds']:.0f} s", f"{m['answers_checked']:,}", str(m["wrong"]),
             str(m["broken"]), f"{m['resident_mb_before']:.0f} → {m['resident_mb_after']:.0f} MB"]
        )  # fmt: skip
    return _table(
        ["bundle", "saturated for", "answers checked", "wrong", "broken connections", "memory"],
        rows,
    )


def _cold(found: dict[str, Any]) -> str:
    rows = [
        [b["bundle"], f"{b['megabytes']} MB", f"{b['numpy_seconds']:.2f} s",
         f"{b['first_answer_seconds']:.2f} s", f"{b['slowest_seconds']:.2f} s",
         f"{b['ratio_to_bound']:.2f}"]
        for b in found.get("bundles", [])
    ]  # fmt: skip
    return _table(
        ["bundle", "size", "Python with numpy alone", "first answer", "slowest of the runs",
         "of the bound"], rows,
    )  # fmt: skip


def _int8(models: dict[str, Any]) -> str:
    rows = []
    for name, one in models.items():
        if "int8" not in one:
            continue
        j = one["int8"]["judged"]
        rows.append(
            [name, f"{j['agreement']:.1%} of {j['rows']:,}",
             f"{j['score_fp32']:.3f} → {j['score_int8']:.3f}", f"{j['speedup']:.1f}",
             "yes" if j["used"] else "no"]
        )  # fmt: skip
    return _table(
        ["encoder", "same label, validation rows", "score, 32 → 8 bits", "times as fast", "used"],
        rows,
    )


def _fuzz(found: dict[str, Any]) -> str:
    if not found:
        return ""
    rows = [
        [name, f"{one['inputs']:,}" if one["inputs"] else "–", str(len(one["findings"]))]
        for name, one in found["targets"].items()
    ]
    return _table(["parser", "inputs", "findings"], rows)
