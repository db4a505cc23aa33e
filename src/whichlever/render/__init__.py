"""How a record becomes text: the same code, by name and version, in training and in serving.

A pack is found by ``name@version`` through the entry-point group ``whichlever.packs``; without
one, `plain` renders the columns that the task names. Nothing here imports torch.
"""

from whichlever.render.plain import plain
from whichlever.render.record import NoText, RecordText
from whichlever.render.registry import Pack, find_pack

__all__ = ["NoText", "Pack", "RecordText", "find_pack", "plain"]
