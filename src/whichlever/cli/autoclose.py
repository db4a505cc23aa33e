"""``whichlever autoclose``: a policy from a run, over scored lines, its review, its kill switch."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, BinaryIO, TextIO

import typer
from typer.core import TyperGroup

from whichlever.cli.bars import Bars
from whichlever.cli.options import Json, RunFolder, go_offline
from whichlever.cli.output import one_line, print_json

MAKE = "make"


class _RunFirst(TyperGroup):
    """``autoclose RUN`` is ``autoclose make RUN``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - typer's own
        if args and args[0] not in self.commands and args[0] not in ("-h", "--help"):
            args = [MAKE, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_RunFirst,
    help="Close rows unseen under a promise: `autoclose RUN` makes the policy of a run.",
    no_args_is_help=True,
)

PolicyFile = Annotated[
    Path, typer.Option("--policy", metavar="POLICY", help="The policy file; keep it secret.")
]
Given = Annotated[str, typer.Option("-i", "--in", metavar="FILE", help='Lines in; "-" is a pipe.')]
Out = Annotated[str, typer.Option("-o", "--out", metavar="FILE", help='Lines out; "-" a pipe.')]


@app.command(MAKE)
def make(
    run: RunFolder,
    lever: Annotated[
        str | None, typer.Option("--lever", help="The lever that scores; else the one pulled.")
    ] = None,
    policy: Annotated[
        Path | None, typer.Option("--policy", metavar="POLICY", help="Write the policy here.")
    ] = None,
    expected: Annotated[
        bool, typer.Option("--expected", help="Keep the expected-loss promise instead.")
    ] = False,
    json: Json = False,
) -> None:
    """Make a policy from a finished run; exit 3 where the promise is refused."""
    go_offline()
    from whichlever.autoclose.policy_file import make_policy, write_policy

    made = make_policy(run, lever, "expected loss" if expected else "high confidence")
    if policy is not None:
        write_policy(policy, made)
    told = made.model_dump(mode="json", exclude={"salt"})
    if json:
        print_json({"policy": None if policy is None else str(policy), **told})
        return
    typer.echo(f"{made.lever}: {one_line(made.promise.text)} ({made.promise.kind})")
    typer.echo(
        f"  closes what it answers as {one_line(made.label)} at log-odds above "
        f"{made.threshold:.3f}; {made.review:g} of it is drawn for review"
    )
    if policy is None:
        typer.echo("  nothing is written: give --policy policy.json")
    else:
        typer.echo(f"  written: {policy} (it holds the secret of the review's draw)")


@app.command("apply")
def apply(policy: PolicyFile, given: Given = "-", out: Out = "-", json: Json = False) -> None:
    """Close or leave open each line of `whichlever run`; one line out per line in, in order."""
    go_offline()
    from whichlever.autoclose.policy_file import read_policy
    from whichlever.autoclose.stream import apply_policy
    from whichlever.autoclose.switch import Switch

    read, switch = read_policy(policy), Switch(policy)
    bars = Bars(quiet=json or out == "-")
    with (
        _reading(given) as lines,
        _writing(out, like=given) as sink,
        bars.step("close") as bar,
    ):
        counts = apply_policy(read, switch, lines, sink, bar.advance)
    told = vars(counts)
    if json and out != "-":
        print_json(told)
    else:
        summary = ", ".join(f"{name.replace('_', ' ')} {n:,}" for name, n in told.items())
        typer.echo(summary, err=True)


@app.command("review")
def review(policy: PolicyFile, given: Given = "-", json: Json = False) -> None:
    """Take analysts' answers to the drawn rows; exit 3 where the promise is shown broken."""
    go_offline()
    from whichlever.autoclose import review as reviews
    from whichlever.autoclose.policy_file import read_policy
    from whichlever.errors import CheckFailed

    read = read_policy(policy)
    with _reading(given) as lines:
        found = reviews.review(read, policy, lines)
    if json:
        print_json(found.told())
    else:
        for line in reviews.sentences(read, found):
            typer.echo(one_line(line))
    if found.broken is not None:
        if json:
            raise typer.Exit(CheckFailed.exit_code)
        raise CheckFailed(f"the promise is broken, nothing is closed any more: {found.broken}")


@app.command("status")
def status(policy: PolicyFile, json: Json = False) -> None:
    """Say whether rows are closed, and what the review says so far."""
    go_offline()
    from whichlever.autoclose import review as reviews
    from whichlever.autoclose.policy_file import read_policy
    from whichlever.autoclose.switch import Switch

    read, switch = read_policy(policy), Switch(policy)
    found, closing = reviews.so_far(read, policy), switch.closing()
    if json:
        why = None if closing else switch.why()
        print_json(
            {"closing": closing, "tripped": switch.tripped(), "why": why, "review": found.told()}
        )
        return
    state = "on: rows are closed" if closing else f"off: every row stays open ({switch.why()})"
    typer.echo(one_line(state))
    for line in (read.promise.text, *reviews.sentences(read, found)):
        typer.echo(one_line(line))


@app.command("off")
def off(
    policy: PolicyFile,
    why: Annotated[str, typer.Option("--why", help="For whoever reads it later.")] = "by hand",
    json: Json = False,
) -> None:
    """Keep every row open from now on, in running streams too."""
    _move(policy, "off", why, json, anyway=False)


@app.command("on")
def on(
    policy: PolicyFile,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Though the promise was shown broken.")
    ] = False,
    json: Json = False,
) -> None:
    """Allow closing again."""
    _move(policy, "on", "anyway" if anyway else "by hand", json, anyway=anyway)


def _move(policy: Path, way: str, why: str, json: bool, *, anyway: bool) -> None:
    go_offline()
    from whichlever.autoclose import review as reviews
    from whichlever.autoclose.policy_file import read_policy
    from whichlever.autoclose.switch import Switch

    switch = Switch(policy)
    if way == "off":
        switch.off(why)  # before anything that may fail
        reviews.note(read_policy(policy), policy, way, why)
    else:
        read = read_policy(policy)
        switch.on(anyway=anyway)
        reviews.note(read, policy, way, why)
    if json:
        print_json({"closing": switch.closing()})
    else:
        typer.echo("on: rows are closed" if switch.closing() else "off: every row stays open")


@contextmanager
def _reading(name: str) -> Iterator[BinaryIO]:
    if name == "-":
        yield sys.stdin.buffer
        return
    with Path(name).open("rb") as handle:
        yield handle


@contextmanager
def _writing(name: str, like: str) -> Iterator[TextIO]:
    """A file that is whole or not there; a pipe line by line where lines come from one."""
    if name == "-":
        sys.stdout.reconfigure(line_buffering=like == "-")  # type: ignore[union-attr]
        yield sys.stdout
        return
    from whichlever.run import written_aside

    with written_aside(Path(name)) as aside, aside.open("w", encoding="utf-8") as handle:
        yield handle
