"""Every exception that Whichlever raises on purpose, in one tree.

::

    WhichleverError
    ├── InputError            bad task, data or usage: exit 2
    │   ├── TaskError         the task file
    │   ├── DataError         rows, files, columns, splits
    │   ├── MissingExtraError an optional dependency is not installed
    │   └── EgressError       a connection that was not allowed
    ├── LLMError              a language-model server failed: exit 2
    │   ├── LLMUnreachable    no connection could be made
    │   ├── LLMTimeout
    │   ├── LLMRateLimited
    │   ├── LLMWindowError    the prompt does not fit the model's window
    │   └── LLMGarbage        an answer that breaks the protocol or the grammar
    ├── WeightsError          weights are missing or their checksum is wrong: exit 2
    ├── RunError              a RUN folder is locked, foreign or damaged: exit 2
    ├── BundleError           a bundle cannot be made or read: exit 2
    │   └── NotTrusted        a bundle's signature or its files do not hold: exit 3
    └── CheckFailed           the job ran; what it checked is not so: exit 3

Each message is one line: what was wrong, where, and what to do next.
"""

from __future__ import annotations


class WhichleverError(Exception):
    """The root of the tree; ``exit_code`` is what the command line returns."""

    exit_code = 2


class InputError(WhichleverError):
    """Something the user gave cannot be used."""


class TaskError(InputError):
    """The task file is wrong."""


class DataError(InputError):
    """Rows, files, columns or splits are wrong."""


class MissingExtraError(InputError):
    """An optional dependency is needed and not installed.

    Parameters
    ----------
    what : str
        What cannot be done without it.
    extra : str
        The extra that brings it, as in ``pip install 'whichlever[extra]'``.
    """

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs an optional part: pip install 'whichlever[{extra}]'")


class EgressError(InputError, OSError):
    """A connection or a name look-up that leaves this machine was refused."""


class LLMError(WhichleverError):
    """A language-model server could not be used."""


class LLMUnreachable(LLMError):
    """No connection to the server could be made, or it broke."""


class LLMTimeout(LLMError):
    """The server did not answer in time."""


class LLMRateLimited(LLMError):
    """The server kept answering 429 after every retry."""


class LLMWindowError(LLMError):
    """The prompt does not fit the model's window; it is never cut to fit."""


class LLMGarbage(LLMError):
    """The server's answer breaks the protocol or the grammar it was given."""


class WeightsError(WhichleverError):
    """Weights are missing, or are not the ones that were pinned."""


class RunError(WhichleverError):
    """A RUN folder is in use, belongs to another task, or is damaged."""


class BundleError(WhichleverError):
    """A bundle cannot be made, or is damaged or of a format that this version does not read."""


class NotTrusted(BundleError):
    """A bundle is not what its signer signed, or its signer is not known; nothing was loaded."""

    exit_code = 3


class CheckFailed(WhichleverError):
    """A check ran to its end and failed."""

    exit_code = 3
