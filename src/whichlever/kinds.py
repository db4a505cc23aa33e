"""What each kind of task is measured by, and which keys of a task file make sense for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

METRICS: Final[Mapping[str, tuple[str, ...]]] = {
    "classify": ("macro_f1", "accuracy"),
    "extract": ("micro_f1", "line_exact"),
    "generate": ("exact_match", "token_f1", "rouge_l"),
    "verify": ("auc", "accuracy"),
}
"""The metrics that a goal may name, by kind; the first is the goal unless another is named.

``micro_f1``: over all rows, the F1 of (name, value) pairs said against the true ones.
``line_exact``: the share of rows whose fields are all right and none is missing or too many.
``exact_match``, ``token_f1``, ``rouge_l``: means over rows, after normalising
(`whichlever.likeness`).
``auc``: of telling genuine from impostor, each person's own, its mean over persons.
"""

FAMILY_RUNGS: Final[Mapping[str, tuple[str, ...]]] = {
    "classify": ("static", "encoder"),
    "extract": ("tagger",),
    "generate": ("decoder", "static", "encoder"),
    "verify": ("style",),
}
"""The sizes a fine-tune is done at, by kind; all of them unless some are named."""

_LABELLED = ("classify",)
_TASK_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(("labels", "change", "mistakes", "autoclose", "workload"), _LABELLED),
    **dict.fromkeys(("noise", "attack", "guard"), _LABELLED),
    "documents": ("classify", "generate"),
    "curve": ("classify", "extract"),
    "fields": ("extract",),
    **dict.fromkeys(("answers", "answer_schema", "judge"), ("generate",)),
}
_DATA_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(("target_map", "document", "unseen_labels"), _LABELLED),
    "match": ("classify", "generate"),
    "source": ("extract", "classify"),
    "file": ("extract",),
    "identity": ("verify",),
    "author": ("verify",),
}
_LEVER_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "hybrid": _LABELLED,
    "distill": ("classify", "generate"),
    **dict.fromkeys(("prompt", "rag"), ("classify", "extract", "generate")),
}
"""Keys that not every kind takes, and the kinds that do."""

_TARGETS: Final[Mapping[str, str]] = {
    "extract": "fields", "generate": "output", "verify": "genuine",
}  # fmt: skip
_RUNGS: Final[Mapping[str, tuple[str, ...]]] = {
    "extract": ("tagger",), "generate": ("decoder",), "verify": ("style",),
}  # fmt: skip


def with_defaults(values: Mapping[str, Any]) -> dict[str, Any]:
    """A task's values with what its kind takes where nothing is said.

    Parameters
    ----------
    values
        As YAML held them; nothing in them is changed in place.
    """
    out = dict(values)
    kind = out.get("kind")
    if not isinstance(kind, str) or kind not in _TARGETS:
        return out
    goal = out.get("goal", {})
    if isinstance(goal, Mapping):
        out["goal"] = {"metric": METRICS[kind][0], **goal}
    data = out.get("data")
    if isinstance(data, Mapping):
        out["data"] = {"target": _TARGETS[kind], **data}
        split = data.get("split", {})
        if kind == "verify" and isinstance(split, Mapping):
            out["data"]["split"] = {"by": "open_set", **split}
    asked: dict[str, Any] = {} if kind == "verify" else {"prompt": {}, "rag": {}}
    levers = out.get("levers", {**asked, "finetune": {}})
    if isinstance(levers, Mapping) and "finetune" in levers:
        tuned = levers["finetune"] if levers["finetune"] is not None else {}
        if isinstance(tuned, Mapping):
            tuned = {"rungs": list(_RUNGS[kind]), "joined": False, **tuned}
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
    for where, given, takers in (
        ("", task, _TASK_KEYS), ("data.", data, _DATA_KEYS), ("levers.", levers, _LEVER_KEYS)
    ):  # fmt: skip
        for key, kinds in takers.items():
            if key in given and kind not in kinds:
                return f"{where}{key} goes with kind: {' or '.join(kinds)}; take it out"
    return None
