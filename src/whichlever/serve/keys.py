"""API keys: random, shown once, kept as hashes, with limits of their own."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from whichlever.errors import InputError
from whichlever.run import write_text

PREFIX = "wl_"

LARGEST = 1_000_000


class ApiKey(BaseModel):
    """One caller.

    ``hash`` is SHA-256 over salt and key: the key has 256 random bits, so that no slow hash is
    needed to make guessing hopeless. ``requests_per_second`` and ``rows_per_minute`` of 0 are
    without limit.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    salt: str = Field(pattern=r"^[0-9a-f]{32}$")
    hash: str = Field(pattern=r"^[0-9a-f]{64}$")
    status: Literal["active", "revoked"] = "active"
    requests_per_second: float = Field(default=0, ge=0)
    rows_per_minute: float = Field(default=0, ge=0)


class ApiKeys(BaseModel):
    """The file of keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    keys: tuple[ApiKey, ...] = ()

    def whose(self, given: str) -> ApiKey | None:
        """The active key that this is; every key is compared, in constant time each."""
        found = None
        for key in self.keys:
            right = hmac.compare_digest(_hashed(key.salt, given), key.hash)
            if right and key.status == "active":
                found = key
        return found

    def added(
        self, name: str, requests_per_second: float = 0, rows_per_minute: float = 0
    ) -> tuple[ApiKeys, str]:
        """The keys with a new one, and the new key itself, which is nowhere kept.

        Raises
        ------
        InputError
            An active key has that name, or the name cannot be one.
        """
        if any(k.name == name and k.status == "active" for k in self.keys):
            raise InputError(f"{name!r} has a key already; revoke it, or give the new one a name")
        made, salt = PREFIX + secrets.token_urlsafe(32), secrets.token_hex(16)
        try:
            key = ApiKey(
                name=name, salt=salt, hash=_hashed(salt, made),
                requests_per_second=requests_per_second, rows_per_minute=rows_per_minute,
            )  # fmt: skip
        except ValidationError as error:
            raise InputError(f"{name!r}: {error.errors()[0]['msg']}") from None
        return ApiKeys(keys=(*self.keys, key)), made

    def revoked(self, name: str) -> ApiKeys:
        """The keys with this name's revoked; InputError where it has none."""
        if all(k.name != name or k.status == "revoked" for k in self.keys):
            raise InputError(f"{name!r} has no active key")
        changed = [
            k.model_copy(update={"status": "revoked"}) if k.name == name else k for k in self.keys
        ]
        return ApiKeys(keys=tuple(changed))

    def save(self, path: Path) -> None:
        """Write the file, whole or not at all, for its owner alone."""
        write_text(path, json.dumps(self.model_dump(mode="json"), indent=1) + "\n")
        path.chmod(0o600)

    @classmethod
    def load(cls, path: Path) -> ApiKeys:
        """Read the file.

        Raises
        ------
        InputError
            It is missing or no such file.
        """
        try:
            with path.open("rb") as raw:
                said: Any = json.loads(raw.read(LARGEST))
            return cls.model_validate(said)
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
        except (ValidationError, ValueError, RecursionError):
            raise InputError(f"{path}: is no file of API keys (whichlever serve-keys)") from None


def _hashed(salt: str, given: str) -> str:
    return hashlib.sha256(bytes.fromhex(salt) + given.encode("utf-8", "replace")).hexdigest()


class Limits:
    """Token buckets, one pair per key; a clock that only goes forward."""

    def __init__(self) -> None:
        self._left: dict[tuple[str, str], tuple[float, float]] = {}

    def wait_for(self, key: ApiKey, rows: int, now: float | None = None) -> float:
        """Take one request of so many rows; the seconds to wait where there is no room (0: taken).

        A request with more rows than a minute allows is let through when the bucket is full, so
        that it is delayed and not refused for ever.
        """
        now = time.monotonic() if now is None else now
        asked = [
            ("requests", key.requests_per_second, max(1.0, key.requests_per_second), 1.0),
            ("rows", key.rows_per_minute / 60, max(1.0, key.rows_per_minute), float(rows)),
        ]
        after, wait = {}, 0.0
        for what, rate, most, cost in asked:
            if rate == 0:
                continue
            left, then = self._left.get((key.name, what), (most, now))
            left = min(most, left + (now - then) * rate)
            need = min(cost, most)
            if left < need:
                wait = max(wait, (need - left) / rate)
            after[key.name, what] = (left - cost, now)
        if wait == 0:
            self._left.update(after)
        return wait
