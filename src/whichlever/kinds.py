"""What each kind of task is measured by, and which keys of a task file make sense for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

METRICS: Final[Mapping[str, tuple[str, ...]]] = {
    "classify": ("macro_f1", "accuracy"),
    "extract": ("micro_f1", "line_exact"),
}
"""The metrics that a goal may name, by kind; the first is the goal unless another is named.

``micro_f1``: over all rows, the F1 of (name, value) pairs said against the true ones.
``line_exact``: the share of rows whose fields are all right and none is missing or too many.
"""

FAMILY_RUNGS: Final[Mapping[str, tuple[str, ...]]] = {
    "classify": ("static", "encoder"),
    "extract": ("tagger",),
}
"""The sizes a fine-tune is done at, by kind; all of them unless some are named."""

_CLASSIFY_KEYS = (
    "labels", "documents", "change", "mistakes", "autoclose", "workload", "noise",
    "attack",
)  # fmt: skip
_CLASSIFY_DATA = ("match", "target_map", "document", "unseen_labels")
_EXTRACT_KEYS = ("fields",)
_EXTRACT_DATA = ("source", "file")


def with_defaults(values: Mapping[str, Any]) -> dict[str, Any]:
    """A task's values with what its kind takes where nothing is said.

    Parameters
    ----------
    values
        As YAML held them; nothing in them is changed in place.
    """
    out = dict(values)
    if out.get("kind") != "extract":
        return out
    goal = out.get("goal", {})
    if isinstance(goal, Mapping):
        out["goal"] = {"metric": METRICS["extract"][0], **goal}
    data = out.get("data")
    if isinstance(data, Mapping):
        out["data"] = {"target": "fields", **data}
    levers = out.get("levers", {"prompt": {}, "rag": {}, "finetune": {}})
    if isinstance(levers, Mapping) and "finetune" in levers:
        tuned = levers["finetune"] if levers["finetune"] is not None else {}
        if isinstance(tuned, Mapping):
            tuned = {"rungs": list(FAMILY_RUNGS["extract"]), "joined": False, **tuned}
        levers = {**levers, "finetune": tuned}
    out["levers"] = levers
    return out


def foreign(
    kind: str, task: Collection[str], data: Collection[str], levers: Collection[str]
) -> str | None:
    """The first key that another kind of task has and this one does not; None where there is none.

    Parameters
    ----------
    task, data, levers
        The keys that were given, at the top, under ``data:`` and under ``levers:``.
    """
    other = "classify" if kind == "extract" else "extract"
    keys = _CLASSIFY_KEYS if kind == "extract" else _EXTRACT_KEYS
    columns = _CLASSIFY_DATA if kind == "extract" else _EXTRACT_DATA
    found = [key for key in keys if key in task]
    found += [f"data.{key}" for key in columns if key in data]
    if kind == "extract" and "hybrid" in levers:
        found.append("levers.hybrid")
    return f"{found[0]} goes with kind: {other}; take it out" if found else None
