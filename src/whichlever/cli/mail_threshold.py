"""``whichlever mail threshold``: the operating point, by false alarms per thousand mails."""

from __future__ import annotations

from typing import Annotated

import typer

from whichlever.cli.options import Json, RunFolder, go_offline
from whichlever.cli.output import one_line, print_json


def threshold(
    run: RunFolder,
    per_thousand: Annotated[
        float,
        typer.Option(min=0.001, max=500, help="False alarms allowed in 1,000 wanted mails."),
    ] = 1.0,
    mails_a_day: Annotated[
        int, typer.Option(min=1, help="Wanted mails a day, to say what that means.")
    ] = 1_000,
    lever: Annotated[
        str | None, typer.Option("--lever", help="The lever that scores; else the one pulled.")
    ] = None,
    label: Annotated[str, typer.Option(help="The label that is an alarm.")] = "phishing",
    json: Json = False,
) -> None:
    """Choose `mail scan`'s --threshold on calibration mails; say what it does on test mails.

    Two thresholds: the one that keeps to the rate on the calibration mails, and the one that
    keeps to it on all mails like them with 95 % confidence, where they are enough for that.
    """
    go_offline()
    from whichlever.operating import operating_points

    found = operating_points(run, label, per_thousand / 1_000, lever)
    if json:
        print_json(found.as_json())
        return
    typer.echo(
        f"{one_line(found.lever)}: at most {per_thousand:g} false alarms in 1,000 wanted mails "
        f"({per_thousand * mails_a_day / 1_000:.3g} a day of {mails_a_day:,})"
    )
    for point in found.points:
        typer.echo(f"  --threshold {point.threshold:.6g}  {point.means}")
        for where, rates in (("calibration", point.calibrate), ("test", point.test)):
            share, low, high = rates.false_share
            caught, least, most = rates.caught
            typer.echo(
                f"    {where}: {rates.alarms} of {rates.wanted:,} wanted mails, "
                f"{1000 * share:.1f} [{1000 * low:.1f}, {1000 * high:.1f}] in 1,000; "
                f"catches {caught:.3f} [{least:.3f}, {most:.3f}]"
            )
        for name, (alarms, rows) in point.groups.items():
            typer.echo(f"      test, {one_line(name)}: {alarms} of {rows:,}")
    if found.needed:
        typer.echo(
            f"  with 95 % confidence: {found.needed:,} wanted calibration mails are needed for "
            f"that rate, {found.points[0].calibrate.wanted:,} are there"
        )
