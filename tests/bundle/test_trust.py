"""A signed bundle: what was not signed exactly so is refused, by name, before it is parsed."""

from __future__ import annotations

import base64
import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiny_bundle import TEXTS, tiny_bundle, tiny_files

pytest.importorskip("cryptography", reason="the extra 'sign' is not installed")
pytest.importorskip("model_signing", reason="the extra 'sign' is not installed")

from whichlever.bundle import open_bundle
from whichlever.bundle.archive import read_archive, write_archive
from whichlever.bundle.keyring import Key, KeyRing
from whichlever.bundle.sign import new_key, sign_bundle
from whichlever.errors import BundleError, NotTrusted
from whichlever.runtime.bundle import Bundle

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return new_key(tmp_path_factory.mktemp("keys") / "team")


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory, keys: tuple[Path, Path]) -> Path:
    path = tiny_bundle(tmp_path_factory.mktemp("signed") / "model.wl")
    sign_bundle(path, keys[0])
    return path


def test_what_was_signed_opens_and_answers(signed: Path, keys: tuple[Path, Path]) -> None:
    bundle = Bundle.open(signed, keys[1])
    assert bundle.signer is not None
    assert bundle.signer.name == "team"
    assert bundle.predict([TEXTS[0], {"text": TEXTS[-1]}])[1].label == "noise"


def test_nobody_vouches_without_a_key(signed: Path) -> None:
    with pytest.raises(NotTrusted, match="--key"):
        open_bundle(signed)
    assert open_bundle(signed, allow_unsigned=True).signer is None


def test_an_unsigned_bundle_is_refused_by_a_key(tmp_path: Path, keys: tuple[Path, Path]) -> None:
    with pytest.raises(NotTrusted, match="is not signed"):
        open_bundle(tiny_bundle(tmp_path / "m.wl"), keys[1])


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_flipped_bit_anywhere_is_refused(
    data: st.DataObject,
    signed: Path,
    keys: tuple[Path, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    files = read_archive(signed)
    name = data.draw(st.sampled_from(sorted(files)))
    at = data.draw(st.integers(0, len(files[name]) - 1))
    changed = bytearray(files[name])
    changed[at] ^= 1 << data.draw(st.integers(0, 7))
    path = tmp_path_factory.mktemp("flip") / "m.wl"
    write_archive(path, {**files, name: bytes(changed)})
    with pytest.raises(NotTrusted, match=name.replace(".", r"\.")):
        open_bundle(path, keys[1])


def test_added_removed_and_swapped_files_are_named(
    signed: Path, keys: tuple[Path, Path], tmp_path: Path
) -> None:
    files = read_archive(signed)
    for name, changed in {
        "extra.txt": {**files, "extra.txt": b"x"},
        "bundle.json": {n: c for n, c in files.items() if n != "bundle.json"},
        "model/linear/model.json": {**files, "model/linear/model.json": files["bundle.json"]},
    }.items():
        write_archive(tmp_path / "m.wl", changed)
        with pytest.raises(NotTrusted, match=name):
            open_bundle(tmp_path / "m.wl", keys[1])


def test_another_key_is_not_trusted(signed: Path, tmp_path: Path) -> None:
    other = new_key(tmp_path / "other")
    with pytest.raises(NotTrusted, match="not among yours"):
        open_bundle(signed, other[1])
    copy = tmp_path / "m.wl"
    copy.write_bytes(signed.read_bytes())
    sign_bundle(copy, other[0])
    assert open_bundle(copy, other[1]).signer is not None


def test_a_forged_hint_does_not_help(signed: Path, keys: tuple[Path, Path], tmp_path: Path) -> None:
    """Re-signed by a stranger who writes the trusted key's fingerprint beside it."""
    other = new_key(tmp_path / "other")
    copy = tmp_path / "m.wl"
    copy.write_bytes(signed.read_bytes())
    sign_bundle(copy, other[0])
    files = read_archive(copy)
    said = json.loads(files["model.sig"])
    said["verificationMaterial"]["publicKey"]["hint"] = KeyRing.load(keys[1]).keys[0].fingerprint
    write_archive(copy, {**files, "model.sig": json.dumps(said).encode()})
    with pytest.raises(NotTrusted, match="does not hold"):
        open_bundle(copy, keys[1])


@pytest.mark.parametrize(
    "change",
    [
        lambda s: b"",
        lambda s: b"[" * 100_000,
        lambda s: b'{"dsseEnvelope": 3}',
        lambda s: _with(s, "dsseEnvelope", "signatures", []),
        lambda s: _with(s, "dsseEnvelope", "signatures", [{"sig": ""}]),
        lambda s: _twice(s),
        lambda s: _with(s, "dsseEnvelope", "payloadType", "text/plain"),
        lambda s: _with(s, "dsseEnvelope", "payload", base64.b64encode(b"{}").decode()),
        lambda s: _with(s, "verificationMaterial", "publicKey", {"hint": None}),
    ],
)
def test_a_malformed_signature_is_refused(
    change: object, signed: Path, keys: tuple[Path, Path], tmp_path: Path
) -> None:
    files = read_archive(signed)
    assert callable(change)
    write_archive(tmp_path / "m.wl", {**files, "model.sig": change(files["model.sig"])})
    with pytest.raises(NotTrusted, match=r"model\.sig|signature"):
        open_bundle(tmp_path / "m.wl", keys[1])


def _with(content: bytes, first: str, second: str, value: object) -> bytes:
    said = json.loads(content)
    said[first][second] = value
    return json.dumps(said).encode()


def _twice(content: bytes) -> bytes:
    said = json.loads(content)
    said["dsseEnvelope"]["signatures"] *= 2
    return json.dumps(said).encode()


def test_rotation_and_revocation(signed: Path, keys: tuple[Path, Path], tmp_path: Path) -> None:
    old = KeyRing.load(keys[1]).keys[0]
    new = Key(name="new", pem=new_key(tmp_path / "new")[1].read_text())
    ring = tmp_path / "ring.yaml"
    KeyRing(keys=(old, new)).save(ring)
    assert open_bundle(signed, ring).signer == old
    KeyRing.load(ring).with_status("team", "retired").save(ring)
    assert open_bundle(signed, ring).signer is not None
    KeyRing.load(ring).with_status("team", "revoked", "laptop stolen").save(ring)
    with pytest.raises(NotTrusted, match=r"'team'.*revoked.*laptop stolen"):
        open_bundle(signed, ring)


def test_a_key_is_never_overwritten_and_is_its_owners_alone(tmp_path: Path) -> None:
    private, _ = new_key(tmp_path / "k", "secret")
    assert private.stat().st_mode & 0o077 == 0
    with pytest.raises(BundleError, match="never overwritten"):
        new_key(tmp_path / "k")
    path = tiny_bundle(tmp_path / "m.wl")
    with pytest.raises(BundleError, match="passphrase"):
        sign_bundle(path, private, "wrong")
    sign_bundle(path, private, "secret")
    open_bundle(path, tmp_path / "k.pub")


def test_half_a_pair_of_keys_is_not_left_behind(tmp_path: Path) -> None:
    (tmp_path / "k.pub").symlink_to(tmp_path / "no" / "where")  # is not there, and cannot be made
    with pytest.raises(FileExistsError):
        new_key(tmp_path / "k")
    assert not (tmp_path / "k.key").exists()


def test_the_public_standard_reads_it_and_is_read(
    signed: Path, keys: tuple[Path, Path], tmp_path: Path
) -> None:
    """OpenSSF model-signing's own program verifies what is signed here, and the other way round."""
    folder = tmp_path / "unpacked"
    with tarfile.open(signed) as tar:
        tar.extractall(folder, filter="data")
    program = [sys.executable, "-W", "ignore", "-m", "model_signing"]
    check = [*program, "verify", "key", str(folder), "--signature", str(folder / "model.sig"),
             "--public_key", str(keys[1])]  # fmt: skip
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (folder / "bundle.json").write_bytes(b"{}")
    assert subprocess.run(check, capture_output=True, check=False).returncode != 0
    (folder / "model.sig").unlink()
    (folder / "bundle.json").write_bytes(tiny_files()["bundle.json"])
    subprocess.run(
        [*program, "sign", "key", str(folder), "--signature", str(folder / "model.sig"),
         "--private_key", str(keys[0])],
        capture_output=True, check=True,
    )  # fmt: skip
    assert open_bundle(folder, keys[1]).signer is not None


def _tar(
    path: Path,
    *entries: tuple[tarfile.TarInfo, bytes],
    mode: str = "w",
    fmt: int = tarfile.USTAR_FORMAT,
) -> Path:
    with tarfile.open(path, mode, format=fmt) as tar:  # type: ignore[call-overload]
        for entry, content in entries:
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return path


def _entry(name: str, **more: object) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.mode = 0o644
    for key, value in more.items():
        setattr(entry, key, value)
    return entry


@pytest.mark.parametrize(
    ("entry", "content"),
    [
        (_entry("../evil"), b"x"),
        (_entry("/etc/passwd"), b"x"),
        (_entry("a/../../b"), b"x"),
        (_entry("a\\b"), b"x"),
        (_entry("link", type=tarfile.SYMTYPE, linkname="/etc/passwd"), b""),
        (_entry("link", type=tarfile.LNKTYPE, linkname="bundle.json"), b""),
        (_entry("pipe", type=tarfile.FIFOTYPE), b""),
        (_entry("device", type=tarfile.CHRTYPE, devmajor=1, devminor=5), b""),
        (_entry("folder", type=tarfile.DIRTYPE), b""),
        (_entry("sparse", type=tarfile.GNUTYPE_SPARSE), b"x"),
        (_entry("mine", uid=1000, uname="root"), b"x"),
        (_entry("BUNDLE.json"), b"x"),
        (_entry("n" * 90), b"x"),
        (_entry("a/b/c/d/e/f/g"), b"x"),
    ],
)  # fmt: skip
def test_hostile_entries_are_refused(
    entry: tarfile.TarInfo, content: bytes, tmp_path: Path
) -> None:
    real = [(_entry("bundle.json"), tiny_files()["bundle.json"])]
    path = _tar(tmp_path / "m.wl", *sorted([*real, (entry, content)], key=lambda e: e[0].name))
    with pytest.raises(BundleError):
        open_bundle(path, allow_unsigned=True)


def test_bombs_twins_tails_and_truncation_are_refused(tmp_path: Path) -> None:
    good = tiny_bundle(tmp_path / "m.wl").read_bytes()
    path = tmp_path / "bad.wl"
    huge = bytearray(good)
    huge[124:136] = b"77777777777\0"  # a size of 8 GiB in a tiny file
    cases = [
        good[:-1],
        good[:700],
        good + b"\0" * 512,
        good + b"evil",
        b"",
        bytes(10_240),
        bytes(huge),
    ]
    for content in cases:
        path.write_bytes(content)
        with pytest.raises(BundleError):
            open_bundle(path, allow_unsigned=True)
    entries = [(_entry("bundle.json"), b"{}"), (_entry("bundle.json"), b"[]")]
    for mode, fmt in (
        ("w", tarfile.USTAR_FORMAT),
        ("w:gz", tarfile.USTAR_FORMAT),
        ("w", tarfile.PAX_FORMAT),
    ):
        _tar(path, *entries[: 2 if mode == "w" else 1], mode=mode, fmt=fmt)
        with pytest.raises(BundleError):
            open_bundle(path, allow_unsigned=True)
    _tar(path, *((_entry(f"f{i:04d}"), b"") for i in range(1_000)))
    with pytest.raises(BundleError, match="more than"):
        open_bundle(path, allow_unsigned=True)


def test_links_in_a_folder_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    for name, content in tiny_files().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    assert open_bundle(folder, allow_unsigned=True).manifest.task == "tiny"
    (folder / "secret").symlink_to("/etc/passwd")
    with pytest.raises(BundleError, match="secret"):
        open_bundle(folder, allow_unsigned=True)
    (folder / "secret").unlink()
    os.mkfifo(folder / "pipe")
    with pytest.raises(BundleError, match="pipe"):
        open_bundle(folder, allow_unsigned=True)


@settings(max_examples=150, deadline=None)
@given(content=st.binary(max_size=3_000))
def test_any_bytes_are_a_bundle_or_one_clear_line(
    content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("any") / "m.wl"
    path.write_bytes(content)
    with pytest.raises(BundleError):
        open_bundle(path, allow_unsigned=True)


def test_an_archive_is_the_same_every_time(tmp_path: Path) -> None:
    first = tiny_bundle(tmp_path / "a.wl").read_bytes()
    files = read_archive(tmp_path / "a.wl")
    write_archive(tmp_path / "b.wl", dict(reversed(files.items())))
    assert (tmp_path / "b.wl").read_bytes() == first
