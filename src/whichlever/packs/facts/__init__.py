"""Drifting facts: a simulated register of who owns what, which changes after levers were fitted.

Everything in it is simulated and says so.
"""

from whichlever.packs.facts.pack import FactsPack

__all__ = ["FactsPack", "pack"]

pack = FactsPack()
