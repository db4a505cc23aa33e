"""The tables of docs/results/phishing.md."""

from __future__ import annotations

from typing import Any

BLOCKS = (
    "mail-content", "mail-authors", "mail-few", "mail-attacks", "mail-headers", "mail-newer",
    "mail-own-payments", "mail-verify", "mail-speed",
)  # fmt: skip


def mail_blocks(found: dict[str, Any]) -> dict[str, str]:
    """Each block by name."""
    made = {}
    if "content" in found:
        made["mail-content"] = content_table(found["content"])
    if "authors" in found:
        made["mail-authors"] = authors_table(found["authors"])
        made["mail-attacks"] = attacks_table(found["authors"])
        made["mail-headers"] = headers_table(found["authors"])
        made["mail-newer"] = newer_table(found["authors"])
    if "few" in found:
        made["mail-few"] = few_table(found["few"])
    if "simulated" in found:
        made["mail-own-payments"] = own_payments_table(found["simulated"])
    if "verify" in found:
        made["mail-verify"] = verify_table(found["verify"])
    if "speed" in found:
        made["mail-speed"] = speed_table(found["speed"])
    for name in BLOCKS:
        made.setdefault(name, "Not measured yet.")
    return made


def content_table(found: dict[str, Any]) -> str:
    """Recall at 1 % false alarms by left-out source and lever."""
    lines = [
        "| left out | lever | recall at 1 % false alarms [95 %] | minus floor, paired | at 5 % "
        "| English, other at 1 % | threshold chosen on the known sources: false alarms, recall |",
        "|---|---|---|---|---|---|---|",
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
                f"| {minus} | {f['recall_at_5']:.3f} | {f['recall_at_1_english']:.3f}, "
                f"{f['recall_at_1_other']:.3f} | {100 * f['false_alarms_at_chosen']:.1f} %, "
                f"{f['recall_at_chosen']:.3f} |"
            )
    for source, figures in found.items():
        for name, texts in figures["shortcut"].items():
            lines += [f"\n{source} left out, {name}: {text}." for text in texts]
    return "\n".join(lines)


def authors_table(found: dict[str, Any]) -> str:
    """Verification figures by set of authors."""
    columns = {
        "auc": "AUC", "eer": "EER", "recall_at_1": "recall at 1 %",
        "own_flagged_at_5": "own flagged at nominal 5 %", "own_pointed_at": "own asked",
        "own_alarmed": "either", "inserted_auc": "inserted AUC", "sentence_auc": "sentence AUC",
    }  # fmt: skip
    return _by_set(found, columns)


def few_table(found: dict[str, Any]) -> str:
    """Verification figures by the number of mails that enrolled."""
    columns = {
        "auc": "AUC", "eer": "EER", "recall_at_1": "recall at 1 %",
        "own_flagged_at_5": "own flagged at nominal 5 %",
    }  # fmt: skip
    lines = [f"| mails (authors) | {' | '.join(columns.values())} |"]
    lines.append("|---" * (len(columns) + 1) + "|")
    for count, figures in found.items():
        cells = [_mean(figures[key]) for key in columns]
        lines.append(f"| {count} ({figures['auc']['authors']}) | {' | '.join(cells)} |")
    return "\n".join(lines)


def newer_table(found: dict[str, Any]) -> str:
    """The latest own mail and strangers', by thresholds as enrolled and as moved."""
    columns = {
        "latest_flagged": "own flagged, as enrolled",
        "latest_flagged_recalibrated": "own flagged, recalibrated",
        "strangers_flagged": "strangers flagged, as enrolled",
        "strangers_flagged_recalibrated": "strangers flagged, recalibrated",
    }
    return _by_set(found, columns)


def _by_set(found: dict[str, Any], columns: dict[str, str]) -> str:
    lines = [f"| authors | {' | '.join(columns.values())} |", "|---" * (len(columns) + 1) + "|"]
    for name, figures in found.items():
        cells = []
        for key in columns:
            low, high = figures["interval"][key]
            cells.append(f"{figures['mean'][key]:.3f} [{low:.3f}, {high:.3f}]")
        lines.append(f"| {name} ({figures['authors']}) | {' | '.join(cells)} |")
    return "\n".join(lines)


def attacks_table(found: dict[str, Any]) -> str:
    """Every attack on words: how well scores tell it apart, and what the answer says."""
    columns = {
        "whole_auc": "AUC, whole", "style_auc": "AUC, whole and parts",
        "payment_auc": "AUC, payment", "imitation": "says imitation",
        "asked": "points at a sentence",
        "alarm": "either", "authentic": "says authentic",
    }  # fmt: skip
    return _cases(found, "attacks", columns)


def headers_table(found: dict[str, Any]) -> str:
    """The person's own words under headers: what the words, the signs and both together say."""
    columns = {
        "words_authentic": "words: authentic", "words_imitation": "words: imitation",
        "signs": "signs", "verdict_imitation": "together: imitation",
        "verdict_authentic": "together: authentic",
    }  # fmt: skip
    return _cases(found, "headers", columns)


def _cases(found: dict[str, Any], what: str, columns: dict[str, str]) -> str:
    lines = [f"| authors | mail | {' | '.join(columns.values())} |"]
    lines.append("|---" * (len(columns) + 2) + "|")
    for name, figures in found.items():
        for case, values in figures[what].items():
            cells = [_mean(values[key]) for key in columns]
            said = f"{case} ({figures['mails'][case]})" if what == "attacks" else case
            lines.append(f"| {name} | {said} | {' | '.join(cells)} |")
    return "\n".join(lines)


def own_payments_table(found: dict[str, Any]) -> str:
    """Simulated people: later own mail with a payment and without, and requests forged."""
    lines = [
        "| later mail | mails | says imitation | points at a sentence | either |",
        "|---|---|---|---|---|",
    ]
    for name, f in found["cases"].items():
        cells = [exact(f[key], f["mails"]) for key in ("imitation", "asked", "alarm")]
        lines.append(f"| {name} | {f['mails']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def exact(hits: int, of: int) -> str:
    """A share with its Clopper–Pearson interval."""
    from scipy.stats import beta

    low = beta.ppf(0.025, hits, of - hits + 1) if hits else 0.0
    high = beta.ppf(0.975, hits + 1, of - hits) if hits < of else 1.0
    return f"{hits / of:.3f} [{low:.3f}, {high:.3f}]"


def verify_table(found: dict[str, Any]) -> str:
    """Every lever of the simulated task, and the verdict's headline."""
    columns = {
        "auc": "AUC", "eer": "EER", "recall_at_1": "recall at 1 %",
        "own_flagged_at_5": "own flagged at nominal 5 %",
    }  # fmt: skip
    lines = [f"| lever | {' | '.join(columns.values())} |", "|---" * (len(columns) + 1) + "|"]
    for lever in found["levers"]:
        cells = [_figure(lever["metrics"].get(key)) for key in columns]
        lines.append(f"| {lever['lever']} | {' | '.join(cells)} |")
    pair = found["pair"]
    d = pair["difference"]
    lines += ["", (
        f"{found['rows']} test rows. {pair['a']} minus {pair['b']}: {d['value']:+.3f} "
        f"[{d['low']:+.3f}, {d['high']:+.3f}], p {pair['p_holm']:.4f} after Holm. "
        f"The verdict: {found['headline']}"
    )]  # fmt: skip
    return "\n".join(lines)


def _figure(found: dict[str, Any] | None) -> str:
    if found is None:
        return "–"
    if found["low"] is None:
        return f"{found['value']:.3f}"
    return f"{found['value']:.3f} [{found['low']:.3f}, {found['high']:.3f}]"


def speed_table(found: dict[str, Any]) -> str:
    """Seconds and mails a second on one core, with the bound beside."""
    lines = ["| what, one core | measured | bound |", "|---|---|---|"]
    for line in found["lines"]:
        lines.append(f"| {line['what']} | {line['value']:.3g} {line['unit']} | {line['bound']} |")
    lines += ["", f"{found['mails']} mails; the machine's load was {found['load']:.1f}."]
    return "\n".join(lines)


def _mean(found: dict[str, Any]) -> str:
    if found["value"] is None:
        return "none"
    return f"{found['value']:.3f} [{found['low']:.3f}, {found['high']:.3f}]"


def _signed(value: float, interval: list[float]) -> str:
    return f"{value:+.3f} [{interval[0]:+.3f}, {interval[1]:+.3f}]"
