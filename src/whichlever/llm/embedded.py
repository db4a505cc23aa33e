"""The embedded llama.cpp: on loopback, with a random port and key, and without dumps.

`open_llm` is how levers come by a client, whether the model is embedded or somebody's server.
"""

from __future__ import annotations

import os
import secrets
import time
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from whichlever.errors import InputError, LLMError, MissingExtraError, WeightsError
from whichlever.llm.client import Client, Server
from whichlever.llm.transport import server_host
from whichlever.llm.weights import Weights, find_weights
from whichlever.task import Task

DEFAULT_CONTEXT = 4096
"""Window in tokens of the embedded server, per slot, unless the weights' own is smaller."""


def open_llm(
    name: str,
    task: Task | None = None,
    *,
    slots: int = 1,
    context: int = DEFAULT_CONTEXT,
    timeout: float = 60.0,
    retries: int = 3,
    parallel: int = 1,
    adapter: Path | None = None,
    chat_template: str = "",
) -> Client:
    """A client for the weights or the server called ``name``; close it after use.

    Parameters
    ----------
    name
        An entry of the task's ``llms:``, the name of weights on this machine, or a path to a
        GGUF file.
    task
        Says which servers there are and whether data may leave.
    slots
        Prompt prefixes that an embedded server keeps at once.
    context
        Window in tokens of an embedded server, for each slot.
    timeout, retries, parallel
        Seconds per request, tries after the first, and requests under way at once (a server that
        is not embedded).
    adapter
        A GGUF file of LoRA adapters that an embedded server loads beside the weights.
    chat_template
        What an embedded server lays messages out with, instead of the weights' own template.

    Raises
    ------
    InputError
        The server is remote and the task says that data may not leave, or its key is not set.
    WeightsError
        There are no such weights on this machine.
    LLMError
        The embedded server does not start.
    """
    if task is not None and name in task.llms:
        server = declared_server(name, task)
        return Client(replace(server, timeout=timeout, retries=retries, parallel=parallel))
    weights = embedded_weights(name, task)
    return _embedded(
        weights, slots, min(context, weights.context or context), timeout, (adapter, chat_template)
    )


def embedded_weights(name: str, task: Task | None) -> Weights:
    """Weights to prompt, by name or by a path that starts from the task's folder.

    Raises
    ------
    WeightsError
        They are not on this machine, are not the pinned ones, or are an encoder.
    """
    beside = None if task is None or not name.endswith(".gguf") else task.path(name)
    found = find_weights(name if beside is None or not beside.is_file() else str(beside))
    if found.kind != "gguf":
        raise WeightsError(f"weights {name!r} are an encoder; prompting needs a .gguf model")
    return found


def declared_server(name: str, task: Task) -> Server:
    """The server that the task's ``llms:`` calls ``name``, its key read from the environment.

    Raises
    ------
    InputError
        Its address is none, it is remote and data may not leave, or its key is not set.
    """
    llm = task.llms[name]
    host, _ = server_host(name, llm.base_url)
    if llm.place == "remote" and not task.constraints.data_may_leave:
        raise InputError(
            f"llms.{name} is remote ({host}) and constraints.data_may_leave is false; use embedded "
            "weights, say place: here if that machine is yours, or allow it in constraints"
        )
    key = "none"
    if llm.key_env is not None:
        key = os.environ.get(llm.key_env, "").strip()
        if not key:
            raise InputError(
                f"llms.{name}: the environment variable {llm.key_env} is not set; "
                f"export {llm.key_env}=… first"
            )
    return Server(
        name=name, base_url=llm.base_url, model=llm.model, key=key, place=llm.place,
        context=llm.context,
    )  # fmt: skip


def _embedded(
    weights: Weights, slots: int, context: int, timeout: float, beside: tuple[Path | None, str]
) -> Client:
    try:
        import xllamacpp
    except ImportError as error:
        raise MissingExtraError("the embedded language model", "llm") from error
    key = secrets.token_urlsafe(32)
    cores = _cores()
    server, address = _start(xllamacpp, weights.path, key, slots, context, cores, beside)
    holder = [server]
    stop: Callable[[], None] = holder.clear  # dropping the last reference stops it
    client = Client(
        Server(
            name=weights.name, base_url=f"{address}/v1", model=weights.name, key=key,
            place="here", context=context, timeout=max(timeout, 60.0), retries=0,
        ),
        weights=weights,
        llama=True,
        slots=slots,
        engine=f"llama.cpp {xllamacpp.__version__}",
        cores=cores,
        on_close=stop,
    )  # fmt: skip
    weakref.finalize(client, stop)  # a client that nobody closed still stops its server
    return client


def _start(
    xllamacpp: Any,  # noqa: ANN401 - an optional module
    path: Path,
    key: str,
    slots: int,
    context: int,
    cores: int,
    beside: tuple[Path | None, str] = (None, ""),
) -> tuple[Any, str]:
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    adapter, template = beside
    if template:
        params.chat_template = template
    if adapter is not None:
        lora = xllamacpp.CommonAdapterLoraInfo()
        lora.path, lora.scale = str(adapter), 1.0
        params.lora_adapters = [lora]
    params.hostnames = ["127.0.0.1"]
    params.port = 0  # the system picks a free one
    params.api_keys = [key]
    params.endpoint_slots = False
    params.endpoint_props = False
    params.endpoint_metrics = False
    params.ui = False
    params.offline = True
    params.cors_origins = ""
    params.verbosity = -1
    params.n_parallel = slots
    params.n_ctx = context * slots
    params.kv_unified = False
    params.ctx_shift = False  # a long prompt is refused, never shortened
    params.cache_prompt = True
    params.prefill_assistant = False  # a solved shot at the end of a prefix is not continued
    # Only the slots keep a prompt: what a prefix was computed after must not change its answers.
    params.cache_ram_mib = 0
    params.slot_prompt_similarity = 0.0
    for threads in (params.cpuparams, params.cpuparams_batch):
        threads.n_threads = cores
        threads.poll = 0  # waiting threads sleep: spinning starves whatever else runs here
    try:
        server = xllamacpp.Server(params)
        return server, str(server.listening_address)
    except Exception as error:
        line = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise LLMError(f"{path.name}: llama.cpp could not load it ({line})") from error


def _cores() -> int:
    """Cores this process may use that are idle now, or fewer where OMP_NUM_THREADS says so.

    llama.cpp's threads meet at hundreds of barriers per token; one thread that has to wait for a
    busy core there makes all of them wait, and is slower than doing without it. The number of
    threads changes no answer.
    """
    have = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    asked = os.environ.get("OMP_NUM_THREADS", "")
    if asked.isdecimal() and int(asked) > 0:
        return min(have, int(asked))
    return max(1, min(have, round(_idle_cores(have))))


def _idle_cores(have: int) -> float:
    """Idle cores over a quarter of a second (Linux; elsewhere all are taken to be)."""

    def ticks() -> tuple[int, int]:
        with Path("/proc/stat").open(encoding="ascii") as stream:
            values = [int(v) for v in stream.readline().split()[1:9]]
        return values[3] + values[4], sum(values)

    try:
        idle, everything = ticks()
        time.sleep(0.25)
        idle_after, everything_after = ticks()
    except (OSError, ValueError, IndexError):
        return have
    passed = everything_after - everything
    return (os.cpu_count() or have) * (idle_after - idle) / passed if passed else have
