"""Tables of docs/results/attack.md: defences, memory of rows, models that speak, garak."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from attack_tables import share, table

RESULTS = Path(__file__).resolve().parents[1] / "docs" / "results"

NONE = "Not measured yet."


def guard_blocks() -> dict[str, str]:
    """Every block by name; one without figures says so."""
    attacks = [one["attacks"] for one in _read("attack").values()]
    made = {
        "attack-defences": _defences(_read("attack_guard")),
        "attack-defences-cost": _costs(_read("attack_guard")),
        "attack-membership": _membership(_read("attack")),
        "attack-exposure": _exposure(_read("attack")),
        "attack-obeyed": _obeyed([o for one in attacks for o in one.get("obeyed", ())]),
        "attack-garak": _garak(_read("attack_garak")),
    }
    return {name: text or NONE for name, text in made.items()}


def _read(name: str) -> dict[str, Any]:
    path = RESULTS / f"{name}.json"
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return found


def _turned(attack: dict[str, Any] | None) -> list[str]:
    if attack is None:
        return ["–", "–"]
    shown = "–" if attack["certified"] is None else f"{attack['certified']} of {attack['rows']}"
    if attack["flip"] is None:
        return ["nothing to turn", shown]
    return [f"{attack['flipped']} of {attack['rows']}: {share(attack['flip'])}", shown]


def _defences(found: dict[str, Any]) -> str:
    rows = []
    for name, variants in found.items():
        for i, (variant, one) in enumerate(variants.items()):
            bare = one.get("lever", "linear")
            for lever in (bare, f"{bare}-guarded") if i == 0 else (f"{bare}-guarded",):
                said = variant if lever != bare else "none"
                cells = [
                    cell
                    for place in ("behind", "before", "inside")
                    for cell in _turned(one["places"].get(place, {}).get(lever))
                ]
                rows.append([name, said, *cells])
    return table(
        ["set", "defence", "turned, text behind", "shown", "turned, before", "shown",
         "turned, inside", "shown"],
        rows,
    )  # fmt: skip


def _costs(found: dict[str, Any]) -> str:
    rows = []
    for name, variants in found.items():
        for i, (variant, one) in enumerate(variants.items()):
            bare = one.get("lever", "linear")
            for lever in (bare, f"{bare}-guarded") if i == 0 else (f"{bare}-guarded",):
                cost = one["cost"][lever]
                said = variant if lever != bare else "none"
                test, other = cost["test"], cost["calibrate"]
                rows.append(
                    [
                        name, said, f"{other['closed_rightly']} of {other['closing']}",
                        f"{test['closed_rightly']} of {test['closing']}",
                        f"{test['handed_closing'] / test['closing']:.1%}",
                        str(test["wrongly_closed"]), share(cost["macro_f1"]),
                        f"{test['macro_f1_with_person']:.3f}",
                        f"{cost['p50_ms']:.1f} / {cost['p95_ms']:.0f}",
                    ]
                )  # fmt: skip
    return table(
        ["set", "defence", "noise closed, calibration", "noise closed, test",
         "of the noise handed over", "critical closed unattacked", "macro-F1",
         "macro-F1, the person right", "ms a row, median / p95"],
        rows,
    )  # fmt: skip


def _membership(found: dict[str, Any]) -> str:
    rows = [
        [
            name.split(",")[0], one["lever"], f"{one['members']} / {one['others']}",
            share(one["auc"]), share(one["shift"]), share(one["harder"]), share(one["caught"]),
        ]
        for name, of in found.items()
        for one in of["attacks"].get("memberships", ())
        if one["auc"] is not None
    ]  # fmt: skip
    return table(
        ["set", "lever", "rows, training / test", "AUC", "control: learned neither",
         "against the control", "told at 1 % false alarms"],
        rows,
    )  # fmt: skip


def _exposure(found: dict[str, Any]) -> str:
    rows = []
    for name, of in found.items():
        for one in of["attacks"].get("exposures", ()):
            by = {t["times"]: t for t in one["times"]}
            cells = [f"{by[n]['median']:.1f} ({by[n]['first']})" for n in (0, 1, 2, 5, 20)]
            rows.append(
                [name.split(",")[0], one["lever"], one["asked"], f"{one['candidates']:,}", *cells]
            )
    return table(
        ["set", "lever", "ranked by", "candidates", "planted nowhere", "1 row", "2 rows",
         "5 rows", "20 rows"],
        rows,
    )  # fmt: skip


def _obeyed(found: list[dict[str, Any]]) -> str:
    rows = [
        [
            one["lever"],
            "held to the labels" if one["constrained"]
            else "open" if one["own"] else "held to nothing (no lever)",
            ", ".join(f"{name} {n}" for name, n in one["families"].items()),
            f"{one['asked']} ({one['failed']} got none)", share(one["obeyed"]),
            share(one["quoted"]),
        ]
        for one in found
    ]  # fmt: skip
    return table(
        ["lever", "answers", "strings", "answers measured", "wrote the word", "wrote it unasked"],
        rows,
    )


def _garak(found: dict[str, Any]) -> str:
    rows = [
        [
            bundle, probe["probe"], probe["detector"], str(probe["asked"]), str(probe["hits"]),
        ]
        for bundle, one in found.get("bundles", {}).items()
        for probe in one
    ]  # fmt: skip
    return table(["bundle", "probe", "detector", "answers judged", "hits"], rows)
