"""Syslog over UDP: a thread empties the socket into a bounded queue, and counts what is dropped."""

from __future__ import annotations

import os
import socket
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from whichlever.runtime.logs.lines import Line, Origin
from whichlever.runtime.logs.listen import Address

MOST_QUEUED = 64 * 2**20
"""Bytes of datagrams that wait to be parsed; each counts its length and a little more."""
EACH = 200
RECEIVE_BUFFER = 8 * 2**20
"""Asked of the kernel; it gives what its limit allows."""
SENDERS = 10_000
"""Senders remembered at a time."""
TAKE = 2_000
"""Datagrams given at once."""


class Udp:
    """One UDP port; each datagram is one event, however many lines it has.

    UDP cannot make a sender wait. When parsing falls behind, the queue fills, and datagrams that
    find it full are dropped and counted, as are those that the kernel says it dropped.
    """

    def __init__(
        self,
        address: Address,
        source_of: Callable[[str], str | None] = lambda _: None,
        most_queued: int = MOST_QUEUED,
    ) -> None:
        self._source_of, self._most = source_of, most_queued
        self._socket = address.bind()
        self.address = Address("udp", *self._socket.getsockname()[:2])
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        self._socket.settimeout(0.2)
        self._queue: deque[tuple[str, bytes]] = deque()
        self._queued = 0
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._wake, self._woken = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(self._woken, False)
        self._origins: OrderedDict[str, Origin] = OrderedDict()
        self.received = self.dropped = self._at_the_end = 0
        self.warnings: tuple[str, ...] = ()
        self._thread = threading.Thread(target=self._receive, name="syslog-udp", daemon=True)
        self._thread.start()

    def _receive(self) -> None:
        while True:
            try:
                data, peer = self._socket.recvfrom(65_535)
            except TimeoutError:
                if self._stopping.is_set():
                    return
                continue
            except OSError:
                return
            self.received += 1
            with self._lock:
                if self._queued + len(data) + EACH > self._most:
                    self.dropped += 1
                    continue
                empty = not self._queue
                self._queue.append((peer[0], data))
                self._queued += len(data) + EACH
            if empty:
                self._ring()

    def _ring(self) -> None:
        with suppress(OSError):  # the pipe is full: it rings already
            os.write(self._woken, b"\0")

    @property
    def ended(self) -> bool:
        """Whether listening was stopped and the queue is empty."""
        return self._stopping.is_set() and not self._thread.is_alive() and not self._queue

    def take(self) -> list[Line]:
        """The datagrams that wait, in order of arrival."""
        with suppress(OSError):  # the pipe is empty
            os.read(self._wake, 4096)
        taken: list[tuple[str, bytes]] = []
        with self._lock:
            while self._queue and len(taken) < TAKE:
                peer, data = self._queue.popleft()
                self._queued -= len(data) + EACH
                taken.append((peer, data))
            more = bool(self._queue)
        if more:
            self._ring()
        return [Line(data.rstrip(b"\r\n\0"), self._origin(peer)) for peer, data in taken]

    def _origin(self, peer: str) -> Origin:
        found = self._origins.get(peer)
        if found is None:
            found = Origin(f"udp:{peer}", self._source_of(peer), peer=peer)
            self._origins[peer] = found
            if len(self._origins) > SENDERS:
                self._origins.popitem(last=False)
        return found

    def stop(self) -> None:
        """Receive what the kernel holds, then no more."""
        self._stopping.set()

    def close(self) -> None:
        """Close the socket."""
        self._stopping.set()
        self._at_the_end = self._kernel_drops()
        self._socket.close()
        self._thread.join(1)
        for descriptor in (self._wake, self._woken):
            with suppress(OSError):
                os.close(descriptor)

    def descriptors(self) -> list[int]:
        """A pipe that is readable while something waits."""
        return [self._wake]

    def begun(self) -> list[tuple[Origin, int]]:
        """None: what a socket gave cannot be gone back to."""
        return []

    def lost(self) -> dict[str, int]:
        """Datagrams dropped: here, because the queue was full, and by the kernel."""
        kernel = self._at_the_end or self._kernel_drops()
        found = {"udp_queue_full": self.dropped, "udp_kernel": kernel}
        return {kind: count for kind, count in found.items() if count}

    def _kernel_drops(self) -> int:
        """What Linux dropped because its buffer was full; 0 where it does not tell."""
        if self._socket.fileno() < 0:
            return 0
        inode = str(os.fstat(self._socket.fileno()).st_ino)
        table = Path(
            "/proc/net/udp6" if self._socket.family == socket.AF_INET6 else "/proc/net/udp"
        )
        try:
            for row in table.read_text(encoding="ascii").splitlines()[1:]:
                cells = row.split()
                if len(cells) > 12 and cells[9] == inode:
                    return int(cells[12])
        except (OSError, ValueError):
            pass
        return 0
