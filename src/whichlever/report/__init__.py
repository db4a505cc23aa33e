"""What a run says: a table in the terminal, and one self-contained page without a script.

Both are made from RUN's files alone and show nothing of the data as anything but text.
"""

from whichlever.report.html import write_report


__all__ = ["write_report"]
