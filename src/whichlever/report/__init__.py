"""What a run says: a table in the terminal, and one self-contained page without a script.

Both are made from RUN's files alone and show nothing of the data as anything but text.
"""

from whichlever.report.html import write_report
from whichlever.report.plot_quality import plot_png
from whichlever.report.terminal import print_verdict

__all__ = ["plot_png", "print_verdict", "write_report"]
