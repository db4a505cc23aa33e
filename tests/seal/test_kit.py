"""A kit is what was sealed, or is refused by the name of the file."""

from __future__ import annotations

import hashlib
import json
import random
import tarfile
import tomllib
from pathlib import Path

import pytest
from kits import members, rewritten, small_kit, small_plan
from packaging.requirements import Requirement

from whichlever.bundle.bom import validate_bom
from whichlever.bundle.sign import new_key
from whichlever.errors import BundleError, CheckFailed, InputError, NotTrusted
from whichlever.seal.check import check_kit
from whichlever.seal.format import SUMS
from whichlever.seal.kit import write_kit
from whichlever.seal.plan import WHOLE, plan_kit


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kit")


@pytest.fixture(scope="module")
def key(place: Path) -> tuple[Path, Path]:
    return new_key(place / "team")


@pytest.fixture(scope="module")
def kit(place: Path, key: tuple[Path, Path]) -> Path:
    return small_kit(place, "signed.tar", key[0]).path


def test_what_was_sealed_is_there_and_signed(kit: Path, key: tuple[Path, Path]) -> None:
    checked = check_kit(kit, key[1])
    assert checked.signer is not None
    assert checked.signer.name == "team"
    assert [p.name for p in checked.kit.packages] == ["mdurl", "pip", "whichlever"]
    assert [p.origin for p in checked.kit.packages] == ["repacked", "repacked", "built"]
    assert checked.kit.bundles[0].task == "tiny"
    assert not checked.kit.bundles[0].signed
    assert checked.digests["weights/toy/toy.gguf"] == checked.kit.weights[0].sha256


def test_sealing_again_gives_the_same_bytes(tmp_path: Path) -> None:
    first, again = small_kit(tmp_path, "a.tar"), small_kit(tmp_path, "b.tar")
    assert first.path.read_bytes() == again.path.read_bytes()
    assert first.sha256 == hashlib.sha256(first.path.read_bytes()).hexdigest()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.tar", "b.tar", "from"]


def test_the_estimate_is_near_what_it_became(tmp_path: Path) -> None:
    plan = small_plan(tmp_path / "from")
    made = write_kit(plan, tmp_path / "kit.tar")
    assert 0.6 < plan.bytes / made.bytes < 1.6


def test_the_bill_of_materials_names_everything_and_is_valid(kit: Path) -> None:
    content = next(c for m, c in members(kit) if m.name.endswith("/bom.cdx.json"))
    pytest.importorskip("jsonschema")
    assert validate_bom(content)
    bill = json.loads(content)
    found = {c["name"]: c for c in bill["components"]}
    assert set(found) == {"mdurl", "pip", "whichlever", "toy", "tiny.wl"}
    assert found["toy"]["type"] == "machine-learning-model"
    assert found["mdurl"]["licenses"] == [{"license": {"id": "MIT"}}]
    assert all(c["hashes"][0]["alg"] == "SHA-256" for c in found.values())


def test_an_existing_file_is_never_overwritten(kit: Path, tmp_path: Path) -> None:
    before = kit.read_bytes()
    with pytest.raises(InputError, match="is there already"):
        write_kit(small_plan(tmp_path), kit)
    assert kit.read_bytes() == before


def test_a_kit_without_a_signature_vouches_for_nobody(
    tmp_path: Path, key: tuple[Path, Path]
) -> None:
    made = small_kit(tmp_path)
    assert check_kit(made.path).signer is None
    with pytest.raises(NotTrusted, match="is not signed"):
        check_kit(made.path, key[1])


def test_another_key_is_refused(kit: Path, tmp_path: Path) -> None:
    _, other = new_key(tmp_path / "other")
    with pytest.raises(NotTrusted, match="not among yours"):
        check_kit(kit, other)


def test_any_flipped_byte_is_noticed(kit: Path, key: tuple[Path, Path], tmp_path: Path) -> None:
    content = kit.read_bytes()
    with tarfile.open(kit, "r:") as tar:
        heads = [m.offset + 30 for m in tar.getmembers()]
        bodies = [m.offset_data for m in tar.getmembers()]
    drawn = random.Random(0)
    places = [*heads, *bodies, len(content) - 1, *(drawn.randrange(len(content)) for _ in range(9))]
    spoilt = tmp_path / "spoilt.tar"
    for at in places:
        spoilt.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        with pytest.raises((CheckFailed, InputError, NotTrusted)):
            check_kit(spoilt, key[1])


def test_a_changed_file_is_named_even_where_its_checksum_was_changed_too(
    kit: Path, key: tuple[Path, Path], tmp_path: Path
) -> None:
    entries = members(kit)
    old = next(c for m, c in entries if m.name.endswith("/install.sh"))
    new = old + b"\necho mine\n"
    sums = next(c for m, c in entries if m.name.endswith(f"/{SUMS}"))
    forged = sums.replace(
        hashlib.sha256(old).hexdigest().encode(), hashlib.sha256(new).hexdigest().encode()
    )
    folder = f"whichlever-0.1.0-{hashlib.sha256(forged).hexdigest()[:8]}"
    for entry, _ in entries:
        entry.name = f"{folder}/{entry.name.partition('/')[2]}"
    changed = [(m, {old: new, sums: forged}.get(c, c)) for m, c in entries]
    path = rewritten(kit, tmp_path / "forged.tar", changed)
    assert check_kit(path).signed  # its own checksums agree: they tell damage, not forgery
    with pytest.raises(NotTrusted, match="SHA256SUMS was changed after it was signed"):
        check_kit(path, key[1])


def test_a_missing_and_an_added_file_are_named(kit: Path, tmp_path: Path) -> None:
    entries = members(kit)
    less = [(m, c) for m, c in entries if not m.name.endswith("toy.gguf")]
    with pytest.raises(CheckFailed, match=r"weights/toy/toy.gguf is missing"):
        check_kit(rewritten(kit, tmp_path / "less.tar", less))
    more = tarfile.TarInfo(entries[-1][0].name + "2")
    with pytest.raises(CheckFailed, match=r"whl2 is not in SHA256SUMS"):
        check_kit(rewritten(kit, tmp_path / "more.tar", [*entries, (more, b"x")]))


@pytest.mark.parametrize(
    "spoil",
    [
        {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"},
        {"type": tarfile.LNKTYPE, "linkname": "whichlever"},
        {"type": tarfile.CHRTYPE},
        {"type": tarfile.FIFOTYPE},
        {"mode": 0o4755},
        {"uid": 1},
        {"mtime": 1},
        {"name": "../outside"},
        {"name": "/etc/passwd"},
        {"name": "whichlever-0.1.0-00000000/wheels/x.whl"},
        {"name": "whichlever-0.1.0-00000000/wheels/../x"},
    ],
)
def test_what_no_kit_holds_is_refused(kit: Path, tmp_path: Path, spoil: dict[str, object]) -> None:
    entries = members(kit)
    entry, content = entries[-1]
    for name, value in spoil.items():
        setattr(entry, name, value)
    body = b"" if "type" in spoil else content
    with pytest.raises(CheckFailed):
        check_kit(rewritten(kit, tmp_path / "bad.tar", [*entries[:-1], (entry, body)]))


def test_cut_short_or_longer_than_its_end(kit: Path, tmp_path: Path) -> None:
    content, path = kit.read_bytes(), tmp_path / "x.tar"
    for cut in (600, 5_000, len(content) // 2, len(content) - 10_240):
        path.write_bytes(content[:cut])
        with pytest.raises(CheckFailed):
            check_kit(path)
    path.write_bytes(content + b"\0" * 10_240)
    with pytest.raises(CheckFailed, match="behind its last file"):
        check_kit(path)


@pytest.mark.parametrize("content", [b"", b"hello", b"\0" * 10_240, b"\x1f\x8b" + b"x" * 2_000])
def test_what_is_no_kit_is_said_to_be_none(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    path.write_bytes(content)
    with pytest.raises(InputError, match="is not a kit"):
        check_kit(path)


def test_a_key_that_cannot_sign_is_refused_before_the_work(tmp_path: Path) -> None:
    plan = small_plan(tmp_path / "from")
    (tmp_path / "no.key").write_text("not a key")
    with pytest.raises(BundleError, match="no private key"):
        write_kit(plan, tmp_path / "kit.tar", tmp_path / "no.key")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["from", "no.key"]


def test_the_default_is_every_part_of_the_program() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    (everything,) = project["optional-dependencies"]["all"]
    assert set(Requirement(everything).extras) == set(WHOLE)


def test_a_bundle_that_could_not_answer_there_is_refused(tmp_path: Path) -> None:
    fixture = Path(__file__).parents[1] / "fixtures" / "bundles"
    encoder = next(iter(sorted(fixture.rglob("*encoder*.wl"))), None)
    if encoder is None:
        pytest.skip("no encoder among the fixtures")
    with pytest.raises(InputError, match="onnxruntime, which is not in the chosen extras"):
        plan_kit((), bundles=[encoder])
