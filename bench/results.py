"""Write what a finished RUN showed into docs/results, and bring the README's figures up to date.

    python bench/results.py cwe RUN             docs/results/cwe.{json,png}
    python bench/results.py triage RUNS         docs/results/triage.json, from RUNS/<set>/run
    python bench/results.py demo RUN            docs/results/demo.{json,png}
    python bench/results.py fill                only fill README.md and docs/results/*.md again

Every figure in the README and in docs/results/*.md stands between two markers and comes from one of
these JSON files; a test compares them.
"""

from __future__ import annotations

import argparse
import importlib
import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "docs" / "results"
PAGES = ("README.md", "docs/results/cwe.md", "docs/results/triage.md", "docs/results/speed.md",
         "docs/results/curves.md", "docs/results/validity.md",
         "docs/results/attack.md", "docs/results/serving.md", "docs/results/logs.md",
         "docs/results/phishing.md")  # fmt: skip
BLOCK = re.compile(r"(<!-- figures: (?P<name>[\w-]+) -->\n).*?(<!-- end -->)", re.S)


def gather(run: Path) -> dict[str, Any]:
    """Take what is worth keeping out of a RUN: no text, no row id."""
    measures = json.loads((run / "measures.json").read_text())
    verdict = json.loads((run / "verdict.json").read_text())
    audit = json.loads((run / "audit.json").read_text())
    levers = []
    for lever in measures["levers"]:
        levers.append(
            {
                "lever": lever["lever"],
                "what": lever["what"],
                "rows": lever["rows"],
                "all_rows": lever["all_rows"],
                "unanswered": lever["rows"] - lever["statuses"].get("ok", 0),
                "accuracy": lever["metrics"]["accuracy"],
                "macro_f1": lever["metrics"]["macro_f1"],
                "recall_critical": lever["metrics"].get("recall.critical"),
                "without_leaks": lever["without_leaks"],
                "ece": lever["calibration"] and lever["calibration"]["ece"],
                "latency": lever["latency"],
                "cost": lever["cost"],
                "fit_seconds": round(lever["fit_seconds"], 1),
                "rows_seen": lever["rows_seen"],
            }
        )
    return {
        "metric": measures["metric"],
        "rows": audit["rows"],
        "levers": levers,
        "pairs": measures["pairs"],
        "verdict": {
            key: verdict[key]
            for key in ("outcome", "lever", "headline", "reasons", "would_change", "break_evens",
                        "labels_needed", "scope")
        },
        "leaked_test_rows": len(audit["leaked_ids"]),
    }  # fmt: skip


def interval(figure: dict[str, Any] | None) -> str:
    """Show a figure with its interval."""
    if figure is None:
        return "–"
    if figure["low"] is None:
        return f"{figure['value']:.3f}"
    return f"{figure['value']:.3f} [{figure['low']:.3f}, {figure['high']:.3f}]"


def dollars(value: float | None) -> str:
    """Dollars per million calls."""
    if value is None:
        return "not measured"
    per_million = value * 1e6
    return f"${per_million:,.2f}" if per_million >= 0.01 else f"${per_million:.2g}"


def milliseconds(value: float | None) -> str:
    """Show a latency to three figures."""
    return "not measured" if value is None else f"{value:.3g} ms"


def lever_table(result: dict[str, Any]) -> str:
    """One row per lever, best first on the goal metric."""
    metric = result["metric"]
    lines = [
        f"| lever | {metric.replace('_', '-')} [95 %] | p95 | $ per million calls, one more | "
        "always on, at the task's volume | rows |",
        "|---|---|---|---|---|---|",
    ]
    for lever in sorted(result["levers"], key=lambda found: -found[metric]["value"]):
        cost = lever["cost"]
        mark = "≈ " if cost["estimated"] and cost["marginal"] is not None else ""
        lines.append(
            f"| {lever['lever']} | {interval(lever[metric])} | "
            f"{milliseconds(lever['latency']['p95_ms'])} | {mark}{dollars(cost['marginal'])} | "
            f"{mark}{dollars(cost['always_on'])} | {lever['rows']:,} |"
        )
    return "\n".join(lines)


def pair_table(result: dict[str, Any], against: str) -> str:
    """Every lever minus ``against``: difference, interval, p after Holm, McNemar."""
    lines = [
        f"| minus {against} | difference [95 %] | p (Holm) | McNemar |",
        "|---|---|---|---|",
    ]
    for pair in result["pairs"]:
        if against not in (pair["a"], pair["b"]):
            continue
        other, sign = (pair["a"], 1) if pair["b"] == against else (pair["b"], -1)
        found = pair["difference"]
        low, high = sorted((sign * found["low"], sign * found["high"]))
        exact = "–" if pair["mcnemar"] is None else f"{pair['mcnemar']:.2g}"
        lines.append(
            f"| {other} | {sign * found['value']:+.3f} [{low:+.3f}, {high:+.3f}] | "
            f"{pair['p_holm']:.2g} | {exact} |"
        )
    return "\n".join(lines)


def clean_table(result: dict[str, Any]) -> str:
    """The score on all test rows beside the score without (nearly) seen ones."""
    metric = result["metric"]
    lines = ["| lever | all test rows | without (nearly) seen rows |", "|---|---|---|"]
    for lever in sorted(result["levers"], key=lambda found: -found[metric]["value"]):
        clean = (lever["without_leaks"] or {}).get(metric)
        lines.append(f"| {lever['lever']} | {interval(lever[metric])} | {interval(clean)} |")
    return "\n".join(lines)


def verdict_text(result: dict[str, Any]) -> str:
    """The tool's own words."""
    verdict = result["verdict"]
    lines = [f"> **{verdict['headline']}**", ">"]
    lines += [f"> - {reason['text']}" for reason in verdict["reasons"]]
    if verdict["would_change"]:
        lines += [">", "> What would change it:"]
        lines += [f"> - {reason['text']}" for reason in verdict["would_change"]]
    return "\n".join(lines)


def break_even_text(result: dict[str, Any]) -> str:
    """The break-even sentences."""
    return "\n".join(f"- {found['text']}" for found in result["verdict"]["break_evens"])


def triage_table(result: dict[str, Any]) -> str:
    """Macro-F1 of every lever under every split of the real alerts."""
    names = (
        "majority", "linear", "rag-vote", "finetune-static", "finetune-encoder", "finetune-joined"
    )  # fmt: skip
    rule = "|---" * (len(names) + 2) + "|"
    lines = ["| set and split | " + " | ".join(names) + " | verdict |", rule]
    for name, found in result.items():
        by_name = {lever["lever"]: lever for lever in found["levers"]}
        scores = [interval(by_name[n]["macro_f1"]) if n in by_name else "not run" for n in names]
        lines.append(f"| {name} | " + " | ".join(scores) + f" | {found['verdict']['headline']} |")
    return "\n".join(lines)


def speed_table(static: dict[str, Any]) -> str:
    """The static rung beside model2vec's own pipeline."""
    rate, dollar, score = (
        static["rows_per_second"], static["dollars_per_call"], static["macro_f1"]["by_scenario"]
    )  # fmt: skip
    return "\n".join(
        [
            "| pipeline, one core | rows/s | ratio | $ per call at $0.05 a core-hour | macro-F1 |",
            "|---|---|---|---|---|",
            f"| model2vec | {rate['model2vec']:,.0f} | 1 | {dollar['model2vec']:.2g} | "
            f"{score['model2vec']:.3f} |",
            f"| static rung, words met before | {rate['stream']:,.0f} | "
            f"{static['ratio_to_model2vec']['stream']:.1f} | {dollar['stream']:.2g} | "
            f"{score['ours']:.3f} |",
            f"| static rung, cold | {rate['cold']:,.0f} | "
            f"{static['ratio_to_model2vec']['cold']:.1f} | {dollar['cold']:.2g} | "
            f"{score['ours']:.3f} |",
            f"| the essay's figure | | | {dollar['essay']:.2g} | |",
        ]
    )


def encoder_table(found: dict[str, Any]) -> str:
    """The encoder rung's training beside plain loops."""
    runs = found["runs"]
    slowest = runs["padded to the window"]["rows_per_core_second"]
    lines = [
        f"| training loop, threads: {found['threads']} | rows per core-second | ratio | accuracy |",
        "|---|---|---|---|",
    ]
    for name, run in runs.items():
        scores = ", ".join(f"{score:.3f}" for score in run["accuracy"])
        rate = run["rows_per_core_second"]
        lines.append(f"| {name} | {rate:.1f} | {rate / slowest:.1f} | {scores} |")
    return "\n".join(lines)


def bound_table(started: dict[str, Any], memory: dict[str, Any]) -> str:
    """Import time and memory against their bounds."""
    return "\n".join(
        [
            "| what | measured | bound | ratio |",
            "|---|---|---|---|",
            f"| `import whichlever` over bare Python | "
            f"{started['import_over_bare_seconds']:.3f} s | "
            f"{started['bound_seconds']} s | {started['ratio_to_bound']} |",
            f"| peak memory of `compare`, {memory['rows']:,} short rows | {memory['peak_gb']} GB | "
            f"{memory['bound_gb']} GB | {memory['ratio_to_bound']} |",
        ]
    )


def band_table(found: dict[str, Any]) -> str:
    """How often the truth lay in a learning curve's band, and how wide the band was."""
    lines = [
        "| set | labels × | seeds | score in band | width | gain in band | width | mean gain | "
        "one power law: gain in band | width |",
        "|---" * 10 + "|",
    ]
    for row in found["rows"]:
        lines.append(
            f"| {row['set']} | {row['times']} | {row['seeds']} | {interval(row['coverage'])} | "
            f"{row['width']:.3f} | {interval(row['gain_coverage'])} | {row['gain_width']:.3f} | "
            f"{row['mean_gain']:+.3f} | {interval(row['naive_gain_coverage'])} | "
            f"{row['naive_gain_width']:.3f} |"
        )
    return "\n".join(lines)


def band_words(found: dict[str, Any]) -> str:
    """What the bands said in words, and how often it was so."""
    flat, grows, said = found["flat"], found["grows"], found["said"]
    return (
        f'Of {sum(said.values())} bands, {flat["said"]} said "flat" (the gain was below the '
        f"margin of {found['margin']} in {flat['true']}), {grows['said']} said that more labels "
        f"help (they did in {grows['true']}), and {said['open']} that these points cannot tell."
    )


def exact_share(found: dict[str, Any]) -> str:
    """A share with its Clopper–Pearson interval, and of how many."""
    if not found["of"]:
        return "–"
    return (
        f"{found['value']:.1%} [{found['low']:.1%}, {found['high']:.1%}] "
        f"({found['hits']} of {found['of']:,})"
    )


def validity_table(lines: dict[str, Any], first: str, columns: dict[str, str]) -> str:
    """One line per name, one column per share; ``columns`` is key to heading."""
    out = [f"| {first} | " + " | ".join(columns.values()) + " |", "|---" * (len(columns) + 1) + "|"]
    for name, found in lines.items():
        cells = [
            exact_share(found[key]) if isinstance(found[key], dict)
            else "–" if found[key] is None else f"{found[key]:,}"
            for key in columns
        ]  # fmt: skip
        out.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(out)


def validity_blocks(found: dict[str, Any]) -> dict[str, str]:
    """The tables of docs/results/validity.md."""
    made = {}
    truth = {
        "verdict": "verdict given",
        "false_winner": "false winners, of all runs",
        "false_direction": "a false direction",
    }
    cover = {
        "differences": "differences inside their 95 % interval",
        "scores": "scores inside theirs",
    }
    if known := found.get("known"):
        whole = {"all": known["all"], **known["by_gap"]}
        edge = {f"edge, {name}": line for name, line in known["edge_by_kind"].items()}
        made["validity-known"] = validity_table({**whole, **edge}, "truth", truth)
        made["validity-power"] = validity_table(
            dict(sorted(known["by_size"].items(), key=_in_order)),
            "truth · margin · rows",
            {"verdict": "verdict given", "false_winner": "false winners"},
        )
        kinds = {k.replace("True", "groups").replace("False", "rows"): v
                 for k, v in known["by_kind"].items()}  # fmt: skip
        made["validity-coverage"] = validity_table(dict(sorted(kinds.items())), "kind", cover)
    if labels := found.get("labels"):
        made["validity-labels"] = validity_table(
            {k: v for k, v in labels.items() if k != "draws"},
            "truth",
            {
                "asked": "asked for more",
                "left_out": "too many to draw",
                "asked_rows": "rows asked for (median)",
                "fresh": "verdict on a new set of that size",
                "grown": "verdict when the first set grows to it",
                "two_looks_false": "false winner at either look",
            },
        )
    if real := found.get("real"):
        lines = {"all": real["all"], **real["by_set"], **real["by_size"]}
        made["validity-real"] = validity_table(
            {k: v for k, v in lines.items() if v["verdict"]["of"]},
            "set, or margin · rows",
            {
                "verdict": "verdict given",
                "contradicted": "contradicted winners",
                "behind_by_value": "behind by more than the margin, by the truth rows' figure",
                "false_direction": "a contradicted direction",
            },
        )
    for name in ("known", "power", "coverage", "labels", "real"):
        made.setdefault(f"validity-{name}", "Not drawn yet.")
    return made


def _in_order(item: tuple[str, Any]) -> tuple[str, float, int]:
    gap, margin, rows = item[0].split(" · ")
    return gap, float(margin), int(rows)


def blocks() -> dict[str, str]:
    """Every block by name, from the JSON files that are there."""
    made: dict[str, str] = {}
    for name in ("cwe", "demo"):
        if (RESULTS / f"{name}.json").exists():
            result = json.loads((RESULTS / f"{name}.json").read_text())
            made[f"{name}-levers"] = lever_table(result)
            made[f"{name}-verdict"] = verdict_text(result)
            made[f"{name}-clean"] = clean_table(result)
            made[f"{name}-break-even"] = break_even_text(result)
            if name == "cwe":
                made["cwe-pairs"] = pair_table(result, "recorded-chatgpt-4")
    if (RESULTS / "triage.json").exists():
        made["triage-sets"] = triage_table(json.loads((RESULTS / "triage.json").read_text()))
    if (RESULTS / "curves.json").exists():
        bands = json.loads((RESULTS / "curves.json").read_text())
        made["curve-band"], made["curve-band-words"] = band_table(bands), band_words(bands)
    if (RESULTS / "validity.json").exists():
        made |= validity_blocks(json.loads((RESULTS / "validity.json").read_text()))
    if (RESULTS / "attack.json").exists():
        found = json.loads((RESULTS / "attack.json").read_text())
        made |= _beside("attack_tables").attack_blocks(found)
        made |= _beside("attack_guard_tables").guard_blocks()
    if (RESULTS / "phishing.json").exists():
        found = json.loads((RESULTS / "phishing.json").read_text())
        made |= _beside("mail_tables").mail_blocks(found)
    made |= _beside("serving_tables").serving_blocks()
    made |= _beside("logs_tables").blocks()
    static = ROOT / "bench" / "results" / "static_speed.json"
    if static.exists():
        made["static-speed"] = speed_table(json.loads(static.read_text()))
    trained = ROOT / "bench" / "results" / "encoder_speed.json"
    if trained.exists():
        made["encoder-speed"] = encoder_table(json.loads(trained.read_text()))
    bounds = [
        ROOT / "bench" / "results" / f"{name}.json" for name in ("import_time", "memory_100k")
    ]
    if all(path.exists() for path in bounds):
        made["bounds"] = bound_table(*(json.loads(path.read_text()) for path in bounds))
    return made


def _beside(name: str) -> Any:  # noqa: ANN401 - a module
    """A module of this folder, from wherever this one was loaded; it may import others of it."""
    folder = str(Path(__file__).parent)
    sys.path.insert(0, folder)
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(folder)


def filled(page: str, made: dict[str, str]) -> str:
    """Put each block between its markers; a block without figures stays as it is."""

    def put(match: re.Match[str]) -> str:
        name = match["name"]
        return match[0] if name not in made else f"{match[1]}\n{made[name]}\n\n{match[3]}"

    return BLOCK.sub(put, page)


def fill() -> None:
    """Fill every page."""
    made = blocks()
    for name in PAGES:
        page = ROOT / name
        if page.exists():
            page.write_text(filled(page.read_text(encoding="utf-8"), made), encoding="utf-8")


def main() -> None:
    """Gather and fill."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("cwe", "triage", "demo", "fill"))
    parser.add_argument("run", type=Path, nargs="?")
    args = parser.parse_args()
    RESULTS.mkdir(parents=True, exist_ok=True)
    if args.what == "triage":
        runs = {p.parent.parent.name: gather(p.parent) for p in args.run.glob("*/run/verdict.json")}
        (RESULTS / "triage.json").write_text(
            json.dumps(dict(sorted(runs.items())), indent=1) + "\n"
        )
    elif args.what != "fill":
        from whichlever.comparison import Comparison
        from whichlever.report import plot_png

        (RESULTS / f"{args.what}.json").write_text(json.dumps(gather(args.run), indent=1) + "\n")
        done = Comparison.load(args.run)
        plot_png(done.measures, done.verdict, RESULTS / f"{args.what}.png")
    fill()


if __name__ == "__main__":
    main()
