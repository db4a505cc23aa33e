"""What the report says of a hybrid: its curve as a picture and a table, and the point chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from whichlever.measure.hybrid import PERSON, Hybrid, HybridLeftOut, HybridPoint
from whichlever.measure.summary import Measures
from whichlever.report import wording
from whichlever.report.charts import Chart
from whichlever.report.files import RunFiles
from whichlever.report.look import NARROW, WIDE, metric_name
from whichlever.report.palette import Mark
from whichlever.report.plot_hybrid import threshold_curve
from whichlever.report.svg import draw_svg
from whichlever.report.visible import visible

RULES = {
    "dollars": "so that mistakes and price together cost least on calibration rows",
    "margin": "as the cheapest on calibration rows that is within your margin of the best point",
    "share": "so that your share of rows is handed over, since nobody knows what the answers to "
    "calibration rows would have been",
}


@dataclass(frozen=True)
class HybridSection:
    """The section; ``left_out`` is why there is nothing but that to say.

    ``calibrate`` are the rows of the table of calibration rows, under the chart's own columns.
    """

    left_out: str | None
    first: str = ""
    then: str = ""
    chart: Chart | None = None
    calibrate: tuple[tuple[str, ...], ...] = ()
    facts: tuple[str, ...] = ()
    with_mistakes: bool = False


def hybrid_section(files: RunFiles, given: Mapping[str, Mark]) -> HybridSection | None:
    """The section; None where the task asks for no hybrid."""
    found = files.measures.hybrid
    if found is None:
        return None
    if isinstance(found, HybridLeftOut):
        return HybridSection(left_out=found.why)
    columns = (
        "handed over", _from(found), metric_name(files.measures.metric), _loss_name(files),
        "one more call", "a month", *(("with mistakes",) if _priced(found) else ()),
    )  # fmt: skip
    rows = [
        _row(found, found.all_first, f"none: {found.first} alone"),
        *(_row(found, p) for p in found.curve),
        _row(found, found.all_then, f"all: {_who(found)} alone"),
    ]
    title = f"{metric_name(files.measures.metric)} and dollars a month against rows handed over"
    wide, narrow = (
        Markup(  # noqa: S704 - rebuilt from an allow-list by svg.draw_svg
            draw_svg(
                threshold_curve(found, files.measures.metric, given["hybrid"], width=width),
                key=f"hybrid-{width}",
                title=title,
                summary=visible("; ".join(hybrid_lines(files.measures))),
            )
        )
        for width in (WIDE, NARROW)
    )
    return HybridSection(
        left_out=None,
        first=found.first,
        then=_who(found),
        chart=Chart("hybrid", wide, narrow, columns, tuple(rows)),
        calibrate=tuple(_row(found, p) for p in found.calibrate),
        facts=tuple(_facts(found, files.measures)),
        with_mistakes=_priced(found),
    )


def hybrid_lines(measures: Measures) -> list[str]:
    """The chosen point and the two ends, a line each, for the terminal."""
    found, metric = measures.hybrid, metric_name(measures.metric)
    if found is None:
        return []
    if isinstance(found, HybridLeftOut):
        return [f"left out: {found.why}"]
    ends = (
        (f"{found.first} alone", found.all_first),
        (f"handing {found.chosen.handed.value:.1%} over to {_who(found)}", found.chosen),
        (f"{_who(found)} alone{_assumed(found)}", found.all_then),
    )
    told = [
        f"{name}: {metric} {wording.interval(p.metric)}, {_month(p)}" + _worth(p)
        for name, p in ends
    ]
    return [*told, *([_saved(found)] if found.saves is not None else [])]


def _assumed(found: Hybrid) -> str:
    if found.review_accuracy is None:
        return ""
    return f" (assumed to be right on {100 * found.review_accuracy:g} %)"


def _saved(found: Hybrid) -> str:
    saves = found.saves
    assert saves is not None
    ends = ""
    if saves.low is not None:
        ends = f" [{wording.money(saves.low)}, {wording.money(saves.high)}]"
    return (
        f"Against {found.first} alone it saves {wording.money(saves.value)}{ends} a month, "
        "mistakes counted at your price."
    )


def _month(point: HybridPoint) -> str:
    if point.dollars_per_month is None:
        return f"cost {wording.NOT_MEASURED}"
    return f"{wording.money(point.dollars_per_month)} a month"


def _worth(point: HybridPoint) -> str:
    if point.with_mistakes is None:
        return ""
    return f", {wording.money(point.with_mistakes)} with its mistakes"


def _who(found: Hybrid) -> str:
    return "a person" if found.then == PERSON else found.then


def _priced(found: Hybrid) -> bool:
    return any(p.with_mistakes is not None for p in found.curve)


def _loss_name(files: RunFiles) -> str:
    mistakes = files.task is not None and bool(files.task.mistakes)
    return "cost of mistakes a row" if mistakes else "share wrong"


def _from(found: Hybrid) -> str:
    return "a probability up to" if found.score == "doubt" else "an expected mistake cost from"


def _threshold(found: Hybrid, threshold: float | None) -> str:
    """The threshold as it is read: on the probability of the answer, or on its expected cost."""
    if threshold is None:
        return "–"
    value = 1 - threshold if found.score == "doubt" else threshold
    return wording.significant(value, 3)


def _row(found: Hybrid, point: HybridPoint, name: str = "") -> tuple[str, ...]:
    cells = (
        name or f"{point.handed.value:.1%}",
        _threshold(found, point.threshold),
        wording.interval(point.metric),
        wording.interval(point.loss),
        wording.money(point.dollars_per_call),
        wording.money(point.dollars_per_month),
    )
    return (*cells, wording.money(point.with_mistakes)) if _priced(found) else cells


def _facts(found: Hybrid, measures: Measures) -> Sequence[str]:
    """What was chosen, on how many rows, and what is assumed."""
    told = [
        f"Rows whose answer has {_from(found)} {_threshold(found, found.threshold)} go to "
        f"{_who(found)}.",
        f"The threshold was chosen on {wording.count(found.calibration_rows)} calibration rows, "
        f"{RULES[found.rule]}; the figures are of the {wording.count(found.rows)} test rows that "
        "both parts answered.",
    ]
    if found.budget_share is not None:
        told.append(f"At most {found.budget_share:.1%} of rows were to be handed over.")
    if found.unanswered:
        told.append(
            f"{wording.count(found.unanswered)} of the rows handed over were not answered; the "
            "first answer stands there."
        )
    if found.review_accuracy is not None:
        told.append(
            f"Assumed, not measured: a person is right on {100 * found.review_accuracy:g} % of the "
            f"rows and costs {wording.money(found.review_dollars)} a row. Rows handed over wait "
            "for them."
        )
    if found.saves is not None:
        told.append(_saved(found))
    return told
