"""Style profiles beside a stream of mail: whose they are is looked up by the sender."""

from __future__ import annotations

from pathlib import Path

from whichlever.errors import InputError
from whichlever.infer.style import StyleProfile
from whichlever.mail.message import Message
from whichlever.runtime.authorship import authorship
from whichlever.runtime.style_profiles import ProfileStore, file_stem, read_key


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

    def imitation(self, message: Message) -> str | None:
        """Why a mail of a protected person's address is not in their style; None where it is, where
        the mail is too short to tell, or where there is no profile of its sender.
        """
        try:
            profile = self._profiles.get(file_stem(message.from_address))
        except InputError:
            return None
        if profile is None:
            return None
        found = authorship(profile, message.own)
        if found.verdict != "imitation":
            return None
        said = "; ".join(found.reasons[:3])
        return f"not written as {message.from_address} writes: {said}"[:300]
