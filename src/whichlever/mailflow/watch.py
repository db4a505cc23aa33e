"""A folder watched: every new mail judged once, through lost connections and restarts."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from whichlever.errors import EgressError, WhichleverError
from whichlever.mail.scan import MailVerdict
from whichlever.mailflow.imap_folder import Account, Fetched, ImapFolder
from whichlever.mailflow.judging import Judge
from whichlever.mailflow.watch_state import WatchState
from whichlever.serve.logs import say

TRIES = 3
"""How often a mail is tried that cannot be judged; it stays where it is."""

IDLE_AGAIN = 300.0
"""Seconds after which the folder is looked at though nothing was told; servers hang up at 1,800."""


@dataclass(frozen=True)
class Watching:
    """What is watched and what is done.

    Attributes
    ----------
    state
        File that remembers how far it came.
    act_on
        Verdicts that are flagged or moved.
    from_now
        Where there is no state yet: leave alone what is in the folder already.
    every
        Seconds between looks where the server tells nothing by itself.
    slowest
        Seconds between two tries at a server that is away, at most; they begin with one and double.
    """

    account: Account
    state: Path
    act_on: frozenset[str] = frozenset({"phishing"})
    flag: bool = False
    move_to: str | None = None
    max_bytes: int = 10_000_000
    from_now: bool = False
    every: float = 60.0
    slowest: float = 300.0


@dataclass
class Watch:
    """Watches until `stop`.

    Parameters
    ----------
    judge
        A mail's bytes to its verdict; it may raise.
    tell
        Given the line of each mail.
    """

    watching: Watching
    judge: Judge
    tell: Callable[[dict[str, Any]], None]
    counts: dict[str, int] = field(default_factory=dict)
    _stopping: bool = False
    _was_in: bool = False

    def __post_init__(self) -> None:
        self._state = WatchState.load(self.watching.state, self.watching.account.at)

    def stop(self) -> None:
        """End after the mail in hand."""
        self._stopping = True

    def run(self, once: bool = False) -> None:
        """Watch; with ``once``, judge what is new and return.

        Raises
        ------
        InputError
            The account, the folder or the state cannot be used.
        OSError, IMAPClientError
            With ``once``: the server cannot be reached.
        """
        from imapclient.exceptions import IMAPClientError

        wait = 1.0
        while not self._stopping:
            try:
                folder = self._open()
                wait, self._was_in = 1.0, True
                try:
                    self._follow(folder, once)
                finally:
                    folder.close()
                if once:
                    return
            except (WhichleverError, OSError, IMAPClientError) as error:
                # A password that was good and is refused now: the server's users may be away.
                refused = isinstance(error, WhichleverError) and not self._was_in
                if once or refused or isinstance(error, EgressError):
                    raise
                say("connection lost", error=type(error).__name__, again=wait)
                self._sleep(wait)
                wait = min(2 * wait, self.watching.slowest)

    def _open(self) -> ImapFolder:
        w = self.watching
        folder = ImapFolder.open(w.account, w.move_to, change=w.flag or w.move_to is not None)
        if self._state.validity != folder.validity:
            first = self._state.validity is None
            if not first:
                say("folder renewed", at=w.account.at)  # its UIDs mean other mails now
            self._state.validity, self._state.again = folder.validity, {}
            self._state.last = folder.following - 1 if first and w.from_now else 0
            self._state.save(w.state)
        say("watching", at=w.account.at, after=self._state.last)
        return folder

    def _follow(self, folder: ImapFolder, once: bool) -> None:
        while not self._stopping:
            self._look(folder)
            if once or self._stopping:
                return
            if not folder.can_idle:
                self._sleep(self.watching.every)
                continue
            folder.begin_idle()
            began = time.monotonic()
            while not self._stopping and time.monotonic() - began < IDLE_AGAIN:
                if folder.told(1.0):
                    break
            folder.end_idle()

    def _look(self, folder: ImapFolder) -> None:
        """Judge what is new, and again what could not be judged before."""
        for uid in [*sorted(self._state.again), *folder.after(self._state.last)]:
            if self._stopping:
                return
            found = folder.fetch(uid, self.watching.max_bytes)
            if found is None:
                self._state.again.pop(uid, None)
            else:
                self._one(folder, found)
            self._state.last = max(self._state.last, uid)
            self._state.save(self.watching.state)

    def _one(self, folder: ImapFolder, mail: Fetched) -> None:
        w = self.watching
        where = f"{w.account.folder}/{mail.uid}"
        try:
            verdict = self.judge(mail.raw)
        except Exception as error:  # a mail is hostile; the watch goes on
            tried = self._state.again.get(mail.uid, 0) + 1
            if tried < TRIES:
                self._state.again[mail.uid] = tried
                say("unchecked", uid=mail.uid, error=type(error).__name__, tried=tried)
                return
            self._state.again.pop(mail.uid, None)
            said = f"it could not be judged ({type(error).__name__})"
            self._said({"id": where, "verdict": "unchecked", "reasons": [said]})
            return
        self._state.again.pop(mail.uid, None)
        line = verdict.line(where)
        if mail.size > len(mail.raw):
            line["reasons"].append(
                f"not read to its end: the first {len(mail.raw)} of {mail.size} bytes"
            )
        self._said({**line, "did": self._act(folder, mail.uid, verdict)})

    def _act(self, folder: ImapFolder, uid: int, verdict: MailVerdict) -> list[str]:
        w = self.watching
        did: list[str] = []
        if verdict.verdict not in w.act_on:
            return did
        if w.flag:
            folder.flag(uid, verdict.verdict == "phishing")
            did.append("flagged")
        if w.move_to is not None:
            folder.move(uid, w.move_to)
            did.append(f"moved to {w.move_to}")
        return did

    def _said(self, line: dict[str, Any]) -> None:
        self.counts[line["verdict"]] = self.counts.get(line["verdict"], 0) + 1
        self.tell(line)

    def _sleep(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._stopping and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.5))
