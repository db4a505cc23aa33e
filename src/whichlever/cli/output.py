"""What the command line prints, made safe for a terminal."""

from __future__ import annotations

import json
from typing import Any

import typer


def one_line(message: str) -> str:
    """Make a message safe and short for a terminal: one line, no control characters."""
    flat = " ".join(message.split())
    safe = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in flat)
    return safe if len(safe) <= 1000 else safe[:1000] + "…"


def print_json(value: Any) -> None:  # noqa: ANN401 - any JSON value
    """Print one JSON value for machines."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))
