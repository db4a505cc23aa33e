"""Style profiles at rest: encrypted with the user's key, listed, deleted."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path

from whichlever.errors import InputError, MissingExtraError, NotTrusted
from whichlever.infer.style import StyleProfile

_MAGIC = b"WLSTYLE1"
_NONCE = 12
_SUFFIX = ".style"


def new_key(path: Path) -> None:
    """Write a new 256-bit key, readable by its owner alone.

    Raises
    ------
    InputError
        The file is there already.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise InputError(f"{path} is there already; profiles made with it need it") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from error
    with os.fdopen(handle, "w") as stream:
        stream.write(secrets.token_hex(32) + "\n")


def read_key(path: Path) -> bytes:
    """The 32 bytes of a key file.

    Raises
    ------
    InputError
        It is missing, or is no key of 64 hexadecimal digits.
    """
    try:
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read; make one with --new-key") from error
    if not re.fullmatch(r"[0-9a-fA-F]{64}", text):
        raise InputError(f"{path}: is no key of 64 hexadecimal digits")
    return bytes.fromhex(text)


class ProfileStore:
    """A folder of encrypted profiles (AES-256-GCM; the person's file name is authenticated too)."""

    def __init__(self, folder: Path, key: bytes) -> None:
        self.folder, self._key = folder, key

    def names(self) -> list[str]:
        """File names of the profiles there, without their ending."""
        return sorted(path.stem for path in self.folder.glob(f"*{_SUFFIX}"))

    def save(self, profile: StyleProfile) -> Path:
        """Write a profile, encrypted, in place of an older one of that person."""
        self.folder.mkdir(parents=True, exist_ok=True)
        name = file_stem(profile.facts.person)
        nonce = secrets.token_bytes(_NONCE)
        sealed = _cipher(self._key).encrypt(nonce, profile.to_bytes(), _MAGIC + name.encode())
        path = self.folder / f"{name}{_SUFFIX}"
        aside = path.with_suffix(".part")
        handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as stream:
            stream.write(_MAGIC + nonce + sealed)
        aside.replace(path)
        return path

    def load(self, person: str) -> StyleProfile:
        """Read a profile.

        Raises
        ------
        InputError
            There is none of that person.
        NotTrusted
            The key is another, or the file was changed.
        """
        name = file_stem(person)
        path = self.folder / f"{name}{_SUFFIX}"
        try:
            content = path.read_bytes()
        except OSError:
            raise InputError(f"no profile of {person} in {self.folder}") from None
        if not content.startswith(_MAGIC):
            raise NotTrusted(f"{path}: is no style profile")
        begin = len(_MAGIC) + _NONCE
        from cryptography.exceptions import InvalidTag

        try:
            plain = _cipher(self._key).decrypt(
                content[len(_MAGIC) : begin], content[begin:], _MAGIC + name.encode()
            )
        except InvalidTag:
            raise NotTrusted(f"{path}: the key is another, or the file was changed") from None
        return StyleProfile.from_bytes(plain)

    def forget(self, person: str) -> None:
        """Delete a profile.

        Raises
        ------
        InputError
            There is none of that person.
        """
        try:
            (self.folder / f"{file_stem(person)}{_SUFFIX}").unlink()
        except OSError:
            raise InputError(f"no profile of {person} in {self.folder}") from None


def file_stem(person: str) -> str:
    """A person's name or address as a file name.

    Raises
    ------
    InputError
        Nothing of it can be one.
    """
    stem = re.sub(r"[^a-z0-9@._-]+", "-", person.strip().lower()).strip(".-")[:100]
    if not stem:
        raise InputError(f"{person!r} cannot be a file's name; use an address")
    return stem


def _cipher(key: bytes):  # type: ignore[no-untyped-def]  # noqa: ANN202 - cryptography's class
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError:
        raise MissingExtraError("encrypting profiles", "mail") from None
    return AESGCM(key)
