"""A real llama.cpp on loopback, with SmolLM2."""

from __future__ import annotations

import urllib.error
import urllib.request
from urllib.parse import urlsplit

import pytest

from whichlever.errors import LLMError, LLMUnreachable, LLMWindowError, WeightsError
from whichlever.llm import Client, open_llm

pytestmark = pytest.mark.llm


def status(client: Client, path: str, key: str | None) -> int:
    root = client.server.base_url.removesuffix("/v1")
    request = urllib.request.Request(root + path)
    if key is not None:
        request.add_header("Authorization", f"Bearer {key}")
    try:
        with urllib.request.urlopen(request) as response:
            return response.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_it_listens_on_loopback_and_wants_its_random_key(smollm: Client) -> None:
    assert urlsplit(smollm.server.base_url).hostname == "127.0.0.1"
    assert len(smollm.server.key) >= 32
    assert status(smollm, "/v1/models", smollm.server.key) == 200
    assert status(smollm, "/v1/models", None) == 401
    assert status(smollm, "/v1/models", "guessed") == 401


@pytest.mark.parametrize("path", ["/slots", "/metrics", "/slots/0?action=save"])
def test_it_dumps_neither_slots_nor_prompts(smollm: Client, path: str) -> None:
    assert status(smollm, path, smollm.server.key) >= 400


def test_a_grammar_is_enforced(smollm: Client) -> None:
    begging = [{"role": "user", "content": "Write the word banana."}]
    reply = smollm.complete(begging, max_tokens=8, extra={"grammar": 'root ::= "kiwi"'})
    assert reply.text == "kiwi"
    assert reply.usage.tokens_out
    assert reply.usage.tokens_in
    assert reply.usage.bytes_out == 0


def test_its_tokenizer_says_which_options_are_single_tokens(smollm: Client) -> None:
    assert smollm.single_token("A")
    assert not smollm.single_token("critical-investigate")


def test_a_prompt_that_does_not_fit_is_refused_not_cut(smollm: Client) -> None:
    with pytest.raises(LLMWindowError, match="does not fit"):
        smollm.complete([{"role": "user", "content": "word " * 2000}], max_tokens=1)


def test_closing_stops_the_server() -> None:
    pytest.importorskip("xllamacpp")
    client = open_llm("smollm2-135m-instruct", context=256)
    address = client.server
    client.close()
    with (
        Client(type(address)("gone", address.base_url, "m", retries=0)) as late,
        pytest.raises(LLMUnreachable),
    ):
        late.check()


def test_a_file_that_is_no_model_is_one_line(tmp_path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF" + (3).to_bytes(4, "little") + bytes(16))
    with pytest.raises(LLMError, match=r"broken\.gguf: llama\.cpp could not load it") as caught:
        open_llm(str(broken))
    assert "\n" not in str(caught.value)


def test_an_encoder_cannot_be_prompted() -> None:
    with pytest.raises(WeightsError, match="encoder"):
        open_llm("all-minilm-l6-v2")
