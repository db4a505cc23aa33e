"""A finished RUN as packing reads it: its files alone, and nothing that quotes an input."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from whichlever.errors import BundleError, RunError
from whichlever.run import read_json
from whichlever.task import Task

LABELS_KEY = b"whichlever.labels"


@dataclass(frozen=True)
class Finished:
    """What RUN says of itself.

    ``measures``, ``verdict``, ``environment`` and ``audit`` are as JSON holds them: a bundle
    stands below the rooms that measure and decide, and quotes what they wrote.
    """

    run: Path
    task: Task
    labels: tuple[str, ...]
    measures: Mapping[str, Any]
    verdict: Mapping[str, Any]
    environment: Mapping[str, Any]
    audit: Mapping[str, Any]
    roles: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def read(cls, run: Path) -> Finished:
        """Read a RUN folder.

        Raises
        ------
        RunError
            It holds no finished comparison, or is damaged.
        """
        if not run.is_dir():
            raise RunError(f"{run} is not a folder; give the RUN folder that compare -o wrote")
        said = {
            name: _object(run / f"{name}.json") for name in ("verdict", "measures", "environment")
        }
        audit = _object(run / "audit.json") if (run / "audit.json").exists() else {}
        return cls(
            run=run,
            task=Task.load(run / "task.yaml"),
            labels=_labels(run / "trials.parquet"),
            measures=said["measures"],
            verdict=said["verdict"],
            environment=said["environment"],
            audit=audit,
            roles=_roles(run / "splits.parquet"),
        )

    def summary(self, lever: str) -> Mapping[str, Any] | None:
        """What was measured of one lever; None where it did not run."""
        return next((s for s in self.measures.get("levers", ()) if s.get("lever") == lever), None)

    def step(self, lever: str, needed: str) -> Path:
        """The folder of a lever's fit that holds the file ``needed``.

        Raises
        ------
        BundleError
            There is no such fit, or there are several and none of them is finished.
        """
        home = self.run / "fits" / lever
        fits = sorted(home.iterdir()) if home.is_dir() else []
        found = [folder for folder in fits if (folder / needed).exists()]
        if len(found) > 1:  # unfinished fits under other settings may lie beside the one measured
            found = [folder for folder in found if (folder / "step.json").exists()] or found
        if len(found) != 1:
            what = "no fit" if not found else f"{len(found)} fits"
            raise BundleError(
                f"{home}: {what} of {lever} with {needed} there; run compare again on this RUN"
            )
        return found[0]


def _object(path: Path) -> Mapping[str, Any]:
    said = read_json(path)
    if not isinstance(said, dict):
        raise RunError(f"{path} is damaged; run compare again")
    return said


def _labels(path: Path) -> tuple[str, ...]:
    import pyarrow.parquet as pq

    try:
        metadata = pq.read_schema(path).metadata or {}
        labels = json.loads(metadata[LABELS_KEY])
    except (OSError, ValueError, KeyError) as error:
        raise RunError(f"{path} is missing or damaged; run compare again") from error
    return tuple(str(label) for label in labels)


def _roles(path: Path) -> dict[str, int]:
    import pyarrow.parquet as pq

    if not path.exists():
        return {}
    try:
        roles = pq.read_table(path, columns=["role"])["role"].to_pylist()
    except (OSError, ValueError) as error:
        raise RunError(f"{path} is damaged; run compare again") from error
    return {role: roles.count(role) for role in ("train", "valid", "calibrate", "test")}
