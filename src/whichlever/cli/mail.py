"""``whichlever mail``: what is for mail alone."""

from __future__ import annotations

import typer

from whichlever.cli import (
    mail_collect,
    mail_milter,
    mail_scan,
    mail_style,
    mail_threshold,
    mail_watch,
)

app = typer.Typer(help="Mail: rows to learn from, and verdicts with reasons.", no_args_is_help=True)
app.command("collect")(mail_collect.collect)
app.command("history")(mail_collect.history)
app.command("threshold")(mail_threshold.threshold)
app.command("scan")(mail_scan.scan)
app.command("milter")(mail_milter.milter)
app.command("watch")(mail_watch.watch)
app.command("enrol")(mail_style.enrol)
app.command("recalibrate")(mail_style.recalibrate)
app.command("check")(mail_style.check)
app.command("profiles")(mail_style.profiles)
app.command("forget")(mail_style.forget)
