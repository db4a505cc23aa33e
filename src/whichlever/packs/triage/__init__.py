"""Security alerts: read Wazuh, Suricata and plain JSON, render them, simulate a company's.

The runtime finds `pack` by the name and version that a bundle stores; nothing here needs torch.
"""

from whichlever.packs.triage.pack import TriagePack

__all__ = ["TriagePack", "pack"]

pack = TriagePack()
