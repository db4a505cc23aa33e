"""The README's and the result pages' figures are those of the result files."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def results():
    spec = importlib.util.spec_from_file_location("results", ROOT / "bench" / "results.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MODULE = results()


@pytest.mark.parametrize("name", MODULE.PAGES)
def test_every_figure_comes_from_a_result_file(name):
    page = (ROOT / name).read_text(encoding="utf-8")
    made = MODULE.blocks()
    wanted = {match["name"] for match in MODULE.BLOCK.finditer(page)}
    assert wanted, "the page has no figures"
    assert wanted <= set(made), "a block has no result file behind it"
    assert MODULE.filled(page, made) == page, "run: python bench/results.py fill"


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", *(
    str(p.relative_to(ROOT)) for p in sorted((ROOT / "docs").rglob("*.md"))
)])  # fmt: skip
def test_links_inside_the_repository_lead_somewhere(name):
    page = ROOT / name
    for target in re.findall(r"\]\(([^)#\s]+)\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{name}: {target}"


def test_the_readme_names_every_verb():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for verb in (
        "init",
        "advise",
        "audit",
        "compare",
        "report",
        "train",
        "models",
        "schema",
        "fetch",
        "pack",
        "show",
        "sign",
        "verify",
        "keys",
        "run",
        "serve",
        "seal",
    ):
        assert f"whichlever {verb}" in text


def test_the_task_page_names_every_key_of_the_schema():
    from whichlever.task import Task

    page = (ROOT / "docs" / "task.md").read_text(encoding="utf-8")
    schema = json.loads(Task.json_schema())
    keys = set(schema["properties"])
    for definition in schema["$defs"].values():
        keys |= set(definition.get("properties", {}))
    missing = {key for key in keys if not re.search(rf"\b{key}:", page)}
    assert not missing


def test_the_task_page_s_example_is_a_task():
    from whichlever.task import Task

    page = (ROOT / "docs" / "task.md").read_text(encoding="utf-8")
    example = re.search(r"```yaml\n(.*?)```", page, re.S)[1]
    assert (
        Task.parse(example.replace("    column: role ", "    # column: role ")).kind == "classify"
    )


def test_the_readme_s_task_is_complete():
    from whichlever.task import Task

    page = (ROOT / "README.md").read_text(encoding="utf-8")
    assert Task.parse(re.search(r"```yaml\n(.*?)```", page, re.S)[1]).data.target == "team"
