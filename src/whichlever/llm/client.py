"""One client for any OpenAI-compatible server.

Retries are bounded, wait longer each time and honour ``Retry-After``. What a server refuses to be
told (a temperature, a seed, log-probabilities) is left out from then on.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Self

from whichlever.errors import (
    EgressError,
    LLMError,
    LLMRateLimited,
    LLMTimeout,
    LLMUnreachable,
    LLMWindowError,
    MissingExtraError,
)
from whichlever.llm.reply import Reply, one_line, parse_reply
from whichlever.llm.transport import Meter, http_client, server_host
from whichlever.llm.waiting import retry_after, wait_seconds
from whichlever.llm.weights import Weights
from whichlever.offline import is_loopback

Message = Mapping[str, str]
_OPTIONAL = ("temperature", "seed", "top_logprobs", "logprobs")


@dataclass(frozen=True)
class Server:
    """Where a server is and how patiently it is asked.

    ``place`` is "here" where no byte leaves the user's own machines; ``context`` is its window in
    tokens; ``timeout`` is in seconds.
    """

    name: str
    base_url: str
    model: str
    key: str = "none"
    place: Literal["here", "remote"] = "remote"
    context: int = 8192
    timeout: float = 60.0
    retries: int = 3
    parallel: int = 1


class Client:
    """Asks one server; safe to share between threads.

    Parameters
    ----------
    server
        Where it is.
    weights
        The weights behind it, where they are known (the embedded server).
    llama
        Whether it is llama.cpp; None finds out by asking it.
    slots
        Prompt caches that a request may name; 0 where the server has none to name.
    cores
        Threads that an embedded server answers with; None is not known.
    on_close
        Called once by `close`.

    Raises
    ------
    MissingExtraError
        The openai package is not installed.
    InputError
        ``base_url`` is not an address.
    """

    def __init__(
        self,
        server: Server,
        *,
        weights: Weights | None = None,
        llama: bool | None = None,
        slots: int = 0,
        engine: str = "",
        cores: int | None = None,
        on_close: Callable[[], None] | None = None,
    ) -> None:
        try:
            import openai
        except ImportError as error:
            raise MissingExtraError("asking a language model", "llm") from error
        self.server = server
        self.weights = weights
        self.slots = slots
        self.cores = cores
        self.warm: dict[int, str] = {}
        """Which prefix each slot holds; kept by whoever warms them."""
        self.guard: str | None = None
        """How it is held to a closed set of answers, once that was found out."""
        self._engine = engine
        self._llama = llama
        self._on_close = on_close
        self._left_out: set[str] = set()
        self._lock = threading.Lock()
        self._meter = Meter()
        self._loopback = is_loopback(server_host(server.name, server.base_url)[0])
        self._openai = openai.OpenAI(
            base_url=server.base_url,
            api_key=server.key,
            max_retries=0,
            timeout=server.timeout,
            http_client=http_client(server.name, server.timeout, self._meter),
        )

    @property
    def on_this_machine(self) -> bool:
        """Whether its answers take this machine's time."""
        return self._loopback

    @property
    def identity(self) -> dict[str, Any]:
        """What its answers depend on, as JSON values: weights and engine, or address and model."""
        if self.weights is not None:
            return {"weights": self.weights.sha256, "engine": self._engine}
        return {"base_url": self.server.base_url, "model": self.server.model}

    @property
    def llama(self) -> bool:
        """Whether the server is llama.cpp, which takes a grammar and can tokenise."""
        if self._llama is None:
            try:
                found = json.loads(self._send("GET", "/models", None))
                self._llama = any(m.get("owned_by") == "llamacpp" for m in found["data"])
            except _Retry:
                return False  # it could not say; whatever is asked next will
            except (LLMError, ValueError, KeyError, TypeError, AttributeError):
                self._llama = False
        return self._llama

    def complete(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        top_logprobs: int = 0,
        extra: Mapping[str, Any] | None = None,
        slot: int | None = None,
        cold: bool = False,
        timeout: float | None = None,
    ) -> Reply:
        """Ask for one answer, greedily.

        Parameters
        ----------
        messages
            ``role`` and ``content`` pairs.
        max_tokens
            Longest answer in tokens.
        top_logprobs
            Likeliest tokens to report per position; 0 for none.
        extra
            More fields of the request's body: ``grammar``, ``structured_outputs``,
            ``response_format``, ….
        slot
            The prompt cache to use, on a server that has them; the first one by default.
        cold
            Read the whole prompt anew, whatever the cache holds.
        timeout
            Seconds for this answer, where it is not the server's own.

        Raises
        ------
        LLMTimeout, LLMRateLimited, LLMGarbage, LLMWindowError, LLMError
            After the last retry; one line with the server's name and what to do.
        """
        body: dict[str, Any] = {
            "model": self.server.model,
            "messages": [dict(m) for m in messages],
            "max_tokens": max_tokens,
            "temperature": 0,
            "seed": 0,
            **(extra or {}),
        }
        if top_logprobs:
            body |= {"logprobs": True, "top_logprobs": top_logprobs}
        if self.slots:
            if slot is None:
                slot = 0
                self.warm.pop(slot, None)  # this prompt takes the prefix's place
            body |= {"id_slot": slot, "cache_prompt": not cold}
        return self._retrying(body, timeout or self.server.timeout)

    def single_token(self, text: str) -> bool:
        """Whether llama.cpp's tokenizer makes one token of ``text``; true elsewhere (not known)."""
        if not self.llama:
            return True
        root = self.server.base_url.removesuffix("/").removesuffix("/v1")
        body = {"content": text, "add_special": False}
        try:
            return len(json.loads(self._send("POST", f"{root}/tokenize", body))["tokens"]) == 1
        except (ValueError, KeyError, TypeError):
            return False
        except _Retry as again:
            raise again.final from again.__cause__

    def check(self) -> None:
        """Ask for one token, so that a server that cannot be used says so before any row.

        Raises
        ------
        LLMError
            It cannot be reached, refuses the key, or answers garbage.
        """
        self.complete([{"role": "user", "content": "Say OK."}], max_tokens=4)

    def close(self) -> None:
        """Close the connections, and the server where it is our own."""
        self._openai.close()
        on_close, self._on_close = self._on_close, None
        if on_close is not None:
            on_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _retrying(self, body: dict[str, Any], timeout: float) -> Reply:
        self._meter.reset()
        began = time.monotonic()  # a user waits for the tries that failed, too
        for attempt in range(self.server.retries + 1):
            try:
                raw = self._adapting(body, timeout)
                seconds = time.monotonic() - began
                sent = 0 if self._loopback else self._meter.sent
                return parse_reply(raw, self.server.name, seconds, sent)
            except _Retry as again:
                if attempt == self.server.retries:
                    raise again.final from again.__cause__
                time.sleep(wait_seconds(attempt, again.after))
        raise AssertionError("unreachable")  # the loop returns or raises

    def _adapting(self, body: dict[str, Any], timeout: float) -> bytes:
        """Send, leaving out what this server has refused to be told."""
        while True:
            with self._lock:
                left_out = set(self._left_out)
            sent = {k: v for k, v in body.items() if k not in left_out}
            if "max_tokens" in left_out:
                sent["max_completion_tokens"] = body["max_tokens"]
            try:
                return self._send("POST", "/chat/completions", sent, tuple(sent), timeout)
            except _Refused as refused:
                with self._lock:
                    self._left_out |= {refused.field}
                    if "logprobs" in refused.field:
                        self._left_out |= {"logprobs", "top_logprobs"}

    def _send(
        self,
        method: str,
        path: str,
        body: object,
        adaptable: Sequence[str] | None = None,
        timeout: float | None = None,
    ) -> bytes:
        import openai

        try:
            if method == "GET":
                return bytes(self._openai.get(path, cast_to=_response_type(self._openai)).content)
            made = self._openai.post(
                path,
                body=body,
                cast_to=_response_type(self._openai),
                options={"timeout": timeout or self.server.timeout},
            )
            return bytes(made.content)
        except openai.APITimeoutError as error:
            raise _Retry(self._timeout(timeout or self.server.timeout)) from error
        except openai.APIStatusError as error:
            self._status(error, adaptable)
            raise  # pragma: no cover - _status always raises
        except openai.APIConnectionError as error:
            refused = _egress(error)
            if refused is not None:
                raise refused from error
            raise _Retry(self._unreachable(error)) from error

    def _status(self, error: Any, adaptable: Sequence[str] | None) -> None:  # noqa: ANN401
        status, name = error.status_code, self.server.name
        said = _said(error)
        if status == 429:
            raise _Retry(
                LLMRateLimited(
                    f"{name}: still answers 429 (too many requests) after "
                    f"{self.server.retries} retries; lower parallel: or try later"
                ),
                retry_after(error.response.headers.get("retry-after")),
            ) from error
        if status >= 500 and status != 501:
            raise _Retry(
                LLMError(f"{name}: HTTP {status} after {self.server.retries} retries{said}"),
                retry_after(error.response.headers.get("retry-after")),
            ) from error
        if status in (401, 403):
            raise LLMError(
                f"{name}: refused the key (HTTP {status}); check the variable that key_env names"
            ) from error
        text = said.lower()
        if status in (400, 413, 422) and any(
            w in text for w in ("context", "too long", "too large")
        ):
            raise LLMWindowError(f"{name}: the prompt does not fit its window{said}") from error
        if status in (400, 422) and adaptable is not None:
            for field in ("max_tokens", *_OPTIONAL):
                if field in adaptable and field in text:
                    raise _Refused(field) from error
        raise LLMError(
            f"{name}: HTTP {status}{said}; check base_url and model ({self.server.model})"
        ) from error

    def _timeout(self, seconds: float) -> LLMTimeout:
        return LLMTimeout(
            f"{self.server.name}: no answer within {seconds:g} s, "
            f"{self.server.retries + 1} times; raise timeout_seconds: or use a faster server"
        )

    def _unreachable(self, error: BaseException) -> LLMError:
        cause = error.__cause__ or error
        return LLMUnreachable(
            f"{self.server.name}: cannot be reached at {_host(self.server)} "
            f"({type(cause).__name__}); start it, or correct base_url"
        )


class _Retry(Exception):
    def __init__(self, final: LLMError, after: float | None = None) -> None:
        self.final, self.after = final, after


class _Refused(Exception):
    def __init__(self, field: str) -> None:
        self.field = field


def _response_type(client: Any) -> Any:  # noqa: ANN401 - httpx or httpx2
    """The plain response class, which makes the SDK hand the body over unread."""
    from importlib import import_module

    base = type(client._client).__mro__
    module = next(c.__module__ for c in base if c.__module__.startswith("httpx"))
    return import_module(module.split(".")[0]).Response


def _egress(error: BaseException | None) -> EgressError | None:
    """The refusal of our own offline gate, where that is why a connection failed."""
    while error is not None:
        if isinstance(error, EgressError):
            return error
        error = error.__cause__ or error.__context__
    return None


def _said(error: Any) -> str:  # noqa: ANN401 - openai.APIStatusError
    """What the server said about it, short and on one line."""
    body = error.body
    message = body.get("message") if isinstance(body, dict) else None
    text = message if isinstance(message, str) else str(error.response.text)
    text = one_line(text, 200)
    return f" ({text})" if text else ""


def _host(server: Server) -> str:
    host, port = server_host(server.name, server.base_url)
    return f"{host}:{port}" if port else host
