"""``whichlever attack``: text that an attacker controls, on a run's levers or a live server."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from whichlever.cli.bars import Bars
from whichlever.cli.options import Egress, Json, RunFolder, go_offline
from whichlever.cli.output import print_json
from whichlever.errors import CheckFailed, InputError

if TYPE_CHECKING:
    from whichlever.measure.attack import Attacks
    from whichlever.settings_attack import AttackSettings
    from whichlever.task import Task


def attack(
    run: RunFolder,
    lever: Annotated[
        list[str] | None, typer.Option("--lever", help="Only this lever (repeatable).")
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(metavar="URL", help="A live whichlever serve, instead of the run's levers."),
    ] = None,
    key_env: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The environment variable that holds the API key."),
    ] = None,
    canaries: Annotated[
        bool,
        typer.Option(
            "--canaries", help="Fit linear and finetune-static again on rows with canaries in them."
        ),
    ] = False,
    memory: Annotated[
        bool,
        typer.Option(
            "--memory", help="What fitted levers keep of single rows: membership, exposure."
        ),
    ] = False,
    task: Annotated[
        Path | None,
        typer.Option(metavar="TASK", help="The task file, where the data lies elsewhere."),
    ] = None,
    strings: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Strings to try besides the house's own.")
    ] = None,
    control: Annotated[
        list[str] | None,
        typer.Option(metavar="FIELD", help="A field that an attacker writes (repeatable)."),
    ] = None,
    place: Annotated[
        str | None, typer.Option(help="Where in it: behind, before or inside what is there.")
    ] = None,
    protect: Annotated[
        list[str] | None,
        typer.Option(metavar="LABEL", help="A label not to be turned (repeatable)."),
    ] = None,
    into: Annotated[
        str | None, typer.Option(metavar="LABEL", help="The label that an attacker wants.")
    ] = None,
    rows: Annotated[int | None, typer.Option(min=1, help="Protected test rows, at most.")] = None,
    questions: Annotated[
        int | None, typer.Option(min=1, help="Questions a row with given strings.")
    ] = None,
    search: Annotated[
        int | None, typer.Option(min=0, help="Questions a row in each search; 0: none.")
    ] = None,
    chars: Annotated[int | None, typer.Option(min=10, help="Characters added to a row.")] = None,
    minutes: Annotated[float | None, typer.Option(min=0.01, help="Time a lever, about.")] = None,
    leaks: Annotated[
        int | None, typer.Option(min=0, help="Strings that ask for instructions; 0: none.")
    ] = None,
    at_most: Annotated[
        float | None,
        typer.Option(min=0.0, max=1.0, help="Exit 3 unless the flip rate is shown to be below."),
    ] = None,
    redact: Annotated[bool, typer.Option("--redact", help="Quote no input in the page.")] = False,
    json: Json = False,
    allow_egress: Egress = None,
) -> None:
    """Try to turn the labels that matter into a cheap one, and say how often that works.

    What is found goes into RUN: measures.json, attack.json, the verdict and the page. Stopped, the
    same command goes on; options change what the task's attack: says.
    """
    allowed = go_offline(allow_egress)
    from whichlever.attacking import attack_finished, hunt_finished, remember_finished

    if canaries and memory:
        raise InputError("--canaries and --memory are two questions; ask one after the other")
    key = _key(key_env)
    changed: dict[str, Any] = {
        "strings": None if strings is None else str(strings.resolve()),
        "controls": control or None, "place": place, "protect": protect or None, "into": into,
        "rows": rows, "questions": questions, "search": search, "chars": chars, "minutes": minutes,
        "leaks": leaks, "at_most": at_most,
    }  # fmt: skip
    given = {name: value for name, value in changed.items() if value is not None}
    settings = _settings(given)
    if canaries or memory:
        look = hunt_finished if canaries else remember_finished
        done, found = look(run, settings, beside=task, only=lever, progress=Bars(quiet=json))
    else:
        done, found = attack_finished(
            run, settings, beside=task, only=lever, against=against, key=key,
            progress=Bars(quiet=json), allow_egress=allowed,
        )  # fmt: skip
    from whichlever.report import write_report
    from whichlever.report.attack import attack_lines

    page = write_report(done.run, redact=redact)
    if json:
        print_json(
            {
                "run": str(done.run),
                "report": str(page),
                "attacks": found.model_dump(mode="json"),
                "verdict": done.verdict.model_dump(mode="json"),
            }
        )
    else:
        console = Console()
        for line in attack_lines(found):
            console.print(line, markup=False, highlight=False)
        console.print(f"\nreport: {page}", soft_wrap=True, markup=False, highlight=False)
    _check(found, at_most, against is not None, lever)


def _key(name: str | None) -> str | None:
    if name is None:
        return None
    key = os.environ.get(name)
    if not key:
        raise InputError(f"the environment variable {name} holds no key; set it")
    return key


def _settings(given: dict[str, Any]) -> Any:  # noqa: ANN401 - a function of the task's settings
    """What the command line changes in the task's settings, checked like the task's own."""

    def changed(task: Task) -> AttackSettings:
        from pydantic import ValidationError

        from whichlever.settings_attack import AttackSettings

        base = {} if task.attack is None else task.attack.model_dump(exclude_unset=True)
        try:
            return AttackSettings.model_validate({**base, **given})
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise InputError(f"attack {where}: {first['msg']}") from None

    return changed


def _check(found: Attacks, at_most: float | None, served: bool, only: list[str] | None) -> None:
    """Fail where a limit was given and some lever is not shown to keep it."""
    if at_most is None:
        return
    tried = [
        one
        for one in (found.served if served else found.levers)
        if one.flip is not None and (only is None or served or one.lever in only)
    ]
    over = [one.lever for one in tried if one.flip and (one.flip.high or 1.0) > at_most]
    if over or not tried:
        raise CheckFailed(
            f"not shown to be turned on at most {at_most:g} of rows: {', '.join(over) or 'nothing'}"
        )
