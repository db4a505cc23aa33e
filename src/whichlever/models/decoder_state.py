"""A training's whole state on disk: adapters, the optimiser's memory, the best so far."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from whichlever.errors import RunError
from whichlever.models.static_distill import write_aside

FILE = "training.safetensors"
_MEMORY = ("exp_avg", "exp_avg_sq", "step")


@dataclass
class State:
    """Where a training is.

    ``curve`` is the loss of each step, ``checks`` (epoch, validation loss, share right), ``best``
    the adapters of the best check, ``seconds`` what was spent until now.
    """

    step: int = 0
    seconds: float = 0.0
    curve: list[float] = field(default_factory=list)
    checks: list[tuple[float, float, float | None]] = field(default_factory=list)
    best: dict[str, torch.Tensor] = field(default_factory=dict)


def save_state(folder: Path, state: State, weights: dict[str, Any], optimizer: Any) -> None:  # noqa: ANN401
    """Write the state into a folder, aside and renamed."""
    from safetensors.torch import save

    tensors = {f"now/{name}": value.detach() for name, value in weights.items()}
    tensors |= {f"best/{name}": value for name, value in state.best.items()}
    for name, value in weights.items():
        memory = optimizer.state.get(value, {})
        tensors |= {f"{key}/{name}": memory[key] for key in _MEMORY if key in memory}
    said = {
        "step": state.step, "seconds": state.seconds, "curve": state.curve, "checks": state.checks,
    }  # fmt: skip
    whole = {name: value.contiguous().clone() for name, value in tensors.items()}
    write_aside(folder / FILE, save(whole, metadata={"state": json.dumps(said)}))


def load_state(folder: Path, weights: dict[str, Any], optimizer: Any) -> State | None:  # noqa: ANN401
    """Put a state that was written back into the weights and the optimiser; None without one.

    Raises
    ------
    RunError
        The file is damaged, or is of another model.
    """
    from safetensors import SafetensorError, safe_open

    file = folder / FILE
    if not file.exists():
        return None
    try:
        with safe_open(str(file), framework="pt") as held:
            said = json.loads((held.metadata() or {})["state"])
            tensors = {name: held.get_tensor(name) for name in held.keys()}  # noqa: SIM118
        with torch.no_grad():
            for name, value in weights.items():
                value.copy_(tensors[f"now/{name}"])
                memory = {
                    k: t if k == "step" else t.to(value.device)
                    for k in _MEMORY
                    if (t := tensors.get(f"{k}/{name}")) is not None
                }
                if memory:
                    optimizer.state[value] = memory
        best = {n: tensors[f"best/{n}"] for n in weights if f"best/{n}" in tensors}
        return State(
            int(said["step"]), float(said["seconds"]), list(said["curve"]),
            [(e, loss, right) for e, loss, right in said["checks"]], best,
        )  # fmt: skip
    except (SafetensorError, KeyError, ValueError, RuntimeError, OSError) as error:
        raise RunError(f"{file}: is damaged; remove its folder, training starts again") from error
