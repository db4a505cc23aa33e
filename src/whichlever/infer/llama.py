"""llama.cpp in this process, over weights that are handed to it as bytes.

The bytes are those that were verified: they go into a file that has no name and can no longer be
written (Linux), or into a private one, never back to where the bundle lay. Prompts are token ids
and answers are read token by token, so no chat template is ever run, the file's own included.
"""

from __future__ import annotations

import json
import os
import secrets
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from whichlever.errors import BundleError, MissingExtraError

Floats = npt.NDArray[np.float64]

RAISED = 100.0
"""Added to the logits of the tokens that may follow: nothing else is left any probability, and
among them the softmax stays what it was."""


class Llama:
    """One model, asked by one thread at a time.

    Parameters
    ----------
    weights
        A GGUF file's content.
    context
        Window in tokens.
    threads
        Cores.

    Raises
    ------
    MissingExtraError
        xllamacpp is not installed.
    BundleError
        llama.cpp cannot load the weights.
    """

    def __init__(self, weights: bytes, context: int, threads: int) -> None:
        try:
            import xllamacpp
        except ImportError:
            raise MissingExtraError("a bundle with a decoder", "llm") from None
        if weights[:4] != b"GGUF":
            raise BundleError("the weights are no GGUF file")
        params = _params(xllamacpp, context, threads)
        self._turn = threading.Lock()
        with _as_file(weights) as path:
            params.model.path = str(path)
            try:
                self._server = xllamacpp.Server(params)
            except Exception as error:
                line = (str(error).strip().splitlines() or [type(error).__name__])[0]
                raise BundleError(f"llama.cpp could not load the weights ({line})") from error

    def shares(self, ids: Sequence[int], allowed: Sequence[int]) -> Floats:
        """Probabilities of the tokens that may follow, among themselves, shape (allowed,).

        Raises
        ------
        ValueError
            The weights' vocabulary is another one.
        """
        said = self._asked(
            {
                "prompt": list(ids), "n_predict": 1, "n_probs": len(allowed),
                "post_sampling_probs": True, "samplers": ["temperature"], "temperature": 1.0,
                "logit_bias": [[int(token), RAISED] for token in allowed], "seed": 0,
                "cache_prompt": True,
            }
        )  # fmt: skip
        (place,) = said["choices"][0]["logprobs"]["content"]
        found = {top["id"]: float(top["prob"]) for top in place["top_probs"]}
        shares = np.array([found.get(int(token), 0.0) for token in allowed], np.float64)
        total = float(shares.sum())
        if not 0.99 < total < 1.01:
            raise ValueError("the weights do not know the tokens of the answers")
        return shares / total

    def write(self, ids: Sequence[int], most: int, seen: Callable[[str], bool]) -> tuple[int, bool]:
        """Write the likeliest words, piece by piece, up to the end mark.

        Parameters
        ----------
        most
            Tokens at most.
        seen
            Is given each piece as it comes; what it returns says whether to go on.

        Returns
        -------
        tokens : int
            Tokens written, the end mark among them.
        whole : bool
            Whether the end mark came within ``most``.
        """
        tokens, whole = 0, False

        def piece(event: Any) -> bool:  # noqa: ANN401 - a chunk as JSON
            nonlocal tokens, whole
            if event.get("usage"):
                tokens = int(event["usage"]["completion_tokens"])
            for choice in event.get("choices", ()):
                whole = whole or choice.get("finish_reason") == "stop"
                if choice.get("text") and not seen(choice["text"]):
                    return True
            return False

        self._asked(
            {"prompt": list(ids), "n_predict": most, "temperature": 0.0, "cache_prompt": True,
             "stream": True, "stream_options": {"include_usage": True}},
            piece,
        )  # fmt: skip
        return tokens, whole

    def _asked(self, asked: dict[str, Any], seen: Callable[[Any], bool] | None = None) -> Any:  # noqa: ANN401
        with self._turn:
            said = self._server.handle_completions(asked, *(() if seen is None else (seen,)))
        said = json.loads(said) if isinstance(said, str) else said
        if isinstance(said, dict) and "choices" not in said:
            raise ValueError("llama.cpp did not answer")
        return said


def _params(xllamacpp: Any, context: int, threads: int) -> Any:  # noqa: ANN401 - optional module
    params = xllamacpp.CommonParams()
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [secrets.token_urlsafe(32)]  # nobody is told it: it is asked in this process
    params.endpoint_slots = params.endpoint_props = params.endpoint_metrics = False
    params.ui, params.offline, params.cors_origins, params.verbosity = False, True, "", -1
    params.use_jinja = params.enable_chat_template = False
    params.chat_template = "chatml"  # one of llama.cpp's own, so that the file's is not parsed
    params.n_parallel, params.n_ctx, params.ctx_shift = 1, context, False
    params.cache_prompt, params.cache_ram_mib = True, 0
    for own in (params.cpuparams, params.cpuparams_batch):
        own.n_threads, own.poll = threads, 0
    return params


@contextmanager
def _as_file(content: bytes) -> Iterator[Path]:
    """A file with this content for as long as it is being loaded."""
    if hasattr(os, "memfd_create"):
        import fcntl

        held = os.memfd_create("whichlever", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            with os.fdopen(os.dup(held), "wb") as out:
                out.write(content)
            seals = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW
            fcntl.fcntl(held, fcntl.F_ADD_SEALS, seals | fcntl.F_SEAL_SEAL)
            yield Path(f"/proc/self/fd/{held}")
        finally:
            os.close(held)
        return
    with tempfile.TemporaryDirectory(prefix="whichlever-") as folder:
        path = Path(folder) / "model.gguf"
        path.write_bytes(content)
        path.chmod(0o400)
        yield path
