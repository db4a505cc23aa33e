"""The program ``whichlever``: its verbs, and what becomes of an error."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Annotated

import typer

from whichlever.cli import (
    advise,
    attack,
    audit,
    autoclose,
    compare,
    curve,
    fetch,
    incidents,
    init,
    keys,
    logs,
    mail,
    models,
    pack,
    record,
    report,
    requests,
    run,
    schema,
    seal,
    serve,
    serve_keys,
    show,
    sign,
    train,
    verify,
)
from whichlever.cli.output import one_line, print_json
from whichlever.errors import WhichleverError
from whichlever.version import VERSION

app = typer.Typer(
    name="whichlever",
    help="Prompt it, retrieve for it, or fine-tune it? Measure all three on your own data.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("init")(init.init)
app.command("advise")(advise.advise)
app.command("audit")(audit.audit)
app.command("compare")(compare.compare)
app.command("curve")(curve.curve)
app.command("attack")(attack.attack)
app.command("report")(report.report)
app.command("train")(train.train)
app.command("pack")(pack.pack)
app.command("show")(show.show)
app.command("fetch")(fetch.fetch)
app.command("incidents")(incidents.incidents)
app.command("record")(record.record)
app.command("requests")(requests.requests)
app.command("schema")(schema.schema)
app.command("run")(run.run)
app.command("seal")(seal.seal)
app.command("serve")(serve.serve)
app.command("sign")(sign.sign)
app.command("verify")(verify.verify)
app.add_typer(serve_keys.app, name="serve-keys")
app.add_typer(keys.app, name="keys")
app.add_typer(models.app, name="models")
app.add_typer(logs.app, name="logs")
app.add_typer(mail.app, name="mail")
app.add_typer(autoclose.app, name="autoclose")


def _version(value: bool) -> None:
    if value:
        typer.echo(VERSION)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def main(argv: list[str] | None = None) -> int:
    """Run the program; the exit code is 0 ok, 1 crash, 2 bad input or usage, 3 a check failed."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    arguments = sys.argv[1:] if argv is None else argv
    try:
        code = app(arguments, standalone_mode=False)
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
