"""The policy's file: made from a run, written once, read strictly."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path

from pydantic import ValidationError

from whichlever.calibrate import clopper_pearson
from whichlever.calibrate.policy import Policy, Promised
from whichlever.calibrate.promises import Kind
from whichlever.errors import CheckFailed, DataError, RunError, TaskError
from whichlever.measure.autoclosing import Autoclose, Promise
from whichlever.measure.summary import Measures
from whichlever.run import digest, read_json

LARGEST = 1_000_000
"""Bytes that a policy file may have."""


def make_policy(run: Path, lever: str | None = None, kind: Kind = "high confidence") -> Policy:
    """Make a policy from a finished run, with a new random salt.

    Parameters
    ----------
    lever
        The lever that will score rows; the one that the verdict pulls unless given.
    kind
        Which of the two promises its threshold keeps.

    Raises
    ------
    TaskError
        The run's task asks for no auto-close.
    DataError
        No lever is pulled and none is named, or the run has no such lever.
    CheckFailed
        The promise is refused; the message says what would be needed.
    """
    measures = _measures(run)
    found = measures.autoclose
    if found is None:
        raise TaskError(f"{run} has no autoclose: in its task.yaml; add it and run compare again")
    name = lever or _pulled(run)
    if name not in {own.lever for own in found.levers}:
        known = ", ".join(own.lever for own in found.levers)
        raise DataError(f"{run} has no lever {name!r}; it has {known}")
    own = found.lever(name)
    promise = own.high_confidence if kind == "high confidence" else own.expected_loss
    if promise is None:
        raise CheckFailed(own.refusal or f"{name} can promise nothing")
    if not promise.held or promise.threshold is None or promise.calibration is None:
        raise CheckFailed(f"{name}: {promise.refusal}")
    step = _step(run, name)
    summary = measures.lever(name)
    return Policy(
        task=str(read_json(run / "verdict.json").get("task")),
        lever=name,
        what=summary.what,
        fit=step.name,
        labels=measures.labels,
        label=found.label,
        protect=found.protect,
        threshold=promise.threshold,
        temperature=float(read_json(step / "step.json").get("temperature") or 1.0),
        promise=Promised(
            kind=promise.kind,
            scope=promise.scope,
            text=promise.text,
            at_most=promise.at_most,
            confidence=found.confidence,
            units=promise.units,
        ),
        review=found.review,
        salt=secrets.token_hex(32),
        protected_among_closed=allowed_among_closed(promise, found),
    )


def allowed_among_closed(promise: Promise, found: Autoclose) -> float:
    """Largest share of protected rows among closed ones that the promise leaves room for.

    ``at_most`` of the protected rows, over the rows that are closed: the share of protected rows
    is taken at the upper and the share closed at the lower end of its Clopper–Pearson interval on
    calibration rows, so that sampling alone does not look like a broken promise.
    """
    rows = promise.calibration
    if rows is None or not rows.rows:
        return 1.0
    most = clopper_pearson(rows.protected_rows, rows.rows, found.confidence)[1]
    least = clopper_pearson(rows.closed, rows.rows, found.confidence)[0]
    return min(1.0, promise.at_most * most / least) if least > 0 else 1.0


def _measures(run: Path) -> Measures:
    try:
        return Measures.model_validate(read_json(run / "measures.json"))
    except ValidationError as error:
        raise RunError(f"{run}/measures.json is damaged; run compare again") from error


def _pulled(run: Path) -> str:
    lever = read_json(run / "verdict.json").get("lever")
    if not lever:
        raise DataError(f"the verdict of {run} pulls no lever; name one with --lever")
    return str(lever)


def _step(run: Path, lever: str) -> Path:
    """The folder of the lever's finished step."""
    done = sorted((run / "fits" / lever).glob("*/step.json"))
    if len(done) != 1:
        raise RunError(f"{run} holds no finished step of {lever}; run compare again")
    return done[0].parent


def write_policy(path: Path, policy: Policy) -> None:
    """Write a new policy, readable by its owner alone: it holds the salt.

    Raises
    ------
    DataError
        A file is there already; a policy is not written over, since its journal belongs to it.
    """
    text = json.dumps(policy.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise DataError(f"{path} is there already; give another name with --policy") from None
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())


def read_policy(path: Path) -> Policy:
    """Read a policy.

    Raises
    ------
    DataError
        The file is missing, too large, or not a policy.
    """
    try:
        with path.open("rb") as given:
            raw = given.read(LARGEST + 1)
    except OSError as error:
        raise DataError(
            f"{path}: {error.strerror}; make it with: whichlever autoclose RUN --policy {path}"
        ) from error
    if len(raw) > LARGEST:
        raise DataError(f"{path} is too large for a policy")
    try:
        return Policy.model_validate_json(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise DataError(f"{path}: {where}: {first['msg']}; make the policy again") from None


def identity(policy: Policy) -> str:
    """A short name of a policy that tells nothing of its salt."""
    return digest(policy.model_dump(mode="json"))[:16]
