"""What the page and the terminal say of the desk: in words that a manager reads in a minute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from whichlever.measure.figure import Interval
from whichlever.measure.workload import Grouping, LeverShift, Minutes, Wait, Workload
from whichlever.report import wording
from whichlever.report.charts import Chart
from whichlever.report.files import RunFiles
from whichlever.report.look import NARROW, WIDE
from whichlever.report.palette import Mark
from whichlever.report.plot_workload import gains, reached
from whichlever.report.svg import draw_svg
from whichlever.report.visible import shortened, visible

Rows = tuple[tuple[str, ...], ...]

COLUMNS = (
    "lever", "looked at within a day", "half wait no longer than", "95 % no longer than",
    "first analyst-hour finds", "alerts dealt with per hour", "missed a month, if closed",
)  # fmt: skip


@dataclass(frozen=True)
class WorkloadSection:
    """Everything the section holds."""

    now: tuple[str, ...]
    lever: str
    then: tuple[str, ...]
    incidents: tuple[str, ...]
    notes: tuple[str, ...]
    urgent: str
    columns: tuple[str, ...]
    rows: Rows
    reached: Chart | None
    gains: Chart | None


def workload_section(
    files: RunFiles, given: Mapping[str, Mark], lead: str | None, *, redact: bool = False
) -> WorkloadSection | None:
    """The section; None where the desk was not measured."""
    desk = files.measures.workload
    if desk is None or not desk.levers:
        return None
    first = next((s for s in desk.levers if s.lever == lead), desk.levers[-1])
    return WorkloadSection(
        now=now_words(desk),
        lever=first.lever,
        then=lever_words(desk, first),
        incidents=grouping_words(desk, desk.grouping, redact=redact) if desk.grouping else (),
        notes=notes(desk),
        urgent=names(desk.urgent),
        columns=COLUMNS,
        rows=(_row("as it is", desk.wait, None), *(_row(s.lever, s.wait, s) for s in desk.levers)),
        reached=_reached_chart(desk, given),
        gains=_gains_chart(desk, given),
    )


def terminal_lines(desk: Workload, lead: str | None) -> list[str]:
    """Three lines for the terminal, of the lever that leads."""
    first = next((s for s in desk.levers if s.lever == lead), None)
    if first is None:
        return []
    return [now_words(desk)[-1], *lever_words(desk, first)[:3]]


def now_words(desk: Workload) -> tuple[str, ...]:
    """How it is without any lever."""
    many = desk.alerts_per_day > desk.looks_per_day
    can = f"who can look at {amount(desk.looks_per_day)}" if many else "who can look at them all"
    people = "1 analyst" if desk.analysts == 1 else f"{desk.analysts:,} analysts"
    said = [
        f"{amount(desk.alerts_per_day)} alerts a day come to {people} on shift "
        f"{desk.shift_hours:g} hours a day, {can}; {amount(desk.urgent_per_day)} of them are "
        f"{names(desk.urgent)}."
    ]
    if desk.wait is not None:
        said.append(f"As it is, in the order they come: {_wait_words(desk, desk.wait)}.")
    return tuple(said)


def lever_words(desk: Workload, lever: LeverShift) -> tuple[str, ...]:
    """What one lever would change, what it would cost, in sentences."""
    what, quiet = names(desk.urgent), names(desk.quiet)
    said = []
    if lever.wait is not None and lever.first_hour is not None:
        said.append(
            f"Sorted by {lever.lever}, nothing closed: {_wait_words(desk, lever.wait)}. The first "
            f"analyst-hour of a day's queue finds {percent(lever.first_hour)} of its {what}."
        )
    if lever.alerts_per_hour is None:
        said.append(f"It calls everything {quiet}: closed unseen, nobody would look at anything.")
    else:
        found = "" if lever.urgent_per_hour is None else (
            f", and finds {amount(lever.urgent_per_hour.value)} {what} in it instead of "
            f"{amount(desk.urgent_per_hour)}"
        )  # fmt: skip
        said.append(
            f"With what it calls {quiet} closed unseen, an analyst-hour deals with "
            f"{range_of(lever.alerts_per_hour)} alerts instead of {amount(desk.alerts_per_hour)}"
            f"{found}."
        )
    if lever.missed is not None and lever.missed_per_month is not None:
        said.append(_missed_words(desk, lever, lever.missed, lever.missed_per_month))
    else:
        said.append(f"No test row it answered is {what}: what it would miss is not known.")
    return tuple(said)


def _missed_words(desk: Workload, lever: LeverShift, share: Interval, month: Interval) -> str:
    what, quiet = names(desk.urgent), names(desk.quiet)
    total = f"of {amount(desk.urgent_per_month)} a month"
    if lever.missed_rows == 0:
        return (
            f"Closing costs: none of {lever.urgent_rows} {what} test rows was called {quiet}, "
            f"which still allows for {_percent(share.high)} of them, up to {amount(month.high)} "
            f"{total} closed without a look."
        )
    return (
        f"Closing costs: {lever.missed_rows} of {lever.urgent_rows} {what} test rows were called "
        f"{quiet}, so {amount(month.low)} to {amount(month.high)} {what} ({amount(month.value)} "
        f"as measured) {total} would be closed without a look."
    )


def grouping_words(desk: Workload, found: Grouping, *, redact: bool) -> tuple[str, ...]:
    """What grouping by entity and time would do."""
    what, quiet = names(desk.urgent), names(desk.quiet)
    said = [
        f"{found.rows:,} alerts that share a host, account or address within "
        f"{amount(found.window_minutes)} minutes make {found.incidents:,} incidents, the largest "
        f"of {found.largest:,}: looked at once each, {percent(found.saved)} of looks are saved."
    ]
    if found.urgent_incidents and found.mixed is not None:
        said.append(
            f"{found.mixed_incidents:,} of {found.urgent_incidents:,} incidents of several alerts "
            f"with {what} hold {quiet} too: never close an incident by one of its alerts."
        )
    if found.precision is not None and found.recall is not None and found.f1 is not None:
        said.append(
            f"Against {found.true_incidents or 0:,} known incidents: of pairs put together "
            f"{percent(found.precision)} belong together, of pairs that do {percent(found.recall)} "
            f"are found (pairwise F1 {wording.interval(found.f1)})."
        )
    if found.everywhere:
        which = f"{len(found.everywhere)} names" if redact else ", ".join(
            shortened(name, 40) for name in found.everywhere
        )  # fmt: skip
        said.append(f"Everywhere, so linking nothing: {which}.")
    if found.without:
        said.append(f"{found.without:,} rows have no time or name nobody, and are left out.")
    return tuple(said)


def notes(desk: Workload) -> tuple[str, ...]:
    """What the figures rest on."""
    shares = ", ".join(f"{shortened(k, 24)} {_percent(v)}" for k, v in desk.mix.items())
    said = [
        f"Shares of alerts as the task gives them: {shares}."
        if desk.mix_given
        else f"Shares of alerts are those of the test rows ({shares}), which labelled rows seldom "
        "have by chance: give workload.mix for your own.",
        f"Every look takes {amount(desk.minutes_per_alert)} minutes; alerts come evenly round the "
        "clock; analysts are at work together from the start of each day; what nobody looked at "
        "within a day is never looked at. Waits are simulated under these assumptions.",
    ]
    if desk.grain > desk.alerts_per_hour:
        said.append(
            f"One {names(desk.quiet)} test row stands for {amount(desk.grain)} alerts a day, more "
            "than an analyst-hour's looks: the very head of the queue is finer than these rows "
            "can show."
        )
    plain = [s.lever for s in desk.levers if s.ranked_by == "answers"]
    if plain:
        said.append(f"Without scores, sorted by the answer alone: {', '.join(plain)}.")
    return tuple(said)


def _row(name: str, wait: Wait | None, lever: LeverShift | None) -> tuple[str, ...]:
    seen = ("–", "–", "–")
    if wait is not None:
        seen = (percent(wait.reached), minutes(wait.median), minutes(wait.p95))
    if lever is None:
        return (name, *seen, "–", "–", "–")
    return (
        name, *seen,
        "–" if lever.first_hour is None else percent(lever.first_hour),
        "–" if lever.alerts_per_hour is None else range_of(lever.alerts_per_hour),
        "not known" if lever.missed_per_month is None else range_of(lever.missed_per_month),
    )  # fmt: skip


def _wait_words(desk: Workload, wait: Wait) -> str:
    what = names(desk.urgent)
    said = f"{percent(wait.reached)} of {what} are looked at within a day"
    if wait.median.value is None:
        return f"{said}, the others never"
    said += f", half of them no later than {_minutes(wait.median.value)}"
    if wait.p95.value is None:
        return f"{said}, but more than one in twenty not at all"
    return f"{said}, all but one in twenty no later than {_minutes(wait.p95.value)}"


def names(labels: Sequence[str]) -> str:
    """Labels as a sentence names them."""
    return " or ".join(shortened(label, 30) for label in labels)


def amount(value: float | None) -> str:
    """A number of alerts, whole from ten up."""
    if value is None:
        return "an unknown number"
    if value >= 10:
        return wording.count(value)
    text = wording.significant(value)
    return text.rstrip("0").rstrip(".") if "." in text else text


def range_of(figure: Interval) -> str:
    """A number of alerts with its interval; an open end is said as such."""
    if figure.low is None:
        return amount(figure.value)
    high = "more" if figure.high is None else amount(figure.high)
    return f"{amount(figure.value)} [{amount(figure.low)} to {high}]"


def percent(figure: Interval) -> str:
    """A share in percent with its interval."""
    if figure.low is None or figure.high is None:
        return _percent(figure.value)
    return f"{_percent(figure.value)} [{_percent(figure.low)} to {_percent(figure.high)}]"


def _percent(value: float | None) -> str:
    if value is None:
        return wording.NOT_MEASURED
    whole = 100 * value
    if 0 < whole < 0.05:
        return "under 0.1 %"
    return f"{whole:.0f} %" if whole >= 1 or whole == 0 else f"{wording.significant(whole, 1)} %"


def minutes(figure: Minutes) -> str:
    """A wait with its interval; None is said in words."""
    if figure.value is None and figure.low is None:
        return "never"
    return f"{_minutes(figure.value)} [{_minutes(figure.low)} to {_minutes(figure.high)}]"


def _minutes(value: float | None) -> str:
    if value is None:
        return "never"
    if value < 1:
        return "1 min"
    return f"{value:.0f} min" if value < 120 else f"{value / 60:.1f} h"


def _reached_chart(desk: Workload, given: Mapping[str, Mark]) -> Chart | None:
    shown = [(s.lever, s.wait.reached) for s in desk.levers if s.wait is not None]
    if not shown or desk.wait is None:
        return None
    title = f"share of {names(desk.urgent)} looked at within a day"
    wide, narrow = (
        draw_svg(
            reached(desk.wait.reached, shown, given, what=names(desk.urgent), width=width),
            key=f"reached-{width}", title=visible(title),
            summary=visible("; ".join(f"{lever} {percent(figure)}" for lever, figure in shown)),
        )
        for width in (WIDE, NARROW)
    )  # fmt: skip
    rows = (("as it is", percent(desk.wait.reached)), *((n, percent(f)) for n, f in shown))
    return Chart("reached", _inline(wide), _inline(narrow), ("lever", title), rows)


def _gains_chart(desk: Workload, given: Mapping[str, Mark]) -> Chart | None:
    shown = [s for s in desk.levers if s.gain]
    if not shown:
        return None
    room = min(1.0, desk.looks_per_day / desk.alerts_per_day)
    title = f"share of {names(desk.urgent)} found, by the share of the queue looked at"
    wide, narrow = (
        draw_svg(
            gains(shown, given, room=room, what=names(desk.urgent), width=width),
            key=f"gains-{width}", title=visible(title),
            summary=visible(
                "; ".join(f"{s.lever} {percent(s.shift)} in a day" for s in shown if s.shift)
            ),
        )
        for width in (WIDE, NARROW)
    )  # fmt: skip
    points = [g.looked for g in shown[0].gain][::4]
    columns = ("lever", *(_percent(x) for x in points))
    rows = tuple((s.lever, *(percent(g.reached) for g in s.gain[::4])) for s in shown)
    return Chart("gains", _inline(wide), _inline(narrow), columns, rows)


def _inline(svg: str) -> Markup:
    return Markup(svg)  # noqa: S704 - rebuilt from an allow-list by svg.draw_svg
