"""The lever ``finetune``, one class per rung."""

from whichlever.levers.finetune_static import FinetuneStatic

__all__ = ["FinetuneStatic"]
