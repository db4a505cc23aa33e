"""Fixtures that several rooms' tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the repository; tests that need it are marked ``real``."""
    if not SHARED_DATA.is_dir():
        pytest.skip("no ../shared/data beside the repository: real data is not shipped with it")
    return SHARED_DATA
