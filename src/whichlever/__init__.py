"""Prompt it, retrieve for it, or fine-tune it? Measure all three on your own data.

Importing this imports none of the heavy libraries; they load when a lever needs them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from whichlever import version

__version__ = version.VERSION
__all__ = [
    "Bundle",
    "Comparison",
    "Prediction",
    "Row",
    "Task",
    "Usage",
    "Verdict",
    "advise",
    "compare",
]

if TYPE_CHECKING:
    from whichlever.comparison import Comparison, compare
    from whichlever.predict import Prediction, Row, Usage
    from whichlever.runtime.bundle import Bundle
    from whichlever.task import Task
    from whichlever.verdict import Verdict, advise

_HOMES = {
    "Comparison": "comparison", "compare": "comparison", "Task": "task",
    "Prediction": "predict", "Row": "predict", "Usage": "predict",
    "Verdict": "verdict", "advise": "verdict", "Bundle": "runtime.bundle",
}  # fmt: skip


def __getattr__(name: str) -> Any:  # noqa: ANN401 - any public name
    if name not in _HOMES:
        raise AttributeError(f"module 'whichlever' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"whichlever.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
