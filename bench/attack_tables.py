"""The tables of docs/results/attack.md, from docs/results/attack.json."""

from __future__ import annotations

from typing import Any


def attack_blocks(found: dict[str, Any]) -> dict[str, str]:
    """Every block by name; one without figures says so."""
    attacked = {
        name: _with_served(one["attacks"])
        for name, one in found.items()
        if one["attacks"]["levers"] or one["attacks"]["served"]
    }
    made = {
        "attack-flip": _flip(attacked),
        "attack-kinds": _kinds(attacked),
        "attack-ways": _ways(attacked),
        "attack-guard": _guard(found),
        "attack-canaries": _canaries(found),
        "attack-leaks": _leaks(found),
        "attack-verdict": _verdicts(found),
        "attack-budget": _budget(attacked),
    }
    return {name: text or "Not measured yet." for name, text in made.items()}


def _with_served(attacks: dict[str, Any]) -> dict[str, Any]:
    return {**attacks, "levers": [*attacks["levers"], *attacks["served"]]}


def share(figure: dict[str, Any] | None) -> str:
    """A figure with its interval; a dash where there is none."""
    if figure is None:
        return "–"
    if figure["low"] is None:
        return f"{figure['value']:.3f}"
    return f"{figure['value']:.3f} [{figure['low']:.3f}, {figure['high']:.3f}]"


def table(columns: list[str], rows: list[list[str]]) -> str:
    """A Markdown table; nothing where there are no rows."""
    if not rows:
        return ""
    lines = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    return "\n".join(lines + [f"| {' | '.join(row)} |" for row in rows])


def _flip(attacked: dict[str, Any]) -> str:
    rows = []
    for name, one in attacked.items():
        for lever in one["levers"]:
            if lever["flip"] is None:
                why = lever["why"] or f"says {one['aim']['into']} of all of them already"
                rows.append([name, lever["lever"], f"{lever['missed']} of {lever['asked']}",
                             "–", why, "–", "–", "–", "–"])  # fmt: skip
                continue
            n = lever["groups"]
            groups = "" if n is None else f", {n} group{'s' * (n > 1)}"
            rows.append(
                [
                    name, lever["lever"], f"{lever['missed']} of {lever['asked']}",
                    f"{lever['rows']}{groups}", f"**{share(lever['flip'])}**",
                    share(lever["outsider"]), share(lever["control"]),
                    "–" if lever["shortest"] is None else f"{lever['shortest']:,.0f}",
                    f"{lever['questions']:,}{' (cut)' if lever['cut'] else ''}",
                ]
            )  # fmt: skip
    return table(
        ["set", "lever", "so without an attack", "rows attacked", "turned by any attack",
         "knowing no row", "random letters", "characters, median", "questions a row"],
        rows,
    )  # fmt: skip


def _kinds(attacked: dict[str, Any]) -> str:
    rows = []
    for name, one in attacked.items():
        for lever in one["levers"]:
            by = {(r["kind"], r["attack"]): r for r in lever["rates"]}
            if not by:
                continue
            transfer = [r for r in lever["rates"] if r["kind"] == "transfer"]
            best = max(transfer, key=lambda r: r["flipped"], default=None)

            def turned(kind: str, attack: str, by: dict[Any, Any] = by) -> str:
                rate = by.get((kind, attack))
                return "–" if rate is None else f"{rate['flipped']} of {rate['rows']}"

            rows.append(
                [
                    name, lever["lever"], turned("strings", "but vocabulary"),
                    turned("family", "vocabulary"), turned("search", "public words"),
                    turned("search", "words of training rows"),
                    "–" if best is None
                    else f"{best['flipped']} of {best['rows']} ({best['attack']})",
                    turned("control", "control"),
                ]
            )  # fmt: skip
    return table(
        ["set", "lever", "given strings", "vocabulary strings", "search, public words",
         "search, words of training rows", "best transfer (found on)", "random letters"],
        rows,
    )  # fmt: skip


def _ways(attacked: dict[str, Any]) -> str:
    ways = list(dict.fromkeys(w for one in attacked.values() for w in one["aim"]["ways"]))
    rows = []
    for name, one in attacked.items():
        for lever in one["levers"]:
            by = {r["attack"]: r for r in lever["rates"] if r["kind"] == "way"}
            if by:
                cells = [
                    f"{by[w]['flipped']}/{by[w]['rows']} ({by[w]['questions']})" if w in by else "–"
                    for w in ways
                ]
                rows.append([name, lever["lever"], *cells])
    return table(["set", "lever", *ways], rows)


def _guard(found: dict[str, Any]) -> str:
    rows, none = [], {"attacks": {"levers": []}}
    for name, one in found.items():
        attacked = {a["lever"]: a for a in one["attacks"]["levers"]}
        bare = {a["lever"]: a for a in found.get(name.split(",")[0], none)["attacks"]["levers"]}
        for lever, cost in one.get("guard", {}).items():
            tried = attacked.get(lever) or bare.get(lever)
            flip = certified = "–"
            if tried is not None and tried["flip"] is not None:
                flip = f"{tried['flipped']} of {tried['rows']}: {share(tried['flip'])}"
                if tried.get("certified") is not None:
                    certified = f"{tried['certified']} of {tried['rows']}"
            n = cost["closing"]
            rows.append(
                [
                    name, lever, flip, certified, share(cost["macro_f1"]),
                    f"{cost['macro_f1_with_person']:.3f}",
                    f"{cost['closed_rightly']} of {n} ({cost['closed_rightly'] / n:.0%})",
                    f"{cost['handed_closing']} of {n} ({cost['handed_closing'] / n:.0%})",
                    f"{cost['p50_ms']:.1f} / {cost['p95_ms']:.0f}",
                ]
            )  # fmt: skip
    return table(
        ["set", "lever", "turned by any attack", "shown: nothing behind them turns", "macro-F1",
         "macro-F1, the person right", "noise closed", "noise handed over",
         "ms a row, median / p95"],
        rows,
    )  # fmt: skip


def _canaries(found: dict[str, Any]) -> str:
    rows = []
    for name, one in found.items():
        for hunt in one["attacks"]["canaries"]:
            for p in hunt["plantings"]:
                where = ", ".join(p["bundle"]) or "–"
                times = (
                    "nowhere" if p["times"] == 0 else f"{p['times']} row{'s' * (p['times'] > 1)}"
                )
                rows.append(
                    [
                        name.split(",")[0], hunt["lever"], times,
                        str(p["canaries"]), str(p["in_files"]), str(p["in_bundle"]), where,
                        str(p["named"]), str(p["shown"]),
                    ]
                )  # fmt: skip
    return table(
        ["set", "lever", "planted in", "canaries", "in the fit's files", "in the bundle", "where",
         "confirmed by an explanation", "shown elsewhere"],
        rows,
    )  # fmt: skip


def _leaks(found: dict[str, Any]) -> str:
    rows = [
        [
            leak["lever"], leak["what"],
            "held to the labels, as the lever is" if leak["constrained"] else "held to nothing",
            f"{leak['asked']} ({leak.get('failed', 0)} got none)",
            *(share(leak[key] if leak["asked"] else None) for key in ("exact", "rouge", "canary")),
            f"{leak['longest']} of {leak['secret_words']}",
        ]
        for one in found.values()
        for leak in one["attacks"]["leaks"]
    ]  # fmt: skip
    return table(
        ["lever", "asked for its", "answers", "answers measured", "word for word", "ROUGE-L ≥ .9",
         "holds the canary", "longest run of words"],
        rows,
    )  # fmt: skip


def _verdicts(found: dict[str, Any]) -> str:
    lines = []
    for name, one in found.items():
        if one["attacks"]["levers"]:
            lines += [f"> **{name}**: {one['verdict']['headline']}", ">"]
            said = [*one["verdict"]["reasons"], *one["verdict"]["would_change"]]
            said = said or [one["verdict"].get("attack", "attack: not measured")]
            lines += [f"> - {text}" for text in said]
            lines.append("")
    return "\n".join(lines).rstrip()


def _time(minutes: float) -> str:
    return f"{minutes:g} minutes a lever" if minutes < 60 else "as long as it takes"


def _budget(attacked: dict[str, Any]) -> str:
    lines = []
    for name, one in attacked.items():
        aim = one["aim"]
        strings = ", ".join(f"{family} {n}" for family, n in aim["families"].items())
        lines.append(
            f"- **{name}**: text {aim['where']}; at most {aim['rows']} rows, {aim['strings']} "
            f"questions a row with given strings, {aim['search']} in each search, {aim['chars']} "
            f"characters, {_time(aim['minutes'])}. Strings at hand: {strings}."
        )
    return "\n".join(lines)
