"""What the report says of learning curves: the chart, its figures, and four small tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from whichlever.measure.curve import Band, Crossing, Curve, Delay, Order
from whichlever.report import wording
from whichlever.report.charts import Chart
from whichlever.report.files import RunFiles
from whichlever.report.look import NARROW, WIDE, metric_name
from whichlever.report.palette import Mark
from whichlever.report.plot_curve import learning_curves
from whichlever.report.svg import draw_svg
from whichlever.report.visible import visible

ORDERS: dict[Order, str] = {
    "newest": "newest first", "random": "drawn at random", "oldest": "oldest first",
}  # fmt: skip

Rows = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class CurveSection:
    """Everything the section holds; empty rows are left out of the page."""

    chart: Chart
    labels: str
    rows: str
    orders: tuple[str, ...]
    crossings: Rows
    ages: Rows
    delays: Rows
    delay_from: str
    bands: Rows
    notes: tuple[str, ...]
    seconds: str


def curve_section(files: RunFiles, given: Mapping[str, Mark]) -> CurveSection | None:
    """The section; None where no curve was measured."""
    curve = files.measures.curve
    if curve is None or not curve.points:
        return None
    whole = {level.lever for level in curve.levels if level.learns}

    def other(name: str) -> str:
        return f"{name}, fitted on all" if name in whole else name

    return CurveSection(
        chart=_chart(curve, given, files.verdict.lever),
        labels=wording.count(curve.labels),
        rows=wording.count(curve.rows),
        orders=tuple(ORDERS[order] for order in curve.orders()),
        crossings=tuple(
            (c.lever, other(c.other), ORDERS[c.order], crossing_words(c), f"{c.ahead:.0%}")
            for c in curve.crossings
        ),
        ages=tuple(
            (a.lever, wording.count(a.labels), f"{a.first} minus {a.second}",
             wording.signed(a.difference))
            for a in curve.ages
        ),
        delays=tuple(_delay(d) for d in curve.delays),
        delay_from=curve.delay_from or "",
        bands=tuple(
            (b.lever, f"{b.times} × ({wording.count(b.labels_then)})",
             f"{wording.share(b.low)} and {wording.share(b.high)}",
             f"{_signed(b.gain_low)} and {_signed(b.gain_high)}", band_words(b))
            for b in curve.bands
        ),
        notes=curve.notes,
        seconds=wording.seconds(curve.seconds),
    )  # fmt: skip


def crossing_words(found: Crossing) -> str:
    """From how many labels on, in a few words, e.g. ``9,200 [5,100, 14,000]``."""
    count, most = wording.count, f"more than {wording.count(found.largest)}"
    least = f"{count(found.smallest)} or fewer"
    undecided = found.from_smallest and found.high is None
    if found.outcome == "behind":
        if found.low is None and not found.from_smallest:
            return f"never within {count(found.largest)}"
        start = least if found.low is None else count(found.low)
        return f"not within {count(found.largest)}, though perhaps from {start} on"
    if undecided:
        at = least if found.at is None else count(found.at)
        return f"not told apart (measured: {at})"
    low = least if found.low is None else count(found.low)
    high = most if found.high is None else count(found.high)
    if found.outcome == "ahead":
        sure = "" if found.high is None else f", surely from {high} on"
        return f"already at {count(found.smallest)}{sure}"
    return f"{count(found.at)} [{low}, {high}]"


def band_words(band: Band) -> str:
    """What a band comes to."""
    return {
        "flat": "flat: less than your margin",
        "grows": "more labels help",
        "falls": "more labels of this kind hurt",
        "open": "these points cannot tell",
    }[band.outcome]


def curve_lines(curve: Curve) -> list[str]:
    """Two or three lines for a terminal."""
    level = {found.lever: found.score.value for found in curve.levels if not found.learns}
    out = []
    for lever in curve.levers():
        own = [p for p in curve.points if p.lever == lever]
        lead = own[0].order
        points = [p for p in own if p.order == lead]
        steps = ", ".join(
            f"{wording.count(p.labels)}: {wording.share(p.score.value)}" for p in points
        )
        said = [f"{lever}, {metric_name(curve.metric)} by labels ({ORDERS[lead]}) {steps}"]
        crossed = [
            c for c in curve.crossings
            if c.lever == lever and c.order == lead and level.get(c.other, 0.0)
        ]  # fmt: skip
        if crossed:
            best = max(crossed, key=lambda c: level[c.other])
            said.append(f"ahead of {best.other} from {crossing_words(best)}")
        twice = next((b for b in curve.bands if b.lever == lever and b.times == 2), None)
        if twice is not None:
            said.append(
                f"twice the labels: {_signed(twice.gain_low)} to {_signed(twice.gain_high)}"
            )
        out.append("; ".join(said))
    return out


def _delay(late: Delay) -> tuple[str, ...]:
    days = f"{late.days:g} day{'s' * (late.days != 1)}"
    return (
        late.lever, days, wording.count(late.labels), wording.interval(late.score),
        wording.signed(late.difference),
    )  # fmt: skip


def _signed(value: float) -> str:
    text = wording.share(value)
    return text if text.startswith("−") else f"+{text}"


def _chart(curve: Curve, given: Mapping[str, Mark], pulled: str | None) -> Chart:
    name = metric_name(curve.metric)
    summary = visible("; ".join(curve_lines(curve)))
    wide, narrow = (
        draw_svg(
            learning_curves(curve, given, pulled=pulled, width=width),
            key=f"curve-{width}", title=f"{name} against labelled rows", summary=summary,
        )
        for width in (WIDE, NARROW)
    )  # fmt: skip
    rows = [
        (
            p.lever, ORDERS[p.order], wording.count(p.labels), wording.interval(p.score),
            str(p.draws), "–" if p.between is None else wording.share(p.between),
        )
        for p in curve.points
    ]  # fmt: skip
    rows += [
        (level.lever, "learns from no row" if not level.learns else "fitted once", "–",
         wording.interval(level.score), "1", "–")
        for level in curve.levels
    ]  # fmt: skip
    columns = ("lever", "rows", "labels", name, "fits", "deviation from draw to draw")
    return Chart("curve", _inline(wide), _inline(narrow), columns, tuple(rows))


def _inline(svg: str) -> Markup:
    return Markup(svg)  # noqa: S704 - rebuilt from an allow-list by svg.draw_svg
