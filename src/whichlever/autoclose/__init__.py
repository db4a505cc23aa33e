"""Closing rows unseen: what a run can promise, the policy in use, its review and its kill switch.

The statistics are in `whichlever.calibrate`; here are the files and streams.
"""

from whichlever.autoclose.evidence import autoclose_evidence

__all__ = ["autoclose_evidence"]
