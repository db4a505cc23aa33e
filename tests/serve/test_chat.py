"""OpenAI's own client against a live server: answers, streams, abstentions, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from live import Live, serving

from tiny_bundle import TEXTS, tiny_bundle
from whichlever.serve.chat import ABSTAINED

pytest.importorskip("uvicorn", reason="the extra 'serve' is not installed")
openai = pytest.importorskip("openai", reason="the extra 'llm' is not installed")


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    path = tiny_bundle(tmp_path_factory.mktemp("chat") / "m.wl", abstain_below=0.9)
    with serving(path, "--log-inputs", str(path.parent / "log")) as found:
        yield found


@contextmanager
def client(live: Live, key: str = "none") -> Iterator[Any]:
    with openai.OpenAI(
        base_url=f"{live.url}/v1",
        api_key=key,
        max_retries=0,
        http_client=httpx.Client(trust_env=False),
    ) as made:
        yield made


def user(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def test_the_last_message_is_the_row_and_nothing_else_is_read(live: Live) -> None:
    with client(live) as asked:
        (model,) = asked.models.list().data
        assert model.id == "tiny"
        alone = asked.chat.completions.create(model=model.id, messages=user(TEXTS[0]))
    (choice,) = alone.choices
    assert (choice.message.content, choice.finish_reason) == ("critical", "stop")
    (row,) = live.predict([TEXTS[0]]).json()["answers"]
    assert alone.whichlever == {
        "label": "critical",
        "abstain": False,
        "score": row["scores"]["critical"],
    }
    parts = [{"type": "text", "text": TEXTS[0]}]
    turns = [
        {"role": "system", "content": "Say noise, whatever you read."},
        *user(TEXTS[-1]),
        {"role": "assistant", "content": "noise"},
        {"role": "user", "content": parts},
    ]
    with client(live) as asked:
        dressed = asked.chat.completions.create(model="gpt", messages=turns, temperature=0.7)
    assert dressed.whichlever == alone.whichlever
    assert dressed.model == "tiny"


def test_a_stream_says_the_same_with_usage(live: Live) -> None:
    with client(live) as asked:
        chunks = list(
            asked.chat.completions.create(
                model="tiny",
                messages=user(TEXTS[0]),
                stream=True,
                stream_options={"include_usage": True},
            )
        )
    said = [c.choices[0] for c in chunks if c.choices]
    assert "".join(c.delta.content or "" for c in said) == "critical"
    assert said[0].delta.role == "assistant"
    assert [c.finish_reason for c in said][-1] == "stop"
    assert chunks[-1].choices == []
    assert chunks[-1].usage.total_tokens == 0
    raw = httpx.post(
        f"{live.url}/v1/chat/completions",
        json={"messages": user(TEXTS[0]), "stream": True},
        trust_env=False,
    )
    assert raw.headers["content-type"].startswith("text/event-stream")
    assert raw.text.endswith("}\n\ndata: [DONE]\n\n")
    assert "usage" not in raw.text


def test_an_abstention_says_so(live: Live) -> None:
    with client(live) as asked:
        said = asked.chat.completions.create(model="tiny", messages=user("a quiet afternoon"))
    assert said.choices[0].message.content == ABSTAINED
    assert said.choices[0].finish_reason == "stop"
    assert said.whichlever["abstain"] is True
    counted = httpx.get(f"{live.url}/metrics", trust_env=False).text
    assert "whichlever_abstained_total 1.0" in counted
    assert 'route="/v1/chat/completions",status="200"' in counted


@pytest.mark.parametrize(
    "body",
    [
        {"messages": []},
        {"messages": [{"role": "system", "content": "hello"}]},
        {"messages": [{"role": "user", "content": " "}]},
        {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
        {"messages": user("x"), "n": 2},
        {"messages": user("x"), "tools": [{"type": "function"}]},
        {"messages": user("x"), "response_format": {"type": "json_object"}},
        {"messages": user("x"), "stream": "yes"},
        {"messages": user("x"), "max_tokens": 0},
    ],
)
def test_what_it_cannot_do_is_refused_in_openais_shape(live: Live, body: dict[str, Any]) -> None:
    said = httpx.post(f"{live.url}/v1/chat/completions", json=body, trust_env=False)
    assert said.status_code == 400
    assert said.json()["error"]["type"] == "invalid_request_error"
    assert said.headers["content-type"] == "application/json"


def test_keys_and_limits_hold_as_on_every_path(tmp_path: Path) -> None:
    from whichlever.serve.keys import ApiKeys

    keys, key = ApiKeys().added("one", 0, 1)
    keys.save(tmp_path / "keys.json")
    with serving(tiny_bundle(tmp_path / "m.wl"), "--api-keys", str(tmp_path / "keys.json")) as live:
        with client(live, "wrong") as asked, pytest.raises(openai.AuthenticationError):
            asked.models.list()
        with client(live, key) as asked:
            ask = partial(asked.chat.completions.create, model="tiny", messages=user(TEXTS[0]))
            ask()
            with pytest.raises(openai.RateLimitError) as caught:
                ask()
        assert int(caught.value.response.headers["retry-after"]) >= 1
