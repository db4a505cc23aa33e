"""What the user says of the own company, and what the own history of mail says of senders."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from whichlever.errors import InputError
from whichlever.mail.message import Message

_MOST = 5_000_000


class Person(BaseModel):
    """Somebody whose name is worth stealing, and the addresses that are really theirs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=2, max_length=200)
    addresses: tuple[str, ...] = ()

    @field_validator("addresses")
    @classmethod
    def _lower(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(address.strip().lower() for address in value)


class Company(BaseModel):
    """``company.yaml``: domains, protected people, and whose authentication results count.

    Attributes
    ----------
    domains, partners
        Registrable domains of the company, and of those it deals with.
    people
        Protected people.
    trusted_servers
        The ``authserv-id`` (RFC 8601) of the own mail servers; results of any other are ignored,
        since anyone can write such a header.
    dkim_keys
        ``selector._domainkey.domain`` → the TXT record, for checks without a name server.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    domains: tuple[str, ...] = ()
    partners: tuple[str, ...] = ()
    people: tuple[Person, ...] = ()
    trusted_servers: tuple[str, ...] = ()
    dkim_keys: dict[str, str] = {}

    @field_validator("domains", "partners", "trusted_servers")
    @classmethod
    def _lower(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(domain.strip().lower().rstrip(".") for domain in value)

    @classmethod
    def load(cls, path: Path) -> Company:
        """Read ``company.yaml``.

        Raises
        ------
        InputError
            The file is missing, too large, or a key is wrong.
        """
        try:
            if path.stat().st_size > _MOST:
                raise InputError(f"{path}: larger than {_MOST} bytes")
            return cls.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror})") from error
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise InputError(f"{path}: {where}: {first['msg']}") from None
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise InputError(f"{path}: is no YAML ({str(error).splitlines()[0]})") from None


@dataclass
class History:
    """Who wrote to the company before: addresses with their names and first and last time.

    ``seen`` maps an address to [mails, first, last] in seconds since 1970; ``names`` a display
    name (folded) to the addresses that used it.
    """

    seen: dict[str, tuple[int, float, float]] = field(default_factory=dict)
    names: dict[str, set[str]] = field(default_factory=dict)

    def add(self, message: Message) -> None:
        """Count one mail that is known to be genuine."""
        address = message.from_address
        if not address:
            return
        when = message.date or 0.0
        count, first, last = self.seen.get(address, (0, when, when))
        self.seen[address] = (count + 1, min(first, when), max(last, when))
        name = fold(message.from_name)
        if name:
            self.names.setdefault(name, set()).add(address)

    def learn(self, messages: Iterable[Message]) -> History:
        """Count many; returns itself."""
        for message in messages:
            self.add(message)
        return self

    def save(self, path: Path) -> None:
        """Write it as JSON: addresses, names and counts, no mail."""
        said = {
            "seen": {address: list(counts) for address, counts in sorted(self.seen.items())},
            "names": {name: sorted(those) for name, those in sorted(self.names.items())},
        }
        aside = path.with_name(path.name + ".part")
        aside.write_text(json.dumps(said, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        aside.replace(path)

    @classmethod
    def load(cls, path: Path) -> History:
        """Read what `save` wrote.

        Raises
        ------
        InputError
            It is no such file.
        """
        try:
            said = json.loads(path.read_text(encoding="utf-8"))
            seen = {str(a): (int(c[0]), float(c[1]), float(c[2])) for a, c in said["seen"].items()}
            names = {str(n): {str(a) for a in those} for n, those in said["names"].items()}
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror})") from error
        except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
            raise InputError(f"{path}: is no history file ({error})") from error
        return cls(seen, names)


def fold(name: str) -> str:
    """A display name as it is compared: no case, accents, punctuation or order of words."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    letters = "".join(c if c.isalnum() else " " for c in plain if not unicodedata.combining(c))
    return " ".join(sorted(letters.split()))
