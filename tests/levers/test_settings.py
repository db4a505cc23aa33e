"""Settings that cannot mean anything are refused, and say which."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from whichlever.settings import FinetuneSettings, Levers, LinearSettings, RagSettings


@pytest.mark.parametrize(
    ("model", "given"),
    [
        (RagSettings, {"vote_k": []}),
        (RagSettings, {"vote_k": [0]}),
        (RagSettings, {"vote_k": [3, 3]}),
        (FinetuneSettings, {"rungs": ["static", "static"]}),
        (FinetuneSettings, {"windows": []}),
        (FinetuneSettings, {"windows": [-5]}),
        (FinetuneSettings, {"windows": ["all", "all"]}),
        (FinetuneSettings, {"seeds": 0}),
        (LinearSettings, {"windows": [100, 100]}),
        (LinearSettings, {"c": [1, 1.0]}),
        (LinearSettings, {"families": []}),
    ],
)
def test_lists_that_try_nothing_or_one_thing_twice_are_refused(model, given) -> None:
    with pytest.raises(ValidationError) as caught:
        model(**given)
    assert {error["loc"][0] for error in caught.value.errors()} == set(given)


def test_the_defaults_pass_and_the_schema_says_that_items_differ() -> None:
    made = Levers.model_validate({"rag": None, "finetune": {"windows": [10, "all"]}})
    assert made.finetune is not None
    assert made.finetune.windows == [10, "all"]
    rungs = FinetuneSettings.model_json_schema()["properties"]["rungs"]
    assert (rungs["uniqueItems"], rungs["minItems"]) == (True, 1)
