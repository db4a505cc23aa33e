"""Mail as a model and a person may read it: bounded, decoded, the author's own words apart.

Nothing here is ever fetched, executed or rendered.
"""

from whichlever.mail.message import Attachment, Limits, Link, Message
from whichlever.mail.parse import read_message

__all__ = ["Attachment", "Limits", "Link", "Message", "read_message"]
