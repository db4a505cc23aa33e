"""Where a run stands, so that the same command goes on after a kill and ends with the same bytes.

Answers go to ``OUT.part``; beside it ``.OUT.job.json`` says, after every few batches, how much of
the part is certain and where in the input that is. The part is flushed to disk before the journal
says so, and what stands behind the last certain byte is cut off before going on.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from whichlever.errors import InputError
from whichlever.run import write_text


@dataclass(frozen=True)
class Job:
    """What is being done: a job that differs in any of it is another one.

    ``input`` is the input's SHA-256; ``bundle`` a digest of every file of the bundle but its
    signature, which changes no answer; ``settings`` whatever else the output depends on.
    """

    input: str
    bundle: str
    settings: str


@dataclass(frozen=True)
class Mark:
    """How far a job is: everything before these is certain.

    ``rows`` of the input, byte ``at`` of a plain jsonl input, byte ``out`` of the part; counts.
    """

    rows: int = 0
    at: int = 0
    out: int = 0
    errors: int = 0
    abstained: int = 0
    labels: tuple[tuple[str, int], ...] = ()
    done: bool = False


def identity(path: Path) -> str:
    """SHA-256 of a file; hundreds of times faster to work out than its answers."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Journal:
    """The journal beside an output file."""

    def __init__(self, out: Path, job: Job) -> None:
        self.out, self.job = out, job
        self.part = out.with_name(f"{out.name}.part")
        self.path = out.with_name(f".{out.name}.job.json")

    def read(self, restart: bool) -> Mark:
        """Where to go on; the beginning for a new job. The caller holds the part, open.

        Raises
        ------
        InputError
            The output, or its part, belongs to something else.
        """
        if restart:
            self.path.unlink(missing_ok=True)
            return Mark()
        mark = self._recorded()
        if self.out.exists():
            if mark is not None and mark.done and self.out.stat().st_size == mark.out:
                return mark
            raise InputError(
                f"{self.out} is there already; give another -o, or --restart to replace it"
            )
        written = self.part.stat().st_size if self.part.exists() else 0
        if mark is None and written:
            raise InputError(
                f"{self.part} is of another run (input, bundle or options differ); "
                "finish that one, or --restart to throw it away"
            )
        if mark is None or written < mark.out:  # nothing, or what the mark speaks of is gone
            return Mark()
        return replace(mark, done=mark.done and written == mark.out)

    def _recorded(self) -> Mark | None:
        try:
            said = json.loads(self.path.read_text(encoding="utf-8"))
            if said["job"] != asdict(self.job):
                return None
            mark = said["mark"]
            mark["labels"] = tuple((str(k), int(v)) for k, v in mark["labels"])
            return Mark(**mark)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, mark: Mark) -> None:
        """Say how far the part is certain; the caller has flushed it to disk."""
        write_text(self.path, json.dumps({"job": asdict(self.job), "mark": asdict(mark)}))

    def finish(self, mark: Mark) -> None:
        """Give the part its name."""
        self.write(replace(mark, done=True))
        self.part.replace(self.out)
