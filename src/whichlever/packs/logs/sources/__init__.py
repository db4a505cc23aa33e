"""The simulated sources: each the manner of one kind of device, by an invented vendor."""

from whichlever.packs.logs.sources.applications import LEDGER, ORCHARD, QUARRY
from whichlever.packs.logs.sources.delimited import DHCP, PALISADE, WEB
from whichlever.packs.logs.sources.firewall import NORWALL, PACKETEER
from whichlever.packs.logs.sources.keyvalue import IRONGATE, PROXIMA, SENTRA
from whichlever.packs.logs.sources.machines import WINDOWS
from whichlever.packs.logs.sources.network import REMOTE, SWITCH, WIRELESS
from whichlever.packs.logs.sources.servers import MAIL, NAMES, SSH
from whichlever.packs.logs.sources.source import Source

SOURCES: tuple[Source, ...] = (
    NORWALL,
    PACKETEER,
    IRONGATE,
    SENTRA,
    PROXIMA,
    PALISADE,
    WEB,
    DHCP,
    SSH,
    MAIL,
    NAMES,
    SWITCH,
    WIRELESS,
    REMOTE,
    LEDGER,
    ORCHARD,
    QUARRY,
    WINDOWS,
)

__all__ = ["SOURCES", "Source"]
