"""Which source a line is said to be of: by its file, its sender or the port it came to."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from whichlever.errors import InputError


class Sources:
    """What ``--source`` says.

    ``NAME`` alone is the source of everything; ``PATTERN=NAME`` of files whose path or name, of
    senders whose address, or of ports (``udp:5514``) that the pattern matches (``*`` and ``?``).
    The first that matches counts; without a match the source is not known.

    Raises
    ------
    InputError
        A name is empty, or several stand without a pattern.
    """

    def __init__(self, said: Sequence[str]) -> None:
        self._rules: list[tuple[str, str]] = []
        for one in said:
            pattern, equals, name = one.rpartition("=")
            if not name or (equals and not pattern) or len(one) > 1_000:
                raise InputError(f"--source {one[:80]!r}: give NAME, or PATTERN=NAME")
            self._rules.append((pattern if equals else "*", name))
        if sum(pattern == "*" for pattern, _ in self._rules) > 1:
            raise InputError("--source: two names for everything; give a pattern to one of them")
        self._rules.sort(key=lambda rule: rule[0] == "*")

    def of(self, *ways: str) -> str | None:
        """The source of what is called by any of these words."""
        for pattern, name in self._rules:
            if any(fnmatchcase(way, pattern) for way in ways):
                return name
        return None

    def __str__(self) -> str:
        """Every rule, for a checkpoint to compare."""
        return ", ".join(f"{pattern}={name}" for pattern, name in self._rules)
