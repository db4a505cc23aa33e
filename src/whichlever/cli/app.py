"""The program ``whichlever``: its verbs, and what becomes of an error."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated

import typer

from whichlever.cli.output import one_line, print_json
from whichlever.errors import WhichleverError
from whichlever.version import VERSION

VERBS = (
    "init", "advise", "audit", "compare", "curve", "attack", "distill", "bake", "report", "train",
    "pack", "export", "show", "fetch", "incidents", "judge", "record", "requests", "schema", "run",
    "seal", "serve", "sign", "verify",
)  # fmt: skip
"""Each is the function of its name in the module of its name."""

GROUPS = {
    "serve-keys": "serve_keys", "keys": "keys", "models": "models", "logs": "logs", "mail": "mail",
    "autoclose": "autoclose",
}  # fmt: skip
"""Verbs with verbs of their own: the ``app`` of a module."""


def _version(value: bool) -> None:
    if value:
        typer.echo(VERSION)
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def program(arguments: Sequence[str] = ()) -> typer.Typer:
    """The program with the verb that is asked for, or where none is, with all of them.

    Importing every verb takes half a second, which `run` and `serve` do not have to spare.
    """
    made = typer.Typer(
        name="whichlever",
        help="Prompt it, retrieve for it, or fine-tune it? Measure all three on your own data.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    made.callback()(_root)
    asked = [name for name in arguments[:1] if name in VERBS or name in GROUPS]
    for name in asked or (*VERBS, *GROUPS):
        if name in GROUPS:
            module = import_module(f"whichlever.cli.{GROUPS[name]}")
            made.add_typer(module.app, name=name)
        else:
            made.command(name)(getattr(import_module(f"whichlever.cli.{name}"), name))
    return made


def __getattr__(name: str) -> typer.Typer:
    if name != "app":
        raise AttributeError(name)
    globals()["app"] = made = program()
    return made


def main(argv: list[str] | None = None) -> int:
    """Run the program; the exit code is 0 ok, 1 crash, 2 bad input or usage, 3 a check failed."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    arguments = sys.argv[1:] if argv is None else argv
    try:
        code = program(arguments)(arguments, standalone_mode=False)
    except WhichleverError as error:
        return _fail(str(error), error.exit_code, "--json" in arguments)
    except BrokenPipeError:
        # The reader of our output went away (head, less); that is not our error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _fail(f"{where}{error.strerror or error}", 2, "--json" in arguments)
    except typer.Abort:
        return _fail("stopped", 130, False)
    except KeyboardInterrupt:
        return _fail("stopped; the same command goes on from here", 130, False)
    except typer.TyperException as error:
        return _fail(f"{error.format_message()}; see whichlever --help", 2, "--json" in arguments)
    return int(code or 0)


def _fail(message: str, code: int, as_json: bool) -> int:
    line = one_line(message)
    if as_json:
        with contextlib.suppress(OSError):  # standard output may be what there is no room on
            print_json({"error": line, "exit_code": code})
    typer.echo(f"whichlever: {line}", err=True)
    return code
