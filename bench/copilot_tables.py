"""Tables of texts' levers, for pages that `bench/copilot.py` writes."""

from __future__ import annotations

from typing import Any

from results import dollars, interval, milliseconds


def lever_table(found: dict[str, Any]) -> str:
    """One row per lever, best first."""
    lines = [
        "| lever | exact match [95 %] | token-F1 | ROUGE-L | outside the set | ECE | p95 | "
        "$ per million calls, one more | rows |",
        "|---" * 9 + "|",
    ]
    for lever in sorted(found["levers"], key=lambda own: -own["exact_match"]["value"]):
        lines.append(
            f"| {lever['lever']} | {interval(lever['exact_match'])} | "
            f"{lever['token_f1']['value']:.3f} | {lever['rouge_l']['value']:.3f} | "
            f"{lever['outside']['value']:.3f} | {interval(lever['ece'])} | "
            f"{milliseconds(lever['latency']['p95_ms'])} | {dollars(lever['cost']['marginal'])} | "
            f"{lever['rows']:,} |"
        )
    return "\n".join(lines)
