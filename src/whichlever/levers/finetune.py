"""The lever ``finetune``, one class per rung."""

from whichlever.levers.finetune_encoder import FinetuneEncoder
from whichlever.levers.finetune_static import FinetuneStatic

__all__ = ["FinetuneEncoder", "FinetuneStatic"]
