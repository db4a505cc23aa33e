from __future__ import annotations

import contextlib
import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from whichlever.errors import WeightsError
from whichlever.llm.gguf import GGUF, read_gguf


def text(value: str) -> bytes:
    raw = value.encode()
    return struct.pack("<Q", len(raw)) + raw


def header(pairs: list[tuple[str, int, bytes]]) -> bytes:
    body = b"".join(text(key) + struct.pack("<I", kind) + value for key, kind, value in pairs)
    return b"GGUF" + struct.pack("<IQQ", 3, 0, len(pairs)) + body


GOOD = header(
    [
        ("general.architecture", 8, text("llama")),
        ("tokenizer.ggml.tokens", 9, struct.pack("<IQ", 8, 2) + text("a") + text("b")),
        ("tokenizer.ggml.scores", 9, struct.pack("<IQ", 6, 3) + bytes(12)),
        ("general.file_type", 4, struct.pack("<I", 3)),
        ("general.size_label", 8, text("135M")),
        ("llama.context_length", 4, struct.pack("<I", 8192)),
    ]
)


def test_a_header_is_read_past_its_vocabulary(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(GOOD)
    assert read_gguf(path) == GGUF("llama", None, "135M", "Q4_1", 8192, None)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80)
@given(st.binary(max_size=200) | st.integers(0, len(GOOD) - 1).map(lambda n: GOOD[:n])
       | st.tuples(st.integers(24, len(GOOD) - 1), st.binary(min_size=1, max_size=9)).map(
           lambda edit: GOOD[: edit[0]] + edit[1] + GOOD[edit[0] + len(edit[1]) :]))  # fmt: skip
def test_whatever_stands_in_a_file_the_only_error_is_ours(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(raw)
    with contextlib.suppress(WeightsError):
        read_gguf(path)


def test_a_length_without_bound_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, 2**62))
    with pytest.raises(WeightsError, match="too many"):
        read_gguf(path)
