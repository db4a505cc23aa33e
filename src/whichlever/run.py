"""The RUN folder: what is where, who may write, and how a write is never half done."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from whichlever.errors import RunError

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows has no advisory locks
    fcntl = None  # type: ignore[assignment]

KNOWN = frozenset(
    {
        "task.yaml", "environment.json", "audit.json", "splits.parquet", "trials.parquet",
        "examples.parquet", "curves.parquet", "fits", "requests.jsonl", "measures.json",
        "verdict.json", "report.html", "lock", "noise.parquet", "attack.json", "baked",
        "baked.json", "distill.json", "distill.md",
    }
)  # fmt: skip


@contextmanager
def locked(run: Path) -> Iterator[None]:
    """Hold RUN for writing; the lock goes with the process, so a killed one leaves none.

    Raises
    ------
    RunError
        Another process writes there, or the folder holds something else.
    """
    if run.exists() and not run.is_dir():
        raise RunError(f"{run} is a file; give a folder with -o")
    if run.is_dir():
        foreign = sorted(p.name for p in run.iterdir() if p.name not in KNOWN)
        foreign = [name for name in foreign if not name.startswith(".wl-")]
        if foreign and not (run / "task.yaml").exists():
            raise RunError(f"{run} holds other files ({foreign[0]}); give a new folder with -o")
    run.mkdir(parents=True, exist_ok=True)
    with (run / "lock").open("a+") as handle:
        if fcntl is not None:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise RunError(
                    f"{run} is in use by another process; wait, or use another -o"
                ) from error
        for torn in run.rglob(".wl-*"):  # only now: another writer's files are its own
            torn.unlink(missing_ok=True)
        yield


@contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """Give a path to write to, and rename it to ``path`` only when all went well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".wl-", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    aside = Path(name)
    try:
        yield aside
        with aside.open("rb") as written:
            os.fsync(written.fileno())
        aside.chmod(0o644)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write text as UTF-8, whole or not at all."""
    with written_aside(path) as aside:
        aside.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:  # noqa: ANN401 - any JSON value
    """Write JSON, indented, whole or not at all."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:  # noqa: ANN401 - any JSON value
    """Read JSON that a run wrote.

    Raises
    ------
    RunError
        The file is missing or is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RunError(
            f"{path} is missing; make it with: whichlever compare TASK -o RUN"
        ) from error
    except ValueError as error:
        raise RunError(f"{path} is damaged; delete it and run compare again") from error


def digest(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """SHA-256 of a JSON value in canonical form, as hex."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
