"""Questions as a promptfoo configuration: a prompt, test cases, and a config to run them.

promptfoo renders variables as Nunjucks templates and loads those that begin with ``file://``, and
the rows are hostile: an alert that holds ``{{ env.OPENAI_API_KEY }}`` must stay text. So every
delimiter of a template is broken apart, and no variable can begin with a path. The true labels are
not written: the scoring is done here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import Any

import yaml

from whichlever.errors import DataError
from whichlever.llm.options import enum_schema
from whichlever.llm.requests import PLACEHOLDER, Asked, safe_id
from whichlever.run import write_text, written_aside

_TEMPLATE = re.compile(r"\{(?=[{%#])|(?<=[%#}])\}")


def inert(text: str) -> str:
    """Text that holds no template: ``{{``, ``{%``, ``{#`` and their ends are broken apart."""
    return _TEMPLATE.sub(lambda found: "{ " if found.group() == "{" else " }", text)


def write_promptfoo(folder: Path, questions: Iterable[Asked], model: str) -> list[Path]:
    """Write ``promptfooconfig.yaml``, ``prompt.json`` and ``tests.jsonl``.

    Parameters
    ----------
    model
        A provider's id as promptfoo names it (``openai:chat:gpt-4o-mini``), or a model of OpenAI's.

    Raises
    ------
    DataError
        There are no questions.
    """
    rest = iter(questions)
    first = next(rest, None)
    if first is None:
        raise DataError("there are no test rows to ask about; look at data.split")
    tests = folder / "tests.jsonl"
    with written_aside(tests) as aside, aside.open("w", encoding="utf-8") as stream:
        for asked in chain([first], rest):
            # The question begins with our own mark, so it can be no path.
            given = {"id": safe_id(asked.id), "question": inert(asked.turns[-1][1])}
            stream.write(json.dumps({"vars": given}, ensure_ascii=False) + "\n")
    prompt = [
        {"role": "system", "content": inert(first.system)},
        *({"role": role, "content": inert(text)} for role, text in first.turns[:-1]),
        {"role": "user", "content": "{{question}}"},
    ]
    write_text(folder / "prompt.json", json.dumps(prompt, indent=2, ensure_ascii=False) + "\n")
    config = folder / "promptfooconfig.yaml"
    write_text(config, yaml.safe_dump(_config(first, model), sort_keys=False, allow_unicode=True))
    return [config, folder / "prompt.json", tests]


def _config(first: Asked, model: str) -> dict[str, Any]:
    provider = model if ":" in model else f"openai:chat:{model or PLACEHOLDER}"
    settings: dict[str, Any] = {"temperature": 0}
    # A label that holds a template would be another label after promptfoo had read it.
    plain = all(inert(label) == label for label in first.labels)
    if provider.startswith("openai:") and plain:
        settings["response_format"] = enum_schema("label", first.labels)
    return {
        "description": "Written by whichlever; give it the results again under levers: recorded:",
        "prompts": ["file://prompt.json"],
        "providers": [{"id": provider, "config": settings}],
        "tests": "file://tests.jsonl",
    }
