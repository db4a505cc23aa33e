"""A packed decoder behind OpenAI's chat: choices, tokens one by one, and no training library."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from live import Live, serving

from whichlever.bundle.archive import read_archive
from whichlever.errors import BundleError
from whichlever.infer.decoder import DecoderPredictor
from whichlever.infer.llama import Llama
from whichlever.runtime.bundle import Bundle

pytest.importorskip("uvicorn", reason="the extra 'serve' is not installed")
pytest.importorskip("xllamacpp", reason="the extra 'llm' is not installed")
openai = pytest.importorskip("openai", reason="the extra 'llm' is not installed")
pytestmark = pytest.mark.llm

FOLDER = Path(__file__).parents[1] / "fixtures" / "bundles"
CHOOSES, WRITES = FOLDER / "format4-decoder.wl", FOLDER / "format4-writer.wl"
ASKED = [{"role": "user", "content": "pfm crown"}]


@pytest.fixture(scope="module")
def writer() -> Iterator[Live]:
    with serving(WRITES) as live:
        yield live


def ask(live: Live, **more: Any) -> Any:
    with openai.OpenAI(
        base_url=f"{live.url}/v1",
        api_key="none",
        max_retries=0,
        http_client=httpx.Client(trust_env=False),
    ) as client:
        said = client.chat.completions.create(model="tiny", messages=ASKED, **more)
        return list(said) if more.get("stream") else said


def test_an_open_answer_comes_in_pieces_and_is_the_one_that_comes_whole(writer: Live) -> None:
    (expected,) = Bundle.open(WRITES, allow_unsigned=True).predict(["pfm crown"])
    whole = ask(writer)
    assert whole.choices[0].message.content == expected.label
    assert whole.usage.completion_tokens > 3
    chunks = ask(writer, stream=True, stream_options={"include_usage": True})
    pieces = [c.choices[0].delta.content for c in chunks if c.choices]
    assert sum(bool(p) for p in pieces) > 3
    assert "".join(p or "" for p in pieces).strip() == expected.label
    assert chunks[-1].usage == whole.usage
    short = ask(writer, stream=True, max_tokens=2)
    assert short[-1].choices[0].finish_reason == "length"
    (row,) = writer.predict(["pfm crown"]).json()["answers"]
    assert row == {"id": 0, "label": expected.label, "abstain": False}
    counted = httpx.get(f"{writer.url}/metrics", trust_env=False).text
    assert 'whichlever_answers_total{label="written"}' in counted


def test_who_leaves_frees_the_model(writer: Live) -> None:
    body = {"messages": ASKED, "stream": True}
    for _ in range(5):
        with httpx.stream(
            "POST", f"{writer.url}/v1/chat/completions", json=body, trust_env=False
        ) as said:
            next(said.iter_lines())
    began = time.monotonic()
    assert ask(writer, max_tokens=1).choices[0].finish_reason == "length"
    assert time.monotonic() - began < 5


def test_a_choice_has_its_probability_and_loads_no_training_library() -> None:
    code = (
        "import atexit, json, sys\n"
        "atexit.register(lambda: print(json.dumps(sorted(sys.modules))))\n"
        "from whichlever.cli import main\n"
        "main()\n"
    )
    command = [sys.executable, "-c", code, "serve", str(CHOOSES), "--allow-unsigned", "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        port = json.loads(process.stderr.readline())["port"]
        said = httpx.post(
            f"http://127.0.0.1:{port}/v1/chat/completions", json={"messages": ASKED},
            trust_env=False,
        ).json()  # fmt: skip
        process.terminate()
        out, _ = process.communicate(timeout=30)
    (expected,) = Bundle.open(CHOOSES, allow_unsigned=True).predict(["pfm crown"])
    assert said["choices"][0]["message"]["content"] == expected.label
    assert said["whichlever"]["score"] == pytest.approx(float(expected.scores.max()), abs=1e-4)
    assert said["usage"]["prompt_tokens"] > 3
    loaded = {name.split(".")[0] for name in json.loads(out)}
    assert loaded.isdisjoint({"torch", "transformers", "sklearn", "scipy", "pandas", "polars"})


def test_shares_are_those_of_the_allowed_tokens_alone() -> None:
    part = Bundle.open(CHOOSES, allow_unsigned=True).model.parts[0]
    assert isinstance(part, DecoderPredictor)
    shares = part._llama.shares([5, 6, 7], [10, 20, 30])
    few = part._llama.shares([5, 6, 7], [10, 30])
    assert shares.sum() == pytest.approx(1)
    assert few[0] / few[1] == pytest.approx(shares[0] / shares[2], rel=1e-3)


def test_what_is_no_gguf_is_refused() -> None:
    with pytest.raises(BundleError, match="no GGUF"):
        Llama(b"PK\x03\x04", 64, 1)
    with pytest.raises(BundleError, match="could not load"):
        Llama(b"GGUF" + b"\x00" * 64, 64, 1)


def test_the_files_own_chat_template_is_not_run() -> None:
    weights = read_archive(WRITES)["model/decoder/model.gguf"]
    own = b"{% for message in messages %}"
    hostile = b"{% for a in range(10**12) %}{".ljust(len(own))
    assert own in weights
    assert len(hostile) == len(own)
    said = []
    for content in (weights, weights.replace(own, hostile)):
        pieces: list[str] = []
        Llama(content, 64, 1).write([5, 6, 7], 8, lambda piece, to=pieces: to.append(piece) or True)
        said.append(pieces)
    assert said[0] == said[1] != []
