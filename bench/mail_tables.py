"""The tables of docs/results/mail.md."""

from __future__ import annotations

from typing import Any


def mail_blocks(found: dict[str, Any]) -> dict[str, str]:
    """Each block by name."""
    made = {}
    if "content" in found:
        made["mail-content"] = content_table(found["content"])
    if "authors" in found:
        made["mail-authors"] = authors_table(found["authors"])
    return made


def content_table(found: dict[str, Any]) -> str:
    """Recall at 1 % false alarms by left-out source and lever."""
    lines = [
        "| left out | lever | recall at 1 % false alarms [95 %] | minus floor, paired | at 5 % |",
        "|---|---|---|---|---|",
    ]
    for source, figures in found.items():
        rows = f"{source} ({figures['phishing']} phishing, {figures['legitimate']} legitimate)"
        for lever, f in figures["levers"].items():
            minus = (
                "" if lever == "floor linear" else _signed(f["minus_floor"], f["minus_interval"])
            )
            low, high = f["interval"]
            lines.append(
                f"| {rows} | {lever} | {f['recall_at_1']:.3f} [{low:.3f}, {high:.3f}] "
                f"| {minus} | {f['recall_at_5']:.3f} |"
            )
    return "\n".join(lines)


def authors_table(found: dict[str, Any]) -> str:
    """Verification figures by set of authors."""
    keys = ("auc", "eer", "recall_at_1", "own_flagged_at_5", "inserted_auc")
    lines = [
        "| authors | AUC | EER | recall at 1 % | own flagged at nominal 5 % | inserted AUC |",
        "|---|---|---|---|---|---|",
    ]
    for name, figures in found.items():
        cells = []
        for key in keys:
            low, high = figures["interval"][key]
            cells.append(f"{figures['mean'][key]:.3f} [{low:.3f}, {high:.3f}]")
        lines.append(f"| {name} ({figures['authors']}) | {' | '.join(cells)} |")
    return "\n".join(lines)


def _signed(value: float, interval: list[float]) -> str:
    return f"{value:+.3f} [{interval[0]:+.3f}, {interval[1]:+.3f}]"
