"""A model as a claim about it names it."""

from __future__ import annotations

from whichlever.llm.client import Client


def describe(client: Client) -> str:
    """The model as a claim names it, e.g. "smollm2-135m-instruct (135M, Q4_1)"."""
    weights = client.weights
    if weights is None:
        return f"{client.server.model} at {client.server.name}"
    return f"{weights.name} ({weights.what})" if weights.what else weights.name
