"""The prompt lever's budget, at a server on loopback that counts its tokens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from loopback_server import LoopbackServer, completion

from whichlever.errors import DataError, InputError
from whichlever.levers.base import Context
from whichlever.levers.prompt import Prompt
from whichlever.llm.budget import Billing
from whichlever.llm.client import Client, Server
from whichlever.predict import Row
from whichlever.task import PromptSettings, Task

LABELS = ("critical", "noise")
TASK = """
task: t
data: {rows: r.jsonl, input: text}
labels: {critical: wake someone, noise: close it}
llms:
  house: {base_url: "%s", model: m, place: here%s}
"""
DOLLAR_A_REQUEST = ", dollars_in: 100000, dollars_out: 0"
"""The loopback server counts ten tokens in."""

TRAIN = [Row(f"t{i}", f"train row {i}", LABELS[i % 2]) for i in range(20)]
VALID = [Row(f"v{i}", f"valid row {i}", LABELS[i % 2]) for i in range(40)]


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    pytest.importorskip("openai", reason="the llm extra is not installed")
    made = LoopbackServer(lambda _: completion("A"))
    yield made
    made.close()


def asked(server: LoopbackServer) -> int:
    return sum("row " in body["messages"][-1]["content"] for body in server.seen)


def fit(server, folder: Path, valid=VALID, train=TRAIN, price=DOLLAR_A_REQUEST, **knobs):
    task = Task.parse(TASK % (server.url, price))
    lever = Prompt(PromptSettings(model="house", rotations=1, shots=2, parallel=1, **knobs))
    return lever.fit(train, valid, Context(task, LABELS, 0, folder))


def test_choosing_keeps_to_its_share_of_the_money(server, tmp_path: Path) -> None:
    fitted = fit(server, tmp_path, dollars=40.0)
    assert asked(server) <= 20  # a quarter is meant, a half is the end
    assert fitted.max_rows is not None
    answers = fitted.predictor.predict([Row(str(i), f"test row {i}") for i in range(60)])
    assert asked(server) == 40
    assert sum(a.status == "ok" for a in answers) >= fitted.max_rows
    assert str(answers[-1].error).startswith("budget: $40 of $40 spent")
    fitted.predictor.close()


def test_money_that_choosing_uses_up_is_an_error_not_wrong_answers(server, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"pays for no row .*\$2 of \$2 spent"):
        fit(server, tmp_path, dollars=2.0)
    assert asked(server) == 2


def test_without_a_price_dollars_are_refused_before_a_row_is_asked(server, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="price is not known"):
        fit(server, tmp_path, price="", dollars=5.0)
    assert asked(server) == 0


def test_without_validation_rows_nothing_is_chosen(server, tmp_path: Path) -> None:
    fitted = fit(server, tmp_path, valid=[])
    assert fitted.what.endswith("zero-shot")
    assert fitted.chosen["validation_rows"] == 0
    assert "no validation rows: nothing was chosen" in fitted.chosen["not_tried"].values()
    assert fitted.chosen["seconds_per_row"] > 0
    fitted.predictor.close()
    with pytest.raises(DataError, match="no row to try a prompt on"):
        fit(server, tmp_path, valid=[], train=[])


def test_a_machine_elsewhere_has_no_price_but_its_tokens(server, tmp_path: Path) -> None:
    fitted = fit(server, tmp_path, price="")
    assert fitted.priced  # loopback: this machine's time
    assert fitted.cores is None
    fitted.predictor.close()
    elsewhere = Server("gpu", "http://192.0.2.1/v1", "m", place="here")
    with Client(elsewhere, llama=False) as client:
        assert not Billing().priced(client)
        assert Billing(token_prices=(1.0, 1.0, 1.0)).priced(client)
