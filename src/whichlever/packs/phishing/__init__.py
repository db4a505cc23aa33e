"""Phishing or not: mail as rows, masked, with marks of what it does."""

from whichlever.packs.phishing.pack import PhishingPack

pack = PhishingPack()
"""The object that the entry point names."""

__all__ = ["PhishingPack", "pack"]
