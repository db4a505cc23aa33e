"""Logs: read exports of raw and parsed lines, map ECS to OCSF, simulate devices' logs.

The runtime finds `pack` by the name and version that a bundle stores; nothing here needs torch.
"""

from whichlever.packs.logs.pack import LogsPack

__all__ = ["LogsPack", "pack"]

pack = LogsPack()
