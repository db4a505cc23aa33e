"""The page's charts, drawn: each for a wide and for a narrow screen, with its data as a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from whichlever.measure.summary import LeverSummary
from whichlever.report import wording
from whichlever.report.files import RunFiles
from whichlever.report.look import NARROW, WIDE, metric_name
from whichlever.report.palette import Mark
from whichlever.report.plot_answers import latency, reliability
from whichlever.report.plot_quality import quality_cost
from whichlever.report.plot_volume import cost_volume
from whichlever.report.sections import leader
from whichlever.report.svg import draw_svg
from whichlever.report.visible import visible
from whichlever.report.volume import BILL_COLUMNS, bill_rows, curves


@dataclass(frozen=True)
class Chart:
    """A picture in two widths (the second may be empty), and the figures it was drawn from."""

    key: str
    wide: Markup
    narrow: Markup
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Reliability:
    """One lever's reliability diagram."""

    lever: str
    mark: Mark
    ece: str
    before: str
    chart: Chart


@dataclass(frozen=True)
class Charts:
    """Every chart of the page; None where nothing was measured to draw."""

    quality: Chart | None
    unpriced: tuple[str, ...]
    volume: Chart | None
    bill_columns: tuple[str, ...]
    bill: tuple[tuple[str, ...], ...]
    latency: Chart | None
    unclocked: tuple[str, ...]
    reliability: tuple[Reliability, ...]


def draw_charts(files: RunFiles, given: Mapping[str, Mark]) -> Charts:
    """Draw all charts of a run."""
    levers = files.measures.levers
    clocked = [s for s in levers if s.latency.p50_ms]
    return Charts(
        quality=_quality(files, given),
        unpriced=tuple(
            s.lever for s in levers if s.cost.always_on is None and s.cost.marginal is None
        ),
        volume=_volume(files, given),
        bill_columns=BILL_COLUMNS,
        bill=tuple(bill_rows(levers)),
        latency=_latency(files, clocked, given),
        unclocked=tuple(s.lever for s in levers if not s.latency.p50_ms),
        reliability=tuple(
            _reliability(i, s, given[s.lever])
            for i, s in enumerate(levers)
            if s.calibration is not None and s.calibration.bins
        ),
    )


def _quality(files: RunFiles, given: Mapping[str, Mark]) -> Chart | None:
    measures, pulled = files.measures, files.verdict.lever
    scored = [s for s in measures.levers if measures.metric in s.metrics]
    if not scored:
        return None
    name = metric_name(measures.metric)
    title = f"{name} against dollars per million calls"
    summary = visible(
        "; ".join(f"{s.lever} {wording.share(s.metrics[measures.metric].value)}" for s in scored)
    )
    wide, narrow = (
        draw_svg(
            quality_cost(measures, given, pulled=pulled, width=width),
            key=f"quality-{width}", title=title, summary=summary,
        )
        for width in (WIDE, NARROW)
    )  # fmt: skip
    rows = []
    for s in scored:
        always, marginal = wording.per_call(s.cost.always_on), wording.per_call(s.cost.marginal)
        rows.append(
            (
                s.lever,
                wording.interval(s.metrics[measures.metric]),
                _both(always),
                _both(marginal),
                s.cost.basis,
            )
        )
    columns = ("lever", name, "a call, machine kept on", "one more call", "worked out from")
    return Chart("quality", _inline(wide), _inline(narrow), columns, tuple(rows))


def _both(said: tuple[str, str]) -> str:
    return f"{said[0]} ({said[1]})" if said[1] else said[0]


def _volume(files: RunFiles, given: Mapping[str, Mark]) -> Chart | None:
    if files.task is None:
        return None
    calls, pulled = files.task.constraints.calls_per_month, files.verdict.lever
    drawn = curves(files.measures.levers, calls)
    if not drawn:
        return None
    evens = files.verdict.break_evens
    first = leader(files)
    lead = first.lever if first is not None else ""
    wide, narrow = (
        draw_svg(
            cost_volume(drawn, evens, given, volume=calls, pulled=pulled, lead=lead, width=width),
            key=f"volume-{width}",
            title="dollars a month against calls a month",
            summary=visible("; ".join(b.text for b in evens)),
        )
        for width in (WIDE, NARROW)
    )
    marks_at = list(range(0, len(drawn[0].volumes), (len(drawn[0].volumes) - 1) // 6))
    columns = ("lever", *(wording.volume(drawn[0].volumes[i]) for i in marks_at))
    rows = tuple((c.lever, *(wording.money(c.dollars[i]) for i in marks_at)) for c in drawn)
    return Chart("volume", _inline(wide), _inline(narrow), columns, rows)


def _latency(
    files: RunFiles, clocked: list[LeverSummary], given: Mapping[str, Mark]
) -> Chart | None:
    if not clocked:
        return None
    limit = files.task.constraints.latency_p95_ms if files.task is not None else None
    wide, narrow = (
        draw_svg(
            latency(clocked, given, limit_ms=limit, width=width),
            key=f"latency-{width}",
            title="milliseconds for one answer: p50, p95, p99",
            summary=visible(
                "; ".join(
                    f"{s.lever} p95 {wording.milliseconds(s.latency.p95_ms)}" for s in clocked
                )
            ),
        )
        for width in (WIDE, NARROW)
    )
    rows = tuple(
        (
            s.lever, wording.milliseconds(s.latency.p50_ms), wording.milliseconds(s.latency.p95_ms),
            wording.milliseconds(s.latency.p99_ms),
            "not measured" if s.latency.rows_per_second is None
            else wording.significant(s.latency.rows_per_second),
            wording.count(s.latency.rows),
        )
        for s in clocked
    )  # fmt: skip
    columns = ("lever", "p50", "p95", "p99", "rows a second, batched", "rows timed")
    return Chart("latency", _inline(wide), _inline(narrow), columns, rows)


def _reliability(place: int, summary: LeverSummary, mark: Mark) -> Reliability:
    calibration = summary.calibration
    assert calibration is not None
    ece = wording.interval(calibration.ece)
    drawn = draw_svg(
        reliability(calibration, mark),
        key=f"reliability-{place}",
        title=visible(f"{summary.lever}: accuracy against confidence"),
        summary=f"expected calibration error {ece}",
    )
    rows = tuple(
        (wording.share(b.confidence), wording.share(b.accuracy), wording.count(b.rows))
        for b in calibration.bins
    )
    chart = Chart(
        f"reliability-{place}", _inline(drawn), Markup(), ("confidence", "accuracy", "rows"), rows
    )
    before = "" if calibration.ece_before is None else wording.share(calibration.ece_before)
    return Reliability(summary.lever, mark, ece, before, chart)


def _inline(svg: str) -> Markup:
    return Markup(svg)  # noqa: S704 - rebuilt from an allow-list by svg.draw_svg
