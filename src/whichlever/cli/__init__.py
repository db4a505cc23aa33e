"""The command line: one file per verb, thin: parse, call, print."""

from whichlever.cli.app import main

__all__ = ["main"]
