"""Pack: one lever of a finished run as a bundle that answers as the compared model did."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from whichlever.bundle.archive import write_archive
from whichlever.bundle.choice import Choice, choose_lever
from whichlever.bundle.finished import Finished
from whichlever.bundle.format import Manifest
from whichlever.bundle.make import make_files, make_manifest, read_model
from whichlever.measure.scores import mistake_costs
from whichlever.progress import Progress, Silent


@dataclass(frozen=True)
class Packed:
    """A bundle that was written.

    ``notes`` say, a sentence each, what whoever packs it should know.
    """

    path: Path
    choice: Choice
    manifest: Manifest
    bytes: int
    notes: tuple[str, ...]


def pack(
    run: str | Path,
    out: str | Path,
    *,
    lever: str | None = None,
    abstain_below: float | None = None,
    progress: Progress | None = None,
) -> Packed:
    """Pack one lever of a finished run; the same RUN makes the same bytes.

    Parameters
    ----------
    run
        The folder that `compare` wrote.
    out
        The bundle to write.
    lever
        As for `choose_lever`.
    abstain_below
        Answers less probable than this abstain.

    Raises
    ------
    BundleError
        The lever cannot be packed, or its files are missing.
    RunError
        RUN holds no finished comparison.
    """
    progress = progress or Silent()
    finished = Finished.read(Path(run))
    choice = choose_lever(finished, lever)
    with progress.step("read the model"):
        model = read_model(finished, choice.lever, _costs(finished))
    manifest = make_manifest(finished, choice, model, abstain_below=abstain_below)
    path = Path(out)
    with progress.step("write the bundle"):
        write_archive(path, make_files(manifest, model, {}))
    return Packed(path, choice, manifest, path.stat().st_size, model.notes)


def _costs(finished: Finished) -> list[list[float]]:
    """Mistake cost of true label (row) → said label (column)."""
    k = len(finished.labels)
    true, said = np.divmod(np.arange(k * k), k)
    costs = mistake_costs(true, said, finished.labels, finished.task.mistakes)
    return [[float(c) for c in row] for row in costs.reshape(k, k)]
