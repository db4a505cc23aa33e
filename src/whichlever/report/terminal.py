"""The verdict in the terminal: a compact table of levers, then the reasons."""

from __future__ import annotations
