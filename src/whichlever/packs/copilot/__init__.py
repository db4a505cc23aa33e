"""Co-pilot: notes in a trade's jargon, said in plain words.

Everything in it is simulated and says so.
"""

from whichlever.packs.copilot.pack import CopilotPack

__all__ = ["CopilotPack", "pack"]

pack = CopilotPack()
