"""``whichlever seal``: everything that a machine without a network needs, in one file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from whichlever.cli.bars import Bars, duration
from whichlever.cli.options import Json, go_offline
from whichlever.cli.output import one_line, print_json
from whichlever.cli.sign import ENVIRONMENT
from whichlever.errors import InputError

if TYPE_CHECKING:
    from whichlever.seal import CarriedWeights, CheckedKit, Sealed, SealPlan

LARGEST = 8
"""How many of a plan's items are named one by one."""


def seal(
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="KIT", help="The kit to make (kit.tar).")
    ] = None,
    bundle: Annotated[
        list[Path] | None, typer.Option(metavar="BUNDLE", help="A bundle to put in (repeatable).")
    ] = None,
    extras: Annotated[
        str | None,
        typer.Option(metavar="A,B", help="Optional parts, e.g. sign,serve; left out: all."),
    ] = None,
    no_train: Annotated[
        bool, typer.Option("--no-train", help="A small kit that verifies, runs and serves.")
    ] = False,
    weights: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Weights to put in (repeatable), or none; left out: the two defaults, where "
            "they are here and the kit trains or asks a language model.",
        ),
    ] = None,
    wheels: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Wheels that were kept; taken where they fit."),
    ] = None,
    level: Annotated[
        int, typer.Option(min=1, max=9, help="How hard wheels are compressed; 1 is quick.")
    ] = 6,
    key: Annotated[
        Path | None,
        typer.Option(
            metavar="KEY", help="The private key that signs; with --check, who may have signed."
        ),
    ] = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Say what would go in and how large; make nothing.")
    ] = False,
    check: Annotated[
        Path | None, typer.Option(metavar="KIT", help="Check a kit instead of making one.")
    ] = None,
    json: Json = False,
) -> None:
    """Seal a kit for a machine with no network: wheels, weights, bundles, bill, installer.

    Wheels are packed again from what is installed here, so no package index is reached.
    """
    go_offline()
    if check is not None:
        if out is not None:
            raise InputError("give --check KIT or -o KIT, not both")
        return _check(check, key, json)
    if no_train and extras is not None:
        raise InputError("--no-train chooses the extras; give it or --extras")
    from whichlever.seal import ANSWERING, WHOLE, plan_kit, write_kit

    chosen: tuple[str, ...] = ANSWERING if no_train else WHOLE
    if extras is not None:
        chosen = tuple(part.strip() for part in extras.split(",") if part.strip())
    made = plan_kit(chosen, _carried(weights, chosen), bundle or (), wheels, level)
    if plan:
        return _show_plan(made, json)
    if out is None:
        raise InputError("where does the kit go? -o kit.tar (or --plan, or --check KIT)")
    if not json:
        typer.echo(_summary(made))
    secret = os.environ.get(ENVIRONMENT) or None
    sealed = write_kit(made, out, key, secret, Bars(quiet=json))
    return print_json(_as_json(sealed, made)) if json else _say(sealed, made)


def _carried(names: list[str] | None, extras: tuple[str, ...]) -> list[CarriedWeights]:
    from whichlever.llm.portable import portable
    from whichlever.llm.weights import DEFAULTS, list_weights
    from whichlever.seal import CarriedWeights

    if names == ["none"] or (names is None and not {"train", "llm"} & set(extras)):
        return []
    if names is None:
        names = [found.name for found in list_weights() if found.name in DEFAULTS]
    return [CarriedWeights(*portable(name)) for name in dict.fromkeys(names)]


def _summary(plan: SealPlan) -> str:
    return (
        f"sealing {len(plan.packages)} packages ({', '.join(plan.extras) or 'no extras'}), "
        f"{len(plan.weights)} weights and {len(plan.bundles)} bundles: about "
        f"{_mb(plan.bytes)}, {duration(plan.seconds)}"
    )


def _show_plan(plan: SealPlan, json: bool) -> None:
    if json:
        print_json(
            {
                "extras": plan.extras,
                "items": [item._asdict() for item in plan.items],
                "bytes": plan.bytes,
                "installed_bytes": plan.installed_bytes,
                "seconds": round(plan.seconds, 1),
            }
        )
        return
    typer.echo(_summary(plan))
    for kind in ("wheel", "weights", "bundle"):
        items = [item for item in plan.items if item.kind == kind]
        for item in items[:LARGEST]:
            about = "" if item.exact else "about "
            typer.echo(f"  {kind:<8} {about + _mb(item.bytes):>16}  {one_line(item.name)}")
        rest = sum(item.bytes for item in items[LARGEST:])
        if rest:
            typer.echo(f"  {kind:<8} {'about ' + _mb(rest):>16}  {len(items) - LARGEST} others")
    typer.echo(f"installed, about {_mb(plan.installed_bytes)}")


def _as_json(sealed: Sealed, plan: SealPlan) -> dict[str, Any]:
    return {
        "kit": str(sealed.path),
        "folder": sealed.folder,
        "bytes": sealed.bytes,
        "estimated_bytes": plan.bytes,
        "sha256": sealed.sha256,
        "signer": None if sealed.signer is None else sealed.signer.name,
        "bom_validated": sealed.validated,
        **sealed.kit.model_dump(mode="json"),
    }


def _say(sealed: Sealed, plan: SealPlan) -> None:
    kit = sealed.kit
    libc = f", glibc {kit.glibc} or newer" if kit.glibc else ""
    by = f"signed by {sealed.signer.name}" if sealed.signer else "not signed (--key NAME.key)"
    typer.echo(f"{sealed.path}: {_mb(sealed.bytes)} (estimated {_mb(plan.bytes)}), {by}")
    typer.echo(f"  for Python {kit.python} on {kit.platform}{libc}")
    for bundle in kit.bundles:
        if not bundle.signed:
            typer.echo(f"  {one_line(bundle.file)} is not signed; there it needs --allow-unsigned")
    typer.echo(f"  sha256 {sealed.sha256}")
    typer.echo(f"there: tar xf {sealed.path.name} && sh {sealed.folder}/install.sh DIR")


def _check(path: Path, key: Path | None, json: bool) -> None:
    from whichlever.seal import check_kit

    checked = check_kit(path, key, Bars(quiet=json))
    if json:
        print_json(
            {
                "kit": str(path),
                "folder": checked.folder,
                "signed": checked.signed,
                "signer": None if checked.signer is None else checked.signer.name,
                "files": len(checked.digests),
                "bytes": checked.bytes,
                **checked.kit.model_dump(mode="json"),
            }
        )
        return
    typer.echo(f"{path}: holds, {len(checked.digests)} files, {_mb(checked.bytes)}")
    typer.echo(f"  {_vouched(checked)}")
    kit = checked.kit
    typer.echo(
        f"  whichlever {kit.whichlever} ({', '.join(kit.extras)}) for Python {kit.python} "
        f"on {kit.platform}, {len(kit.packages)} packages"
    )
    for weights in kit.weights:
        typer.echo(f"  weights {one_line(weights.name)}: {one_line(weights.licence or '')}")
    for bundle in kit.bundles:
        typer.echo(f"  bundle {one_line(bundle.file)}: {one_line(bundle.task)}")


def _vouched(checked: CheckedKit) -> str:
    if checked.signer is not None:
        return f"signed by {checked.signer.name} ({checked.signer.fingerprint[:16]}…)"
    if checked.signed:
        return "signed; say by whom it may be with --key NAME.pub: checksums tell no forgery"
    return "not signed: its checksums tell damage, not forgery"


def _mb(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
