"""What the page and the terminal say of text that an attacker controls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from whichlever.measure.attack import Aim, Attacks, CanaryHunt, FlipRate, Leak, LeverAttack, Obeyed
from whichlever.measure.attack_kept import Exposure, Membership
from whichlever.measure.attack_told import aimed, named
from whichlever.report import wording
from whichlever.report.attack_memory import memory_section
from whichlever.report.charts import Chart
from whichlever.report.files import RunFiles
from whichlever.report.look import NARROW, WIDE
from whichlever.report.palette import Mark
from whichlever.report.plot_attack import flip_rates
from whichlever.report.svg import draw_svg
from whichlever.report.visible import shortened, visible

ALL = "any attack"


def attack_section(files: RunFiles, given: Mapping[str, Mark]) -> dict[str, Any] | None:
    """Everything the section shows; None where nothing was attacked."""
    found = files.measures.attacks
    if found is None:
        return None
    return {
        "aim": "" if found.aim is None else aimed(found.aim.protect, found.aim.into),
        "lead": "" if found.aim is None else _lead(found.aim),
        "chart": _chart(found, given),
        "levers": [_lever(one, given) for one in found.levers],
        "served": [_lever(one, given) for one in found.served],
        "hunts": [_hunt(hunt, given) for hunt in found.canaries],
        "leaks": [*(leak.text for leak in found.leaks), *(o.text for o in found.obeyed)],
        "memory": memory_section(found),
    }


def attack_lines(found: Attacks | None) -> list[str]:
    """A line for each lever, server, hunt and leak, for the terminal."""
    if found is None:
        return []
    parts: Sequence[LeverAttack | CanaryHunt | Leak | Obeyed | Membership | Exposure] = (
        *found.levers, *found.served, *found.canaries, *found.leaks, *found.obeyed,
        *found.memberships, *found.exposures,
    )  # fmt: skip
    return [visible(part.text.removeprefix("attack: ")) for part in parts]


def _lead(aim: Aim) -> str:
    strings = ", ".join(f"{name} {n}" for name, n in aim.families.items())
    own = "our own, made up for this" if not aim.given else f"{aim.given:,} of your file among them"
    return (
        f"Text added {aim.where} of protected test rows, to have {aimed(aim.protect, aim.into)}. "
        f"Budget: {aim.rows:,} rows, {aim.strings:,} questions a row with given strings "
        f"({strings}: {own}), {aim.search:,} in each search, {aim.chars:,} characters, about "
        f"{aim.minutes:g} minutes a lever. A row counts once, if any attempt turned it; rows that "
        "were answered so without an attack are not counted. Letters at random, as long as the "
        "strings, are the control."
    )


def _lever(one: LeverAttack, given: Mapping[str, Mark]) -> dict[str, Any]:
    return {
        "lever": one.lever,
        "mark": given.get(one.lever),
        "state": one.state,
        "text": one.text,
        "flip": wording.interval(one.flip),
        "turned": f"{wording.count(one.flipped)} of {wording.count(one.rows)}",
        "outsider": wording.interval(one.outsider),
        "control": wording.interval(one.control),
        "missed": f"{wording.count(one.missed)} of {wording.count(one.asked)}",
        "questions": f"{wording.count(one.questions)} a row, {wording.count(one.total)} in all",
        "rates": [_rate(rate) for rate in one.rates],
    }


def _rate(rate: FlipRate) -> list[str]:
    return [
        shortened(named(rate), 60),
        f"{wording.count(rate.flipped)} of {wording.count(rate.rows)}",
        wording.interval(rate.rate),
        wording.count(rate.questions),
        "–" if rate.chars is None else wording.count(rate.chars),
    ]


def _chart(found: Attacks, given: Mapping[str, Mark]) -> Chart | None:
    tried = [one for one in found.levers if one.flip is not None and one.lever in given]
    if not tried or found.aim is None:
        return None
    rows: list[dict[str, Any]] = []
    for one in tried:
        assert one.flip is not None
        rows.append(_point(ALL, one.lever, one.flip))
        rows += [_point(_short(r), one.lever, r.rate) for r in one.rates if r.kind != "way"]
    kinds = list(dict.fromkeys(row["attack"] for row in rows))
    order = {name: i for i, name in enumerate(sorted(kinds, key=_place))}
    rows.sort(key=lambda row: order[row["attack"]])
    levers = [one.lever for one in tried]
    summary = visible("; ".join(f"{o.lever} {wording.interval(o.flip)}" for o in tried))
    wide, narrow = (
        draw_svg(
            flip_rates(rows, levers, given, at_most=found.aim.at_most, width=width),
            key=f"attack-{width}",
            title="share of rows turned by each attack",
            summary=summary,
        )
        for width in (WIDE, NARROW)
    )
    table = tuple(
        (row["attack"], row["lever"], wording.share(row["value"]),
         f"[{wording.share(row['low'])}, {wording.share(row['high'])}]")
        for row in rows
    )  # fmt: skip
    return Chart(
        "attack", Markup(wide), Markup(narrow),  # noqa: S704 - rebuilt by svg.draw_svg
        ("attack", "lever", "share of rows turned", "interval"), table,
    )  # fmt: skip


def _point(attack: str, lever: str, rate: Any) -> dict[str, Any]:  # noqa: ANN401 - an Interval
    low = rate.value if rate.low is None else rate.low
    high = rate.value if rate.high is None else rate.high
    return {"attack": attack, "lever": lever, "value": rate.value, "low": low, "high": high}


def _short(rate: FlipRate) -> str:
    if rate.kind == "search":
        return f"search: {rate.attack}"
    if rate.kind == "transfer":
        return f"found on {rate.attack}"
    if rate.kind == "control":
        return "control: random letters"
    if rate.kind == "outsider":
        return "any, none of your rows known"
    if rate.kind == "strings":
        return f"strings, all {rate.attack}"
    return f"strings: {rate.attack}"


def _place(name: str) -> tuple[int, str]:
    """Everything together, then searches, transfers, families, and the control last."""
    starts = (ALL, "any,", "search", "found on", "strings", "control")
    return next((i for i, start in enumerate(starts) if name.startswith(start)), 9), name


def _hunt(hunt: CanaryHunt, given: Mapping[str, Mark]) -> dict[str, Any]:
    return {
        "lever": hunt.lever,
        "mark": given.get(hunt.lever),
        "text": hunt.text,
        "rows": [
            [
                "no row" if p.times == 0 else f"{p.times} row{'s' * (p.times > 1)}",
                wording.count(p.canaries), wording.count(p.in_files), wording.count(p.in_bundle),
                wording.count(p.named), wording.count(p.shown),
            ]
            for p in hunt.plantings
        ],
    }  # fmt: skip
