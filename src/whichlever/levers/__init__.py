"""The levers: each learns from training rows, chooses on validation rows, and answers.

They know nothing of each other. `build` makes the ones that a task names, floors first.
"""

from whichlever.levers.base import Context, Fit, Lever
from whichlever.levers.build import build

__all__ = ["Context", "Fit", "Lever", "build"]
