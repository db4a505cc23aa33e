"""Style profiles beside a stream of mail: whose they are is found by the name that it bears."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from whichlever.errors import InputError
from whichlever.infer.style import StyleProfile
from whichlever.mail.company import Company
from whichlever.mail.message import Message
from whichlever.runtime.authorship import FALSE_ALARMS, authorship
from whichlever.runtime.mail_check import claimed
from whichlever.runtime.style_profiles import ProfileStore, file_stem, read_key

UNLIKE, ASKS = "style_unlike", "style_asks"


class StyleSign(NamedTuple):
    """What a mail's words speak against it: a code and the reason for a reader."""

    code: str
    words: str


class Styles:
    """The profiles of a folder, all of them decrypted once."""

    def __init__(self, profiles: dict[str, StyleProfile]) -> None:
        self._profiles = profiles

    @classmethod
    def open(cls, folder: Path, key: Path) -> Styles:
        """Read every profile of a folder.

        Raises
        ------
        InputError
            There is none, or the key is none.
        NotTrusted
            The key is another, or a profile was changed.
        """
        store = ProfileStore(folder, read_key(key))
        found = {name: store.load(name) for name in store.names()}
        if not found:
            raise InputError(f"{folder}: no profile there; make one with whichlever mail enrol")
        return cls(found)

    def sign(self, message: Message, company: Company | None) -> StyleSign | None:
        """What the words say against a mail that bears a protected person's name.

        None where they say nothing, where they are too few to tell, or where nobody of the
        profiles is named. The sender's other signs are not looked at: they have reasons of their
        own.
        """
        whose = claimed(message, self._profiles, company)
        if whose is None:
            return None
        found = authorship(self._profiles[file_stem(whose)], message.own)
        if found.verdict == "imitation":
            return StyleSign(UNLIKE, f"not written as {whose} writes: {'; '.join(found.reasons)}")
        if found.asking <= FALSE_ALARMS:
            return StyleSign(ASKS, f"asks for money as {whose} hardly ever does")
        return None
